using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Cost;

/// <summary>
/// Proposes moves that lower the bill of links that are billed by percentile. A pure function: the same inputs give the same proposal, in whatever order they are listed.
/// </summary>
/// <remarks>
/// <code>
///  1  Check     nothing while a link is over its threshold, or without the months of all priced links (CostState).
///  2  Forecast  how the demand of all links together will be distributed until the end of the month (DemandForecast).
///  3  Levels    the cheapest rate that each link needs to be billed for so that the present mix of prefixes, scaled by the forecast, can be carried with the
///               free samples that are left (LevelProblem, LevelSearch). Never less than commit or what is billed already: that is paid for.
///  4  Burst     if the present demand does not fit under the levels: one link is filled to its ceiling, the one whose burst is cheapest (BurstChoice).
///  5  Move      what exceeds these limits, with the fewest moves: the relief of overload, with limits instead of thresholds (CostMoves).
///  6  Give back overrides without which the native link stays under its level until this time tomorrow, when there is nothing to move.
/// </code>
/// Before the month ends, a link that has a free sample for all that is left of it is free to its ceiling.
/// </remarks>
public static class CostPlanner
{
    /// <summary>Proposes what to move.</summary>
    /// <param name="snapshot">The inputs of the decision; prices and commits are those of its links.</param>
    /// <param name="months">The month of each priced link, with what it carried until now.</param>
    /// <param name="options">Limits.</param>
    /// <param name="memory">That of the last proposal, whose levels are gone on from (LevelMemory); null at the start.</param>
    public static CostPlan Propose(DecisionSnapshot snapshot, IReadOnlyList<BillingMonth> months, CostOptions options, CostMemory? memory = null)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(months);
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Enabled)
        {
            return new() { Verdict = CostVerdict.Off };
        }

        if (SnapshotCheck.Problems(snapshot).Count > 0)
        {
            return new() { Verdict = CostVerdict.InvalidSnapshot, Memory = memory };
        }

        CostVerdict? problem = CostState.TryRead(snapshot, months, options, out CostState? read);
        if (problem is { } verdict)
        {
            return new() { Verdict = verdict, Memory = memory };
        }

        CostState state = read!;
        if (state.Mix.TotalBps == 0)
        {
            return state.Report(CostVerdict.NothingToSave, state.Floors, 0, []) with { Memory = memory };
        }

        List<DemandBin> bins = state.Forecast.Bins(state.Mix.TotalBps, state.Remaining - 1);
        LevelProblem levels = new(state.LevelLinks, state.Mix, [.. bins.Select(b => b with { Scale = b.Scale * (1 + options.ForecastMargin) })]);
        (long[] level, DateTimeOffset searched) = LevelMemory.GoOn(state, levels, memory, options);
        int bursting = BurstChoice.Choose(levels, level, state);
        double left = CostMemory.MovesAt(memory, snapshot.Time, options);
        CostPlan plan = CostMoves.Propose(state, level, bursting, options with { MaxMoves = Math.Min(options.MaxMoves, (int)left) });
        string[] links = [.. state.LevelLinks.Select(l => l.Name)];
        return plan with { Memory = new(snapshot.Time, searched, links, level, left - plan.Moves.Count) };
    }
}
