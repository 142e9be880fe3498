using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Pipeline;

/// <summary>
/// The rules by which frames get their link: those of the configuration, and for links that it does not say it of those that follow from the provider's MAC addresses as
/// the router knows them. Of two providers behind one MAC address neither is matched: better unattributed than attributed to the wrong link.
/// </summary>
/// <param name="links">The links.</param>
public sealed class LinkRules(IReadOnlyList<LinkConfig> links)
{
    private readonly IReadOnlyList<LinkMatch> _configured = CaptureSources.ToMatches(links);
    private MacAddress[][] _macs = [.. links.Select(_ => Array.Empty<MacAddress>())];

    /// <summary>The rules now.</summary>
    public IReadOnlyList<LinkMatch> Matches { get; private set; } = CaptureSources.ToMatches(links);

    /// <summary>Links whose frames cannot be told, and why; empty if there are none.</summary>
    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <summary>Takes what the routers say. True if the rules are others now.</summary>
    /// <param name="interfaces">The links' interfaces, in order of configuration.</param>
    public bool Update(IReadOnlyList<InterfaceState> interfaces)
    {
        ArgumentNullException.ThrowIfNull(interfaces);
        List<string> problems = [];
        MacAddress[][] macs = new MacAddress[links.Count][];
        for (int i = 0; i < links.Count; i++)
        {
            macs[i] = [];
            if (!links[i].FindsMac)
            {
                continue;
            }

            if (interfaces[i].Macs.Count == 0)
            {
                problems.Add($"Frames of {links[i].Name} are not known yet, as it has no match: {interfaces[i].Error ?? interfaces[i].MatchProblem ?? "not asked yet"}.");
                continue;
            }

            macs[i] = [.. interfaces[i].Macs.Where(mac => Other(i, mac, interfaces) is null)];
            foreach (MacAddress mac in interfaces[i].Macs.Except(macs[i]))
            {
                problems.Add($"{links[i].Name} and {Other(i, mac, interfaces)} are both behind {mac}: frames to it are counted for neither by that. Give both a match by vlan or source.");
            }
        }

        Problems = problems;
        if (macs.Zip(_macs).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
        {
            return false;
        }

        _macs = macs;
        Matches = [.. _configured, .. macs.SelectMany((found, i) => found.Select(mac => new LinkMatch(links[i].Id, mac, null, null)))];
        return true;
    }

    /// <summary>How frames of a link are known, in words; empty if they are not.</summary>
    public string Describe(int link)
    {
        LinkConfig config = links[link];
        return config.HasMatch
            ? string.Join(", ", new[]
            {
                config.MatchMac is { } mac ? $"mac {mac}" : null, config.MatchVlan is { } vlan ? $"vlan {vlan}" : null,
                config.MatchSource is { } source ? $"source {source}" : null,
            }.OfType<string>())
            : _macs[link].Length == 0 ? "" : $"mac {string.Join(", ", _macs[link])}, found by SNMP";
    }

    /// <summary>Another link that frames to this MAC address alone may belong to.</summary>
    private string? Other(int link, MacAddress mac, IReadOnlyList<InterfaceState> interfaces)
    {
        for (int i = 0; i < links.Count; i++)
        {
            if (i != link && (links[i] is { MatchVlan: null, MatchSource: null, MatchMac: { } configured } ? configured == mac : links[i].FindsMac && interfaces[i].Macs.Contains(mac)))
            {
                return links[i].Name;
            }
        }

        return null;
    }
}
