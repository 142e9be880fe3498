namespace EgressAppliance.Decision.Cost;

/// <summary>
/// Goes on from the levels of the last proposal. What is found from the mix of one moment differs from the next one's, and every excursion of a level upwards that
/// traffic follows is billed to the end of the month; to raise a level later than possible loses nothing, because what fits under the lower one uses up no free sample.
/// So levels are searched for now and then only, and follow what is found slowly; at once only when the present demand neither fits nor may burst.
/// </summary>
internal static class LevelMemory
{
    /// <summary>The levels to aim at, and when they were searched for.</summary>
    public static (long[] Level, DateTimeOffset Searched) GoOn(CostState state, LevelProblem problem, CostMemory? memory, CostOptions options)
    {
        DateTimeOffset now = state.Snapshot.Time;
        long[]? last = Last(state, memory);
        if (last is null)
        {
            return (LevelSearch.Solve(problem), now);
        }

        TimeSpan passed = now - memory!.LevelsFrom;
        long[]? found = null;
        if (passed >= options.LevelInterval || passed < TimeSpan.Zero)
        {
            found = LevelSearch.Solve(problem);
            double part = options.LevelSmoothing > TimeSpan.Zero ? Math.Clamp(passed / (passed + options.LevelSmoothing), 0, 1) : 1;
            last = Within(state, [.. last.Select((level, i) => level + (long)((found[i] - level) * part))]);
        }

        if (!problem.FitsNow(last, 0) && !BurstChoice.CanBurst(problem, last))
        {
            found ??= LevelSearch.Solve(problem);
            last = found;
        }

        return (last, found is null ? memory.LevelsFrom : now);
    }

    /// <summary>The last levels, if they are of the same links.</summary>
    private static long[]? Last(CostState state, CostMemory? memory)
    {
        bool same = memory is not null && memory.LevelsBps.Count == memory.Links.Count && memory.Links.SequenceEqual(state.LevelLinks.Select(l => l.Name), StringComparer.Ordinal);
        return same ? Within(state, [.. memory!.LevelsBps]) : null;
    }

    private static long[] Within(CostState state, long[] level) => [.. level.Select((l, i) => Math.Clamp(l, state.LevelLinks[i].FloorBps, state.LevelLinks[i].CeilingBps))];
}
