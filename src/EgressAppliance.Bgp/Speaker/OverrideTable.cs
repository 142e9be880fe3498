using System.Collections.Immutable;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// The overrides in force and what is announced for each. Guarded by the speaker's lock; sends nothing itself but says what to send.
/// </summary>
/// <param name="options">Who we are.</param>
/// <param name="leastLocalPref">By source of a path, a LOCAL_PREF that must be exceeded whatever the paths of the prefix have.</param>
internal sealed class OverrideTable(BgpSpeakerOptions options, Func<int, uint> leastLocalPref)
{
    /// <summary>How far above the highest LOCAL_PREF seen an override is put.</summary>
    public const uint LocalPrefStep = 100;

    private readonly Dictionary<IpPrefix, Entry> _entries = [];
    private readonly List<RibPath> _paths = [];

    /// <summary>Overrides in force.</summary>
    public int Count => _entries.Count;

    /// <summary>An override as announced.</summary>
    /// <param name="Override">The override, its path as last seen.</param>
    /// <param name="LocalPref">LOCAL_PREF given to it.</param>
    /// <param name="Announced">The attributes on the wire.</param>
    /// <param name="Native">Next hop of the path that the router preferred before, where only its session told; default if not known.</param>
    public readonly record struct Entry(Override Override, uint LocalPref, PathAttributes Announced, IpAddr Native);

    /// <summary>All entries.</summary>
    public IEnumerable<Entry> Entries => _entries.Values;

    /// <summary>True if the prefix has an override.</summary>
    public bool Contains(IpPrefix prefix) => _entries.ContainsKey(prefix);

    /// <summary>The path for an override of <paramref name="prefix"/> by <paramref name="nextHop"/>, if the rules allow one.</summary>
    public OverrideRefusal Find(RibTable rib, Func<int, bool> hasAllPaths, IpPrefix prefix, IpAddr nextHop, out RibPath path)
    {
        path = default;
        if (options.OwnAddresses.Contains(nextHop))
        {
            return OverrideRefusal.NextHopIsOurs;
        }

        if (!options.AllowedNextHops.Contains(nextHop))
        {
            return OverrideRefusal.NextHopNotAllowed;
        }

        LoadPaths(rib, prefix);
        BestPath.Order(_paths);
        int at = _paths.FindIndex(p => p.NextHop.Address == nextHop);
        if (at < 0)
        {
            return OverrideRefusal.PathNotLearned;
        }

        path = _paths[at];
        return !hasAllPaths(path.Peer) ? OverrideRefusal.BestPathOnly
            : path.Attributes.AsPath.IsEmpty ? OverrideRefusal.EmptyAsPath
            : OverrideRefusal.None;
    }

    /// <summary>The entry of a prefix.</summary>
    public bool TryGet(IpPrefix prefix, out Entry entry) => _entries.TryGetValue(prefix, out entry);

    /// <summary>Puts an override in force. Returns false if exactly this was announced before, so that nothing need be sent.</summary>
    public bool Set(RibTable rib, IpPrefix prefix, RibPath path, IpAddr native, out Entry entry)
    {
        uint localPref = NeededLocalPref(rib, prefix, path);
        if (_entries.TryGetValue(prefix, out Entry old))
        {
            // What is announced stays as long as it is high enough: no UPDATE for the sake of a lower number.
            localPref = Math.Max(localPref, old.Override.Path.Attributes.Equals(path.Attributes) ? old.LocalPref : 0);
        }

        PathAttributes announced = MakeAttributes(path.Attributes, localPref);
        bool same = old.Announced is not null && old.Announced.Equals(announced);
        // While the override is in force the router shows no path of its own: what it preferred is known from before.
        entry = new(new Override(prefix, path), localPref, same ? old.Announced! : announced, native.IsDefault ? old.Native : native);
        _entries[prefix] = entry;
        return !same;
    }

    /// <summary>Ends an override.</summary>
    public bool Remove(IpPrefix prefix) => _entries.Remove(prefix);

    /// <summary>Ends all.</summary>
    public List<IpPrefix> Clear()
    {
        List<IpPrefix> all = [.. _entries.Keys];
        _entries.Clear();
        return all;
    }

    /// <summary>
    /// Looks at an override after the paths of its prefix changed. The override follows its path; if that went, another path of the same router with the
    /// same next hop serves as well (routers give new path identifiers when a path is learned anew). Returns false if the override has lost its path;
    /// <paramref name="changed"/> says whether what is announced must be sent again.
    /// </summary>
    public bool Revalidate(RibTable rib, IpPrefix prefix, out bool changed, out Entry entry)
    {
        changed = false;
        entry = _entries[prefix];
        RibPath old = entry.Override.Path;
        LoadPaths(rib, prefix);
        int at = _paths.FindIndex(p => p.Peer == old.Peer && p.PathId == old.PathId && p.NextHop.Address == old.NextHop.Address);
        at = at >= 0 ? at : _paths.FindIndex(p => p.Peer == old.Peer && p.NextHop.Address == old.NextHop.Address);
        if (at < 0 || _paths[at].Attributes.AsPath.IsEmpty)
        {
            return false;
        }

        RibPath now = _paths[at];
        uint needed = NeededLocalPref(rib, prefix, now);
        if (!now.Attributes.Equals(old.Attributes) || now.PathId != old.PathId || needed > entry.LocalPref)
        {
            changed = Set(rib, prefix, now, default, out entry);
        }

        return true;
    }

    private void LoadPaths(RibTable rib, IpPrefix prefix)
    {
        _paths.Clear();
        rib.CopyPaths(prefix, _paths);
    }

    /// <summary>
    /// Above all paths of the prefix, hidden ones too: routes before policy have no LOCAL_PREF, and that which the router gave shows only in the session.
    /// </summary>
    private uint NeededLocalPref(RibTable rib, IpPrefix prefix, RibPath path)
    {
        uint highest = Math.Max(path.Attributes.LocalPref ?? BgpConstants.DefaultLocalPref, leastLocalPref(path.Peer));
        highest = Math.Max(highest, rib.HighestLocalPref(prefix, BgpConstants.DefaultLocalPref));
        return highest > uint.MaxValue - LocalPrefStep ? uint.MaxValue : highest + LocalPrefStep;
    }

    /// <summary>
    /// The learned attributes with our LOCAL_PREF, NO_EXPORT and the marker. ORIGINATOR_ID and CLUSTER_LIST stay out: they belong to the reflection
    /// that brought the path here, and a router drops what carries its own identifier. The next hop is the provider's global address.
    /// </summary>
    public PathAttributes MakeAttributes(PathAttributes learned, uint localPref)
    {
        ImmutableArray<uint> communities = learned.Communities;
        foreach (uint community in new[] { Community.NoExport, options.MarkerCommunity })
        {
            communities = communities.Contains(community) ? communities : communities.Add(community);
        }

        return new PathAttributes
        {
            Origin = learned.Origin,
            AtomicAggregate = learned.AtomicAggregate,
            NextHop = new NextHop(learned.NextHop.Address),
            Med = learned.Med,
            LocalPref = localPref,
            AsPath = learned.AsPath,
            Aggregator = learned.Aggregator,
            Communities = communities,
            ExtendedCommunities = learned.ExtendedCommunities,
            LargeCommunities = learned.LargeCommunities,
            Unknown = learned.Unknown,
        };
    }
}
