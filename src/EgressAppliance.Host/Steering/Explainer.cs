using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// Answers, for any address or prefix, where it goes, why, and what else could be done with it: the routes from the speaker, the reasons
/// from the decision maker.
/// </summary>
public sealed class Explainer(IBgpSpeaker speaker, LinkDirectory links, RouterChoices choices, RoutePolicies policies, PrefixTable table)
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
        RoutingPolicy? policy = policies.First(prefix, paths);
        bool steered = links.PrefersConfigured(paths);
        PrefixExplanation? why = steered && cycle is { Snapshot: { } snapshot, Plan: { } plan }
            ? PlanExplainer.Explain(
                snapshot, plan, cycle.Options, new PrefixDemand(prefix, rate?.RateBps ?? 0, links.LinksOf(paths)) { Policy = policy?.Policy })
            : null;
        IReadOnlyList<PeerStatus> peers = speaker.GetPeers();
        return new ExplainDto(
            query, prefix.ToString(), rate?.RateBps ?? 0, rate is { } seen ? links[seen.Link]?.Name : null, why?.NativeLink, active,
            [.. paths.Select(p => Describe(p, peers, why))], Summary(why, active, steered ? links.Of(paths[0])!.Name : null))
        {
            Policy = policy is null ? null : new PolicyDto(policy.Policy.Number, policy.ToString()),
            RouterChoices = choices.Describe(prefix, paths, peers),
        };
    }

    private static ExplainDto Unknown(string query, string summary) => new(query, null, 0, null, null, null, [], summary);

    private PathDto Describe(RibPath path, IReadOnlyList<PeerStatus> peers, PrefixExplanation? why)
    {
        string? link = links.Of(path)?.Name;
        PathVerdict? verdict = why?.Paths.FirstOrDefault(p => p.Link == link);
        PathAttributes attributes = path.Attributes;
        return new PathDto(
            peers[path.Peer].Name, path.NextHop.Address.ToString(), link, attributes.AsPath.ToString(), attributes.LocalPref, attributes.Med,
            attributes.Origin.ToString().ToLowerInvariant(), [.. attributes.Communities.Select(Community.Format)],
            verdict?.Usable ?? false, verdict is { Usable: true } ? null : Reasons.Code(verdict?.Reason ?? (link is null ? ReasonCode.UnknownLink : ReasonCode.NotNeeded)));
    }

    private static string Summary(PrefixExplanation? why, OverrideDto? active, string? preferred)
    {
        if (preferred is null)
        {
            return "Plain BGP sends it to a next hop of no configured link, where it is neither seen nor steered.";
        }

        if (why is null)
        {
            return "No cycle has run yet.";
        }

        if (why.NativeLink is null && active is null)
        {
            return $"Plain BGP would send it by {preferred}, which is down, as are all other links it has paths by.";
        }

        // In observe mode the planner's view is that of its proposals; nothing of it has happened.
        return active is { State: "proposed" }
            ? $"It leaves by {why.NativeLink ?? "none of the configured links"}, as plain BGP has it. In inject mode it would go by {active.To}: {active.Reason}"
            : why.Summary;
    }
}
