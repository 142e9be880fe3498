using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Checks a plan against the snapshot by code that shares nothing with the planner: its own projection, straight from the definitions, slow
/// and simple. Nothing is announced unless it finds nothing.
/// </summary>
public static class PlanValidator
{
    private const int MaxViolations = 50;

    /// <summary>The rules broken, at most 50; empty for a valid plan.</summary>
    public static IReadOnlyList<PlanViolation> Validate(DecisionSnapshot snapshot, Plan plan, PlannerOptions options)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(options);
        List<PlanViolation> found = [];
        if (plan.Moves.Count + plan.Releases.Count == 0 && plan.Verdict is Verdict.InvalidSnapshot or Verdict.NoLinks)
        {
            return found;
        }

        Dictionary<string, Link> links = snapshot.Links.ToDictionary(l => l.Name, l => new Link(l), StringComparer.Ordinal);
        Dictionary<IpPrefix, PrefixDemand> demands = Moved(snapshot, plan);
        Dictionary<IpPrefix, ActiveOverride> overrides = snapshot.Overrides.ToDictionary(o => o.Prefix);
        CheckAccounts(plan, overrides, found);
        foreach (PlannedMove move in plan.Moves)
        {
            CheckMove(move, snapshot, options, links, demands, overrides, found);
        }

        foreach (PlannedRelease release in plan.Releases)
        {
            bool inHold = overrides.TryGetValue(release.Prefix, out ActiveOverride? over) && over.AgeSeconds < options.Hold.TotalSeconds;
            if (inHold && release.Reason is ReasonCode.NativeFits or ReasonCode.NoRate)
            {
                found.Add(new("in_hold", release.Prefix.ToString(), "given back for convenience before the hold time is over"));
            }
        }

        CheckCaps(snapshot, plan, options, overrides, found);
        CheckPolicies(snapshot, plan, overrides, found);
        CheckLoads(snapshot, plan, links, overrides, found);
        return found.Count > MaxViolations ? found[..MaxViolations] : found;
    }

    /// <summary>The demands of the moves.</summary>
    private static Dictionary<IpPrefix, PrefixDemand> Moved(DecisionSnapshot snapshot, Plan plan)
    {
        Dictionary<IpPrefix, PrefixDemand> moved = [];
        HashSet<IpPrefix> prefixes = [.. plan.Moves.Select(m => m.Prefix)];
        foreach (PrefixDemand demand in prefixes.Count == 0 ? [] : snapshot.Prefixes)
        {
            if (prefixes.Contains(demand.Prefix))
            {
                moved[demand.Prefix] = demand;
            }
        }

        return moved;
    }

    /// <summary>Each override exactly once in moves, releases or kept; no prefix twice; nothing kept or released that is not in force.</summary>
    private static void CheckAccounts(Plan plan, Dictionary<IpPrefix, ActiveOverride> overrides, List<PlanViolation> found)
    {
        HashSet<IpPrefix> seen = [];
        IEnumerable<(IpPrefix Prefix, string Link, bool Ours)> all = plan.Moves.Select(m => (m.Prefix, m.From, false))
            .Concat(plan.Releases.Select(r => (r.Prefix, r.From, true))).Concat(plan.Kept.Select(k => (k.Prefix, k.To, true)));
        foreach ((IpPrefix prefix, string link, bool ours) in all)
        {
            if (!seen.Add(prefix))
            {
                found.Add(new("listed_twice", prefix.ToString(), "in more than one of moves, releases and kept"));
            }

            bool known = overrides.TryGetValue(prefix, out ActiveOverride? over);
            if (ours && !known)
            {
                found.Add(new("no_such_override", prefix.ToString(), "kept or released, but not in force"));
            }
            else if (known && over!.Link != link)
            {
                found.Add(new("wrong_link", prefix.ToString(), $"the override is by {over.Link}, not {link}"));
            }
        }

        foreach (IpPrefix prefix in overrides.Keys.Where(p => !seen.Contains(p)))
        {
            found.Add(new("override_forgotten", prefix.ToString(), "in force, but neither moved, released nor kept"));
        }
    }

    private static void CheckMove(
        PlannedMove move, DecisionSnapshot snapshot, PlannerOptions options, Dictionary<string, Link> links,
        Dictionary<IpPrefix, PrefixDemand> demands, Dictionary<IpPrefix, ActiveOverride> overrides, List<PlanViolation> found)
    {
        void Broken(string rule, string detail) => found.Add(new(rule, move.Prefix.ToString(), detail));
        if (!demands.TryGetValue(move.Prefix, out PrefixDemand? demand))
        {
            Broken("unknown_prefix", "not in the snapshot");
            return;
        }

        if (!demand.Paths.Contains(move.To))
        {
            Broken("no_path", $"no path by {move.To}");
        }

        string? native = Native(demand, links)?.State.Name;
        if (!links.TryGetValue(move.To, out Link? to) || !to.State.Up || to.State.Drain || to.State.Distrusted)
        {
            Broken("link_unusable", $"{move.To} is unknown, down, drained or distrusted");
        }

        if (move.To == move.From || native == move.To)
        {
            Broken("same_link", $"{move.To} is where the prefix goes without the move");
        }

        if (move.RateBps != demand.RateBps)
        {
            Broken("wrong_rate", $"{move.RateBps} instead of {demand.RateBps} bit/s");
        }

        string? pin = PinOf(demand);
        if (demand.Policy is { Action: PolicyAction.Deny })
        {
            Broken("denied", "a policy forbids to move it");
        }

        if (pin is not null && pin != move.To)
        {
            Broken("pinned_by_policy", $"it goes to {move.To}, and a policy pins it to {pin}");
        }

        if (move.Reason == ReasonCode.PinnedByPolicy && pin is null)
        {
            Broken("pinned_by_policy", "no policy pins it");
        }

        if (snapshot.Quarantined.Contains(move.Prefix))
        {
            Broken("quarantined", "it is in quarantine");
        }

        bool usable = overrides.TryGetValue(move.Prefix, out ActiveOverride? over)
            && links.TryGetValue(over.Link, out Link? link) && link.State.Up && demand.Paths.Contains(over.Link);
        if (usable && over!.Pinned)
        {
            Broken("pinned", "an operator made the override");
        }
        else if (usable && over!.AgeSeconds < options.Hold.TotalSeconds && !links[over.Link].State.Drain && native != over.Link && (pin is null || pin == over.Link))
        {
            Broken("in_hold", "the override is younger than the hold time");
        }

        if (over is null && move.From != native)
        {
            Broken("wrong_link", $"it leaves by {native}, not {move.From}");
        }
    }

    /// <summary>What is kept and given back, by policies: nothing that is denied stays, nothing pinned stays elsewhere or is given back for convenience. Operators' overrides go before policies.</summary>
    private static void CheckPolicies(DecisionSnapshot snapshot, Plan plan, Dictionary<IpPrefix, ActiveOverride> overrides, List<PlanViolation> found)
    {
        if (overrides.Count == 0)
        {
            return;
        }

        HashSet<IpPrefix> kept = [.. plan.Kept.Select(k => k.Prefix)];
        HashSet<IpPrefix> home = [.. plan.Releases.Where(r => r.Reason is ReasonCode.NativeFits or ReasonCode.NoRate).Select(r => r.Prefix)];
        for (int i = 0; i < snapshot.Prefixes.Count; i++)
        {
            PrefixDemand demand = snapshot.Prefixes[i];
            if (demand.Policy is not { Action: PolicyAction.Deny or PolicyAction.Pin } policy || !overrides.TryGetValue(demand.Prefix, out ActiveOverride? over) || over.Pinned)
            {
                continue;
            }

            bool stays = kept.Contains(demand.Prefix);
            if (stays && policy.Action == PolicyAction.Deny)
            {
                found.Add(new("denied", demand.Prefix.ToString(), "its override is kept, and a policy forbids to move it"));
            }
            else if (stays && policy.Links[0] != over.Link)
            {
                found.Add(new("pinned_by_policy", demand.Prefix.ToString(), $"it stays on {over.Link}, and a policy pins it to {policy.Links[0]}"));
            }
            else if (policy.Action == PolicyAction.Pin && policy.Links[0] == over.Link && home.Contains(demand.Prefix))
            {
                found.Add(new("pinned_by_policy", demand.Prefix.ToString(), $"given back for convenience, and a policy pins it to {over.Link}"));
            }
        }
    }

    private static string? PinOf(PrefixDemand demand) => demand.Policy is { Action: PolicyAction.Pin } policy ? policy.Links[0] : null;

    private static void CheckCaps(
        DecisionSnapshot snapshot, Plan plan, PlannerOptions options, Dictionary<IpPrefix, ActiveOverride> overrides, List<PlanViolation> found)
    {
        if (options.NoCaps)
        {
            return;
        }

        if (plan.Moves.Count > options.MaxMovesPerCycle)
        {
            found.Add(new("max_moves_per_cycle", "plan", $"{plan.Moves.Count} moves, at most {options.MaxMovesPerCycle} allowed"));
        }

        PlannedMove[] added = [.. plan.Moves.Where(m => !overrides.ContainsKey(m.Prefix))];
        int after = overrides.Count - plan.Releases.Count + added.Length;
        if (added.Length > 0 && after > options.MaxOverrides)
        {
            found.Add(new("max_overrides", "plan", $"{after} overrides, at most {options.MaxOverrides} allowed"));
        }

        decimal total = (decimal)Total(snapshot);
        decimal moved = plan.Moves.Sum(m => (decimal)m.RateBps);
        if (moved > total * (decimal)options.MaxSharePerCycle)
        {
            found.Add(new("max_share_per_cycle", "plan", $"{moved} of {total} bit/s moved at once"));
        }

        decimal detoured = moved + plan.Kept.Sum(k => (decimal)k.RateBps);
        if (added.Length > 0 && detoured > total * (decimal)options.MaxShare)
        {
            found.Add(new("max_share", "plan", $"{detoured} of {total} bit/s by overrides"));
        }
    }

    private static Int128 Total(DecisionSnapshot snapshot)
    {
        Int128 total = 0;
        foreach (LinkState link in snapshot.Links)
        {
            total += link.ResidualBps;
        }

        foreach (PrefixDemand demand in snapshot.Prefixes)
        {
            total += demand.RateBps;
        }

        return total;
    }

    /// <summary>Adds the loads up anew: what the plan reports is right, and a link that a moved prefix enters is not beyond its ceiling.</summary>
    private static void CheckLoads(
        DecisionSnapshot snapshot, Plan plan, Dictionary<string, Link> links, Dictionary<IpPrefix, ActiveOverride> overrides, List<PlanViolation> found)
    {
        Dictionary<IpPrefix, string> by = [];
        foreach (KeptOverride kept in plan.Kept)
        {
            by[kept.Prefix] = kept.To;
        }

        foreach (PlannedMove move in plan.Moves)
        {
            by[move.Prefix] = move.To;
        }

        foreach (PrefixDemand demand in snapshot.Prefixes)
        {
            Link? at = Native(demand, links);
            Link? goes = by.TryGetValue(demand.Prefix, out string? to) ? links.GetValueOrDefault(to) : at;
            if (at is not null)
            {
                at.NativeBps += demand.RateBps;
            }

            if (goes is not null)
            {
                goes.PlannedBps += demand.RateBps;
            }
        }

        foreach (PlannedLink link in plan.Links)
        {
            if (!links.TryGetValue(link.Name, out Link? load) || load.PlannedBps != link.PlannedBps || load.NativeBps != link.NativeBps)
            {
                found.Add(new("wrong_load", link.Name, "native or planned load does not add up"));
            }
        }

        foreach (string entered in plan.Moves.Where(m => overrides.GetValueOrDefault(m.Prefix)?.Link != m.To).Select(m => m.To).Distinct())
        {
            if (links.TryGetValue(entered, out Link? link) && link.PlannedBps > (decimal)link.State.CapacityBps * (decimal)link.State.Ceiling)
            {
                found.Add(new("over_ceiling", entered, $"{link.PlannedBps} bit/s with the moves, more than the ceiling"));
            }
        }
    }

    private static Link? Native(PrefixDemand demand, Dictionary<string, Link> links)
    {
        // By index: an enumerator for each prefix would be most of what the check allocates.
        for (int i = 0; i < demand.Paths.Count; i++)
        {
            if (!links.TryGetValue(demand.Paths[i], out Link? link))
            {
                return null;
            }

            if (link.State.Up)
            {
                return link;
            }
        }

        return null;
    }

    /// <summary>A link with its loads, natively and with the plan, as they add up.</summary>
    private sealed class Link(LinkState state)
    {
        public LinkState State { get; } = state;

        public long NativeBps { get; set; } = state.Up ? state.ResidualBps : 0;

        public long PlannedBps { get; set; } = state.Up ? state.ResidualBps : 0;
    }
}
