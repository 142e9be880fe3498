using System.Collections.Frozen;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Host.Config;
using EgressAppliance.Net;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>The configured links by number, name and next hop. Immutable.</summary>
public sealed class LinkDirectory
{
    private readonly FrozenDictionary<IpAddr, LinkConfig> _byNextHop;
    private readonly FrozenDictionary<string, LinkConfig> _byName;

    /// <summary>Indexes the links of a checked configuration.</summary>
    public LinkDirectory(IReadOnlyList<LinkConfig> links)
    {
        Links = links;
        _byName = links.ToFrozenDictionary(l => l.Name);
        _byNextHop = links.SelectMany(l => l.NextHops.Select(n => (n, l))).ToFrozenDictionary(p => p.n, p => p.l);
        NextHops = _byNextHop.Keys.ToFrozenSet();
        Names = [.. links.Select(l => l.Name)];
    }

    /// <summary>The links; the one with <see cref="LinkId"/> n is at n − 1.</summary>
    public IReadOnlyList<LinkConfig> Links { get; }

    /// <summary>Their names, in order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>All next hops of all links: the only ones an override may carry.</summary>
    public FrozenSet<IpAddr> NextHops { get; }

    /// <summary>The link with this number, or null for <see cref="LinkId.None"/>.</summary>
    public LinkConfig? this[LinkId id] => id.Value >= 1 && id.Value <= Links.Count ? Links[id.Value - 1] : null;

    /// <summary>The link with this name, or null.</summary>
    public LinkConfig? ByName(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The link a path leaves by, or null if its next hop is of no configured link.</summary>
    public LinkConfig? Of(RibPath path) => _byNextHop.GetValueOrDefault(path.NextHop.Address);

    /// <summary>
    /// True if the path that the router prefers leaves by a configured link. If not, the prefix natively leaves where we see and steer nothing,
    /// whatever other paths it has.
    /// </summary>
    public bool PrefersConfigured(IReadOnlyList<RibPath> paths) => paths.Count > 0 && Of(paths[0]) is not null;

    /// <summary>The links that a prefix's paths leave by, each once, in the order of the paths.</summary>
    public IReadOnlyList<string> LinksOf(IReadOnlyList<RibPath> paths)
    {
        List<string> names = new(paths.Count);
        foreach (RibPath path in paths)
        {
            if (Of(path) is { } link && !names.Contains(link.Name))
            {
                names.Add(link.Name);
            }
        }

        return names;
    }

    /// <summary>The next hop by which a prefix of this family leaves by the link, among the paths learned; null if there is none.</summary>
    public IpAddr? NextHopFor(string linkName, IReadOnlyList<RibPath> paths)
    {
        foreach (RibPath path in paths)
        {
            if (Of(path)?.Name == linkName)
            {
                return path.NextHop.Address;
            }
        }

        return null;
    }
}
