using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Rib;

/// <summary>
/// The router's preference among the paths of a prefix, as far as it shows in what the router sends us.
/// </summary>
/// <remarks>
/// RFC 4271 section 9.1, one elimination a step; the paths that remain after the last step but one are equal to a router as far as we can see:
/// <list type="number">
/// <item>highest LOCAL_PREF (none: 100);</item>
/// <item>shortest AS_PATH (an AS_SET counts 1, confederation segments 0);</item>
/// <item>lowest ORIGIN;</item>
/// <item>lowest MULTI_EXIT_DISC (none: 0) among the paths from the same neighbour AS;</item>
/// <item>a path without ORIGINATOR_ID: the router learned it itself (over eBGP as a rule), one with it was reflected from another router;</item>
/// <item>tie-break, so that the order is always the same: shortest CLUSTER_LIST, lowest ORIGINATOR_ID, next hop, peer, path identifier.</item>
/// </list>
/// What a router also weighs and we cannot see: its own weights, the IGP metric to the next hop, the age of the path, the neighbours' addresses.
/// MED makes the relation between two paths depend on third ones, so there is no comparer to sort by: the best is selected, then the best of the rest.
/// </remarks>
public static class BestPath
{
    /// <summary>Brings the paths into the router's order of preference, in place. Lists are as short as a prefix has paths.</summary>
    public static void Order(List<RibPath> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        for (int start = 0; start < paths.Count - 1; start++)
        {
            int best = Select(paths, start);
            RibPath chosen = paths[best];
            paths.RemoveAt(best);
            paths.Insert(start, chosen);
        }
    }

    /// <summary>Index of the best path from <paramref name="start"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no path from there on.</exception>
    public static int Select(IReadOnlyList<RibPath> paths, int start = 0)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(start, paths.Count);
        var left = new List<int>(paths.Count - start);
        for (int i = start; i < paths.Count; i++)
        {
            left.Add(i);
        }

        KeepLowest(left, paths, static p => -(long)(p.Attributes.LocalPref ?? BgpConstants.DefaultLocalPref));
        KeepLowest(left, paths, static p => p.Attributes.AsPath.Length);
        KeepLowest(left, paths, static p => (long)p.Attributes.Origin);
        KeepLowestMed(left, paths);
        KeepLowest(left, paths, static p => p.Attributes.OriginatorId is null ? 0 : 1);
        int best = left[0];
        foreach (int i in left)
        {
            best = TieBreak(paths[i], paths[best]) < 0 ? i : best;
        }

        return best;
    }

    private static void KeepLowest(List<int> left, IReadOnlyList<RibPath> paths, Func<RibPath, long> value)
    {
        if (left.Count == 1)
        {
            return;
        }

        long lowest = long.MaxValue;
        foreach (int i in left)
        {
            lowest = Math.Min(lowest, value(paths[i]));
        }

        left.RemoveAll(i => value(paths[i]) != lowest);
    }

    private static void KeepLowestMed(List<int> left, IReadOnlyList<RibPath> paths)
    {
        // Decided against the set as it stood before the step: eliminating one path must not save another.
        int[] before = [.. left];
        left.RemoveAll(i => Array.Exists(before, j =>
            (paths[j].Attributes.Med ?? 0) < (paths[i].Attributes.Med ?? 0)
            && paths[j].Attributes.AsPath.NeighborAs == paths[i].Attributes.AsPath.NeighborAs));
    }

    private static int TieBreak(RibPath a, RibPath b)
    {
        int c = a.Attributes.ClusterList.Length.CompareTo(b.Attributes.ClusterList.Length);
        c = c != 0 ? c : (a.Attributes.OriginatorId ?? 0).CompareTo(b.Attributes.OriginatorId ?? 0);
        c = c != 0 ? c : a.NextHop.Address.CompareTo(b.NextHop.Address);
        c = c != 0 ? c : a.Peer.CompareTo(b.Peer);
        return c != 0 ? c : a.PathId.CompareTo(b.PathId);
    }
}
