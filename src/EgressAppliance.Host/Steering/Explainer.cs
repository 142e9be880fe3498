using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>Answers, for any address or prefix, where it goes, why, and what else could be done with it.</summary>
public sealed class Explainer(IBgpSpeaker speaker, LinkDirectory links, PrefixTable table)
{
    /// <summary>Answers a query as of a cycle; null if the text is neither an address nor a prefix.</summary>
    public ExplainDto? Explain(string query, CycleResult cycle)
    {
        IpPrefix prefix;
        if (IpAddr.TryParse(query, out IpAddr address))
        {
            if (!table.TryLongestMatch(address, out prefix, out _))
            {
                return Unknown(query, $"No prefix that the routers announced contains {address}.");
            }
        }
        else if (!IpPrefix.TryParse(query, out prefix))
        {
            return null;
        }

        IReadOnlyList<RibPath> paths = speaker.GetPaths(prefix);
        if (paths.Count == 0)
        {
            return Unknown(query, table.TryLongestMatch(prefix.Address, out IpPrefix covering, out _)
                ? $"The routers announced no {prefix}; its first address is in {covering}."
                : $"The routers announced no {prefix}.");
        }

        PrefixRate? rate = cycle.Rates.Find(prefix);
        OverrideDto? active = cycle.State.Overrides.FirstOrDefault(o => o.Prefix == prefix.ToString());
        string? native = cycle.NativeLinkOf(links.LinksOf(paths));
        List<PathDto> shown = [.. paths.Select(p => Describe(p, prefix, native, active, rate, cycle))];
        return new ExplainDto(
            query, prefix.ToString(), rate?.RateBps ?? 0, LinkName(rate), native, active, shown, Summary(prefix, native, active, shown, cycle));
    }

    private static ExplainDto Unknown(string query, string summary) => new(query, null, 0, null, null, null, [], summary);

    private string? LinkName(PrefixRate? rate) => rate is { } r ? links[r.Link]?.Name : null;

    private PathDto Describe(RibPath path, IpPrefix prefix, string? native, OverrideDto? active, PrefixRate? rate, CycleResult cycle)
    {
        string? link = links.Of(path)?.Name;
        ReasonCode? rejection = Reject(link, prefix, native, active, rate, cycle);
        PathAttributes attributes = path.Attributes;
        return new PathDto(
            speaker.GetPeers()[path.Peer].Name, path.NextHop.Address.ToString(), link, attributes.AsPath.ToString(), attributes.LocalPref, attributes.Med,
            attributes.Origin.ToString().ToLowerInvariant(), [.. attributes.Communities.Select(Community.Format)],
            rejection is null, rejection is { } code ? Reasons.Code(code) : null);
    }

    private static ReasonCode? Reject(string? link, IpPrefix prefix, string? native, OverrideDto? active, PrefixRate? rate, CycleResult cycle)
    {
        if (link is null)
        {
            return ReasonCode.UnknownLink;
        }

        string now = active is { } o && o.State != "proposed" ? o.To : native ?? "";
        if (link == now)
        {
            return ReasonCode.SameLink;
        }

        if (cycle.Denied.Any(d => d.Contains(prefix)))
        {
            return ReasonCode.DeniedByPolicy;
        }

        LinkState? state = cycle.Links.FirstOrDefault(l => l.Name == link);
        if (state is null || !state.Up)
        {
            return ReasonCode.LinkDown;
        }

        if (state.Drain)
        {
            return ReasonCode.Drained;
        }

        long planned = cycle.State.Links.First(l => l.Name == link).PlannedBps;
        return planned + (rate?.RateBps ?? 0) > state.Ceiling * state.CapacityBps ? ReasonCode.OverCeiling : null;
    }

    private static string Summary(IpPrefix prefix, string? native, OverrideDto? active, List<PathDto> paths, CycleResult cycle)
    {
        string where = native is null
            ? "Plain BGP sends it to a next hop of no configured link."
            : $"Plain BGP sends it by {native}.";
        if (active is { State: "proposed" })
        {
            return $"{where} In inject mode it would go by {active.To}: {active.Reason}";
        }

        if (active is not null)
        {
            return $"{where} An override sends it by {active.To}: {active.Reason}";
        }

        RejectedPrefix? rejected = cycle.Plan?.Rejected.FirstOrDefault(r => r.Prefix == prefix);
        if (rejected is not null)
        {
            return $"{where} It was considered and stays: {Reasons.Text(rejected.Reason)}";
        }

        int usable = paths.Count(p => p.Usable);
        return usable == 0
            ? $"{where} It has no override, and no other path could take it now."
            : $"{where} It has no override; {usable} other path{(usable == 1 ? "" : "s")} could take it if its link came over its threshold.";
    }
}
