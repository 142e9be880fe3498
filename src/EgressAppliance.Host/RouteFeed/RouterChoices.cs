using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Host.Http;
using EgressAppliance.Net;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>
/// Compares what routers have chosen themselves, where BMP shows their Loc-RIB (RFC 9069), with the path that they should prefer by what their routes say. Moves are
/// planned on the latter.
/// </summary>
/// <param name="speaker">Has both.</param>
/// <param name="links">Names next hops.</param>
/// <param name="marker">The community on our own routes.</param>
public sealed class RouterChoices(IBgpSpeaker speaker, LinkDirectory links, uint marker)
{
    /// <summary>One answer for each router that shows its Loc-RIB and has a path of the prefix.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <param name="paths">Its paths, the routers' preference first.</param>
    /// <param name="peers">The routers.</param>
    public IReadOnlyList<RouterChoiceDto> Describe(IpPrefix prefix, IReadOnlyList<RibPath> paths, IReadOnlyList<PeerStatus> peers)
    {
        ArgumentNullException.ThrowIfNull(peers);
        List<RouterChoiceDto> choices = [];
        IReadOnlyList<RibPath> chosen = speaker.GetLocRib(prefix);
        for (int i = 0; i < peers.Count; i++)
        {
            RibPath[] shown = [.. paths.Where(p => p.Peer == i)];
            if (shown.Length == 0 || peers[i].LocRib is not { } locRib)
            {
                continue;
            }

            int at = IndexOf(chosen, i);
            if (at >= 0)
            {
                choices.Add(Describe(peers[i].Name, chosen[at], shown));
            }
            else if (locRib.Complete && !locRib.SeveralPaths.Contains(prefix.Family))
            {
                choices.Add(new RouterChoiceDto(
                    peers[i].Name, "none", null, null, null, null, null, shown[0].NextHop.Address.ToString(), links.Of(shown[0])?.Name, null,
                    $"{peers[i].Name} has chosen none of its paths: its Loc-RIB has no route of it. The next hops may be unreachable for it."));
            }
        }

        return choices;
    }

    /// <summary>Counts a prefix: by index of the router, compared and differing.</summary>
    public void Count(IpPrefix prefix, IReadOnlyList<RibPath> paths, ChoiceCounts counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        foreach (RibPath chosen in speaker.GetLocRib(prefix))
        {
            RibPath[] shown = [.. paths.Where(p => p.Peer == chosen.Peer)];
            if (shown.Length > 0)
            {
                counts.Add(chosen.Peer, RouterChoiceResult.Of(chosen.Attributes, shown, marker).Choice);
            }
        }
    }

    /// <summary>The link by which every router that shows its Loc-RIB sends a prefix; null if none shows it, or they differ, or it is no configured link.</summary>
    public string? LinkOf(IpPrefix prefix)
    {
        IReadOnlyList<RibPath> chosen = speaker.GetLocRib(prefix);
        string? link = chosen.Count > 0 ? links.Of(chosen[0])?.Name : null;
        return chosen.All(c => links.Of(c)?.Name == link) ? link : null;
    }

    /// <summary>What the cause is called in documents, or null for none.</summary>
    public static string? Code(RouterChoiceCause cause) => cause switch
    {
        RouterChoiceCause.None => null,
        RouterChoiceCause.NotShown => "not_shown",
        RouterChoiceCause.Policy => "policy",
        RouterChoiceCause.Weight => "weight",
        RouterChoiceCause.Med => "med",
        RouterChoiceCause.IgpMetric => "igp_metric",
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "Not a cause."),
    };

    private static int IndexOf(IReadOnlyList<RibPath> chosen, int router)
    {
        for (int i = 0; i < chosen.Count; i++)
        {
            if (chosen[i].Peer == router)
            {
                return i;
            }
        }

        return -1;
    }

    private RouterChoiceDto Describe(string router, RibPath chosen, RibPath[] shown)
    {
        RouterChoiceResult result = RouterChoiceResult.Of(chosen.Attributes, shown, marker);
        PathAttributes attributes = chosen.Attributes;
        string uses = Name(chosen);
        string expected = Name(shown[0]);
        (string verdict, string summary) = result.Choice switch
        {
            RouterChoice.Agrees => ("agrees", $"{router} agrees: it uses {uses}."),
            RouterChoice.Override => ("override", $"{router} uses our override by {uses}; without it, by the routes it shows, {expected}."),
            _ => ("differs", $"{router} differs: it uses {uses}, by the routes it shows we would use {expected}; likely cause: {Words(result, attributes)}."),
        };
        return new RouterChoiceDto(
            router, verdict, chosen.NextHop.Address.ToString(), links.Of(chosen)?.Name, attributes.AsPath.ToString(), attributes.LocalPref, attributes.Med,
            shown[0].NextHop.Address.ToString(), links.Of(shown[0])?.Name, Code(result.Cause), summary);
    }

    private string Name(RibPath path) => links.Of(path) is { } link ? $"{path.NextHop.Address} ({link.Name})" : path.NextHop.Address.ToString();

    private static string Words(RouterChoiceResult result, PathAttributes chosen) => result.Cause switch
    {
        RouterChoiceCause.NotShown => "the path comes from another router, or is left out towards the appliance",
        RouterChoiceCause.Policy => $"an import policy, after which the path has LOCAL_PREF {chosen.LocalPref?.ToString() ?? "none"}, MED {chosen.Med?.ToString() ?? "none"} and AS_PATH {chosen.AsPath}",
        RouterChoiceCause.Weight => $"a weight of the router's own, since its choice loses by {Step(result.Step)}",
        RouterChoiceCause.Med => "MEDs are compared otherwise (of different neighbour ASes, or a missing one as the highest)",
        _ => "the IGP metric to the next hops, the age of the paths or the neighbours' identifiers, since their attributes are equal up to MED",
    };

    private static string Step(BestPathStep step) => step switch
    {
        BestPathStep.LocalPref => "LOCAL_PREF",
        BestPathStep.AsPathLength => "the length of the AS_PATH",
        _ => "ORIGIN",
    };
}

/// <summary>Of the prefixes looked at, by index of the router: those whose choice could be compared, and those that differ.</summary>
/// <param name="routers">How many routers there are.</param>
public sealed class ChoiceCounts(int routers)
{
    private readonly int[] _compared = new int[routers];
    private readonly int[] _differing = new int[routers];

    /// <summary>Prefixes compared; those on which an override is in use are not.</summary>
    public int Compared(int router) => _compared[router];

    /// <summary>Those of them on which router and appliance differ.</summary>
    public int Differing(int router) => _differing[router];

    /// <summary>Counts one.</summary>
    public void Add(int router, RouterChoice choice)
    {
        _compared[router] += choice == RouterChoice.Override ? 0 : 1;
        _differing[router] += choice == RouterChoice.Differs ? 1 : 0;
    }
}
