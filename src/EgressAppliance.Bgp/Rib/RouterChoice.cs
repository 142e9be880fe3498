using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Rib;

/// <summary>How a router's own choice of a prefix, from its Loc-RIB, compares with the path that it should prefer by what its routes say.</summary>
public enum RouterChoice
{
    /// <summary>The same next hop.</summary>
    Agrees,

    /// <summary>The router uses our own override.</summary>
    Override,

    /// <summary>Another next hop.</summary>
    Differs,
}

/// <summary>Why, most likely, the two differ. What a router weighs beside the attributes cannot be seen from outside.</summary>
public enum RouterChoiceCause
{
    /// <summary>They do not differ.</summary>
    None,

    /// <summary>The path is not among those that the router shows us: it has it from another router, or leaves it out towards us.</summary>
    NotShown,

    /// <summary>The path has other attributes in the Loc-RIB than where we learned it: an import policy changes them after the table that is shown.</summary>
    Policy,

    /// <summary>The path is worse by LOCAL_PREF, AS_PATH or ORIGIN: the router weighs something before them, a weight of its own as a rule.</summary>
    Weight,

    /// <summary>The path is worse by MED: the router compares MEDs otherwise (of different neighbour ASes, or a missing one as the highest).</summary>
    Med,

    /// <summary>The paths are equal up to MED: the IGP metric to the next hops, the age of the paths or the neighbours' identifiers decide.</summary>
    IgpMetric,
}

/// <summary>The comparison of one prefix for one router.</summary>
/// <param name="Choice">How they compare.</param>
/// <param name="Cause">Why they differ, most likely.</param>
/// <param name="Step">With <see cref="RouterChoiceCause.Weight"/>: the step at which the router's choice should have lost; else <see cref="BestPathStep.Best"/>.</param>
public readonly record struct RouterChoiceResult(RouterChoice Choice, RouterChoiceCause Cause = RouterChoiceCause.None, BestPathStep Step = BestPathStep.Best)
{
    /// <summary>Compares.</summary>
    /// <param name="chosen">The router's choice.</param>
    /// <param name="paths">The paths that the router shows, the one that it should prefer first; at least one.</param>
    /// <param name="marker">The community on our own routes.</param>
    public static RouterChoiceResult Of(PathAttributes chosen, IReadOnlyList<RibPath> paths, uint marker)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count);
        if (chosen.Communities.Contains(marker))
        {
            return new(RouterChoice.Override);
        }

        if (chosen.NextHop.Address == paths[0].NextHop.Address)
        {
            return new(RouterChoice.Agrees);
        }

        foreach (RibPath path in paths)
        {
            if (path.NextHop.Address == chosen.NextHop.Address)
            {
                return SameDecision(chosen, path.Attributes) ? Lost(paths[0], path) : new(RouterChoice.Differs, RouterChoiceCause.Policy);
            }
        }

        return new(RouterChoice.Differs, RouterChoiceCause.NotShown);
    }

    /// <summary>Alike in what the decision goes by. A LOCAL_PREF that is not shown counts as the default, which is what the router gives where no policy does.</summary>
    private static bool SameDecision(PathAttributes a, PathAttributes b) =>
        (a.LocalPref ?? BgpConstants.DefaultLocalPref) == (b.LocalPref ?? BgpConstants.DefaultLocalPref) && a.AsPath.Equals(b.AsPath) && a.Origin == b.Origin
        && (a.Med ?? 0) == (b.Med ?? 0);

    private static RouterChoiceResult Lost(RibPath preferred, RibPath chosen)
    {
        BestPathStep step = BestPathExplanation.Explain([preferred, chosen])[1];
        return step switch
        {
            BestPathStep.LocalPref or BestPathStep.AsPathLength or BestPathStep.Origin => new(RouterChoice.Differs, RouterChoiceCause.Weight, step),
            BestPathStep.Med => new(RouterChoice.Differs, RouterChoiceCause.Med),
            _ => new(RouterChoice.Differs, RouterChoiceCause.IgpMetric),
        };
    }
}
