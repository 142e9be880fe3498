namespace EgressAppliance.Decision.Planner;

/// <summary>What limits a plan beside the links' own ratios. Defaults are those of the configuration file.</summary>
public sealed record PlannerOptions
{
    /// <summary>Least age of an override before it is given back or moved on for convenience.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Most moves in one plan, and most overrides given back in one plan because they are no longer needed.</summary>
    public int MaxMovesPerCycle { get; init; } = 8;

    /// <summary>Most overrides in force after a plan.</summary>
    public int MaxOverrides { get; init; } = 1000;

    /// <summary>Most of all traffic that the moves of one plan may carry, 0–1.</summary>
    public double MaxSharePerCycle { get; init; } = 0.10;

    /// <summary>Most of all traffic that overrides may carry after a plan, 0–1.</summary>
    public double MaxShare { get; init; } = 0.40;

    /// <summary>A prefix with less than this share of the capacity of the link it is on is not worth a move, 0–1.</summary>
    public double MinPrefixShare { get; init; } = 0.001;

    /// <summary>Relief of an overloaded link aims at this much of its capacity under the threshold, 0–1, as long as that leaves no more overload.</summary>
    public double ReliefMargin { get; init; }

    /// <summary>Lifts all five limits above (not <see cref="Hold"/>, not the ceiling): for studies, never for a router.</summary>
    public bool NoCaps { get; init; }
}
