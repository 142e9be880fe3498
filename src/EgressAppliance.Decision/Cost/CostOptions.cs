using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Cost;

/// <summary>What limits cost mode.</summary>
public sealed record CostOptions
{
    /// <summary>Off unless set: <see cref="CostPlanner.Propose"/> then proposes nothing.</summary>
    public bool Enabled { get; init; }

    /// <summary>Least saving per month that a move must bring, in the currency of the prices.</summary>
    public decimal MinSavingPerMonth { get; init; } = 10;

    /// <summary>Least age of an override before it is moved on or given back.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Most moves in one proposal, and most overrides given back in one.</summary>
    public int MaxMoves { get; init; } = 8;

    /// <summary>Most moves and overrides given back within a day, whenever it begins.</summary>
    public int MaxMovesPerDay { get; init; } = 120;

    /// <summary>Most overrides in force after a proposal, those against overload included. Less than the relief of overload may have, or there is nothing left for it.</summary>
    public int MaxOverrides { get; init; } = 500;

    /// <summary>Most of all traffic that the moves of a proposal may carry, 0–1.</summary>
    public double MaxShareAtOnce { get; init; } = 0.10;

    /// <summary>Most of all traffic that overrides may carry after a proposal, those against overload included, 0–1. The same holds as for <see cref="MaxOverrides"/>.</summary>
    public double MaxShare { get; init; } = 0.20;

    /// <summary>A prefix with less than this share of the capacity of the link it is on is never moved, 0–1.</summary>
    public double MinPrefixShare { get; init; } = 0.001;

    /// <summary>
    /// How far ahead a rise of demand is looked for when moves are sized, so that a rising evening brings few large moves and not one small move after another. Zero sizes them for the present.
    /// </summary>
    public TimeSpan LookAhead { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What is added to the forecast, as a ratio of it: a level set too low uses free samples up that are missed at the month's peaks.</summary>
    public double ForecastMargin { get; init; }

    /// <summary>How often levels are searched for anew while demand fits under them.</summary>
    public TimeSpan LevelInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Time within which levels follow what the search for them finds; zero takes each finding as it is.</summary>
    public TimeSpan LevelSmoothing { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The limits that the relief of overload has as well.</summary>
    internal PlannerOptions ForRelief() => new()
    {
        Hold = Hold,
        MaxMovesPerCycle = MaxMoves,
        MaxOverrides = MaxOverrides,
        MaxSharePerCycle = MaxShareAtOnce,
        MaxShare = MaxShare,
        MinPrefixShare = 0,
    };
}
