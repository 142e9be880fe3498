using EgressAppliance.Decision;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision.Cost;

/// <summary>The rules of a proposal, straight from the definitions, by code that shares nothing with what made it.</summary>
internal static class CostRules
{
    public static IReadOnlyList<string> Broken(DecisionSnapshot snapshot, CostPlan plan, CostOptions options)
    {
        List<string> broken = [];
        void Rule(bool kept, string what)
        {
            if (!kept)
            {
                broken.Add(what);
            }
        }

        Dictionary<string, LinkState> links = snapshot.Links.ToDictionary(l => l.Name);
        Dictionary<IpPrefix, PrefixDemand> demands = snapshot.Prefixes.ToDictionary(p => p.Prefix);
        Dictionary<IpPrefix, ActiveOverride> overrides = snapshot.Overrides.ToDictionary(o => o.Prefix);
        Dictionary<IpPrefix, string?> at = demands.Values.ToDictionary(d => d.Prefix, d => At(d, links, overrides));
        Dictionary<string, long> before = Loads(snapshot, demands, at);
        bool overloaded = links.Values.Any(l => l.Up && before[l.Name] > (decimal)l.CapacityBps * (decimal)l.Threshold * (1 - (decimal)(l.ErrorRatio ?? 0)));
        Rule(!overloaded || plan.Moves.Count == 0, "moves while a link is over its threshold");
        Rule(plan.Moves.Count <= options.MaxMoves, "more moves than allowed");
        Rule(plan.Moves.Select(m => m.Prefix).Distinct().Count() == plan.Moves.Count, "a prefix twice");
        foreach (CostProposal move in plan.Moves)
        {
            PrefixDemand demand = demands[move.Prefix];
            LinkState to = links[move.To];
            ActiveOverride? over = overrides.GetValueOrDefault(move.Prefix);
            Rule(at[move.Prefix] == move.From && move.From != move.To, $"{move.Prefix} is not on {move.From}");
            Rule(move.RateBps == demand.RateBps, $"{move.Prefix} has another rate");
            Rule(demand.Paths.Contains(move.To) && to.Up && (!to.Drain || move.GivesBack) && to.PricePerMbps is not null, $"{move.Prefix} cannot use {move.To}");
            Rule(demand.Policy?.Action is not (PolicyAction.Deny or PolicyAction.Pin) && (!snapshot.Quarantined.Contains(move.Prefix) || move.GivesBack), $"{move.Prefix} may not be moved");
            bool fixedNow = over is not null && at[move.Prefix] == over.Link && Native(demand, links) != over.Link && (over.Pinned || over.AgeSeconds < options.Hold.TotalSeconds);
            Rule(!fixedNow, $"{move.Prefix} is pinned or in hold");
            Rule(move.GivesBack == (move.To == Native(demand, links)), $"{move.Prefix} goes home without being given back");
            at[move.Prefix] = move.To;
        }

        // Moves that others make room for count together.
        bool chained = plan.Moves.Any(m => plan.Moves.Any(o => o.From == m.To));
        Rule(plan.Verdict != CostVerdict.Proposed || chained || plan.Moves.All(m => m.SavingPerMonth > options.MinSavingPerMonth), "a move is not worth it");
        Rule(plan.Verdict != CostVerdict.Proposed || plan.SavingPerMonth > options.MinSavingPerMonth * plan.Moves.Count, "the moves are not worth it");
        Dictionary<string, long> after = Loads(snapshot, demands, at);
        foreach (string entered in plan.Moves.Select(m => m.To).Distinct())
        {
            LinkState link = links[entered];
            CostLink cost = plan.Links.Single(l => l.Name == entered);
            Rule(after[entered] <= (decimal)link.CapacityBps * (decimal)link.Ceiling * (1 - (decimal)(link.ErrorRatio ?? 0)), $"{entered} is over its ceiling");
            Rule(cost.Bursting || after[entered] <= cost.LevelBps, $"{entered} is over its level");
            Rule(!cost.Bursting || cost.FreeLeft > 0, $"{entered} bursts without a free sample");
        }

        foreach (CostLink link in plan.Links)
        {
            Rule(link.LoadBps == before[link.Name], $"{link.Name} carries {before[link.Name]}, not {link.LoadBps}");
        }

        return broken;
    }

    private static Dictionary<string, long> Loads(DecisionSnapshot snapshot, Dictionary<IpPrefix, PrefixDemand> demands, Dictionary<IpPrefix, string?> at)
    {
        Dictionary<string, long> loads = snapshot.Links.ToDictionary(l => l.Name, l => l.Up ? l.ResidualBps : 0);
        foreach (PrefixDemand demand in demands.Values)
        {
            if (at[demand.Prefix] is { } link)
            {
                loads[link] += demand.RateBps;
            }
        }

        return loads;
    }

    private static string? Native(PrefixDemand demand, Dictionary<string, LinkState> links) => demand.Paths.FirstOrDefault(p => !links.TryGetValue(p, out LinkState? link) || link.Up) is { } first && links.ContainsKey(first) ? first : null;

    /// <summary>By its override if that can go on, natively otherwise.</summary>
    private static string? At(PrefixDemand demand, Dictionary<string, LinkState> links, Dictionary<IpPrefix, ActiveOverride> overrides)
    {
        bool goesOn = overrides.TryGetValue(demand.Prefix, out ActiveOverride? over) && links.TryGetValue(over.Link, out LinkState? link) && link.Up && demand.Paths.Contains(over.Link)
            && (over.Pinned || (!link.Drain && demand.Policy is not { Action: PolicyAction.Deny } && (demand.Policy is not { Action: PolicyAction.Pin } pin || pin.Links[0] == over.Link)));
        return goesOn ? over!.Link : Native(demand, links);
    }
}
