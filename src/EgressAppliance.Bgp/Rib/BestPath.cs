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
        if (paths.Count < 2)
        {
            return;
        }

        PathRank[] ranks = [.. paths.Select(p => new PathRank(p))];
        RibPath[] given = [.. paths];
        int[] left = [.. Enumerable.Range(0, ranks.Length)];
        for (int place = 0; place < given.Length; place++)
        {
            int best = Select(ranks, left.AsSpan(place));
            int at = Array.IndexOf(left, best, place);
            (left[place], left[at]) = (left[at], left[place]);
            paths[place] = given[best];
        }
    }

    /// <summary>Index of the best path.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no path.</exception>
    public static int Select(IReadOnlyList<RibPath> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count);
        PathRank[] ranks = [.. paths.Select(p => new PathRank(p))];
        return Select(ranks);
    }

    /// <summary>Index of the best of at least one rank.</summary>
    internal static int Select(ReadOnlySpan<PathRank> ranks)
    {
        const int Few = 64;
        Span<int> all = ranks.Length <= Few ? stackalloc int[ranks.Length] : new int[ranks.Length];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = i;
        }

        return Select(ranks, all);
    }

    /// <summary>The best of those ranks whose indexes are given, at least one. The order of the indexes is left as it was.</summary>
    private static int Select(ReadOnlySpan<PathRank> ranks, ReadOnlySpan<int> among)
    {
        const int Few = 64;
        Span<int> left = among.Length <= Few ? stackalloc int[among.Length] : new int[among.Length];
        among.CopyTo(left);
        left = KeepLowest(left, ranks, static (in PathRank r) => -(long)r.LocalPref);
        left = KeepLowest(left, ranks, static (in PathRank r) => r.AsPathLength);
        left = KeepLowest(left, ranks, static (in PathRank r) => (long)r.Origin);
        left = KeepLowestMed(left, ranks);
        left = KeepLowest(left, ranks, static (in PathRank r) => r.Reflected ? 1 : 0);
        int best = left[0];
        foreach (int i in left)
        {
            best = TieBreak(ranks[i], ranks[best]) < 0 ? i : best;
        }

        return best;
    }

    private delegate long Value(in PathRank rank);

    private static Span<int> KeepLowest(Span<int> left, ReadOnlySpan<PathRank> ranks, Value value)
    {
        if (left.Length == 1)
        {
            return left;
        }

        long lowest = long.MaxValue;
        foreach (int i in left)
        {
            lowest = Math.Min(lowest, value(ranks[i]));
        }

        int kept = 0;
        foreach (int i in left)
        {
            if (value(ranks[i]) == lowest)
            {
                left[kept++] = i;
            }
        }

        return left[..kept];
    }

    private static Span<int> KeepLowestMed(Span<int> left, ReadOnlySpan<PathRank> ranks)
    {
        if (left.Length == 1)
        {
            return left;
        }

        // Decided against the set as it stood before the step: eliminating one path must not save another. Kept ones move to the front
        // by exchange, so that all of the set can still be looked at.
        int kept = 0;
        for (int i = 0; i < left.Length; i++)
        {
            if (!IsBeatenByMed(left, ranks, left[i]))
            {
                (left[kept], left[i]) = (left[i], left[kept]);
                kept++;
            }
        }

        return left[..kept];
    }

    private static bool IsBeatenByMed(ReadOnlySpan<int> among, ReadOnlySpan<PathRank> ranks, int path)
    {
        foreach (int other in among)
        {
            if (ranks[other].NeighborAs == ranks[path].NeighborAs && ranks[other].Med < ranks[path].Med)
            {
                return true;
            }
        }

        return false;
    }

    private static int TieBreak(in PathRank a, in PathRank b)
    {
        int c = a.ClusterListLength.CompareTo(b.ClusterListLength);
        c = c != 0 ? c : a.OriginatorId.CompareTo(b.OriginatorId);
        c = c != 0 ? c : a.NextHop.CompareTo(b.NextHop);
        c = c != 0 ? c : a.Peer.CompareTo(b.Peer);
        return c != 0 ? c : a.PathId.CompareTo(b.PathId);
    }
}
