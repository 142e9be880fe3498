using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Rib;

/// <summary>The step of the decision process at which a path lost to the best one, in the order of the steps.</summary>
public enum BestPathStep
{
    /// <summary>It did not lose.</summary>
    Best,

    /// <summary>Another path has a higher LOCAL_PREF (RFC 4271 section 9.1.1).</summary>
    LocalPref,

    /// <summary>Another path has a shorter AS_PATH (section 9.1.2.2 a).</summary>
    AsPathLength,

    /// <summary>Another path has a lower ORIGIN (section 9.1.2.2 b).</summary>
    Origin,

    /// <summary>Another path from the same neighbour AS has a lower MULTI_EXIT_DISC (section 9.1.2.2 c).</summary>
    Med,

    /// <summary>It was reflected from another router, and the router has one that it learned itself (section 9.1.2.2 d as far as it shows).</summary>
    Reflected,

    /// <summary>Another path has a shorter CLUSTER_LIST (RFC 4456 section 9).</summary>
    ClusterListLength,

    /// <summary>Another path has a lower ORIGINATOR_ID (section 9.1.2.2 f, RFC 4456 section 9).</summary>
    OriginatorId,

    /// <summary>Equal to a router as far as can be seen; ordered by next hop.</summary>
    NextHop,

    /// <summary>The same, by peer.</summary>
    Peer,

    /// <summary>The same, by path identifier.</summary>
    PathId,
}

/// <summary>Tells for each path of a prefix why it is not the best. Goes the steps of <see cref="BestPath"/>, in its order.</summary>
public static class BestPathExplanation
{
    /// <summary>
    /// The step at which each path was eliminated, in the order of <paramref name="paths"/>; exactly one is <see cref="BestPathStep.Best"/>, the one that
    /// <see cref="BestPath"/> selects. Empty for no paths.
    /// </summary>
    public static IReadOnlyList<BestPathStep> Explain(IReadOnlyList<RibPath> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var lost = new BestPathStep[paths.Count];
        KeepLowest(paths, lost, BestPathStep.LocalPref, static p => -(long)(p.Attributes.LocalPref ?? BgpConstants.DefaultLocalPref));
        KeepLowest(paths, lost, BestPathStep.AsPathLength, static p => p.Attributes.AsPath.Length);
        KeepLowest(paths, lost, BestPathStep.Origin, static p => (long)p.Attributes.Origin);
        KeepLowestMed(paths, lost);
        KeepLowest(paths, lost, BestPathStep.Reflected, static p => p.Attributes.OriginatorId is null ? 0 : 1);
        KeepLowest(paths, lost, BestPathStep.ClusterListLength, static p => p.Attributes.ClusterList.Length);
        KeepLowest(paths, lost, BestPathStep.OriginatorId, static p => p.Attributes.OriginatorId ?? 0);
        KeepLowest(paths, lost, BestPathStep.NextHop, static p => p.NextHop.Address);
        KeepLowest(paths, lost, BestPathStep.Peer, static p => p.Peer);
        KeepLowest(paths, lost, BestPathStep.PathId, static p => p.PathId);
        return lost;
    }

    private static void KeepLowest<T>(IReadOnlyList<RibPath> paths, BestPathStep[] lost, BestPathStep step, Func<RibPath, T> value)
        where T : IComparable<T>
    {
        bool any = false;
        T lowest = default!;
        for (int i = 0; i < lost.Length; i++)
        {
            if (lost[i] == BestPathStep.Best && (!any || value(paths[i]).CompareTo(lowest) < 0))
            {
                lowest = value(paths[i]);
                any = true;
            }
        }

        for (int i = 0; i < lost.Length; i++)
        {
            if (lost[i] == BestPathStep.Best && value(paths[i]).CompareTo(lowest) != 0)
            {
                lost[i] = step;
            }
        }
    }

    private static void KeepLowestMed(IReadOnlyList<RibPath> paths, BestPathStep[] lost)
    {
        // Decided against the set as it stood before the step: eliminating one path must not save another.
        bool[] before = Array.ConvertAll(lost, static step => step == BestPathStep.Best);
        for (int i = 0; i < lost.Length; i++)
        {
            for (int j = 0; before[i] && j < lost.Length; j++)
            {
                if (before[j] && (paths[j].Attributes.Med ?? 0) < (paths[i].Attributes.Med ?? 0)
                    && paths[j].Attributes.AsPath.NeighborAs == paths[i].Attributes.AsPath.NeighborAs)
                {
                    lost[i] = BestPathStep.Med;
                }
            }
        }
    }
}
