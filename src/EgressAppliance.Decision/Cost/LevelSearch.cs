namespace EgressAppliance.Decision.Cost;

/// <summary>
/// Looks for the cheapest levels under which everything can be carried. To be feasible is monotonic in every level, so one level is found by
/// bisection when the others are given. Starts from all links at their ceilings, and from all at the same part of them; lowers one after another in several orders;
/// then exchanges: raises one link by a step and lowers the others by what that allows. Counts steps, never time.
/// </summary>
internal static class LevelSearch
{
    // 2^-12 of a link's range is less than what a forecast is good for.
    private const int Bisections = 12;
    private const int MaxRounds = 6;

    /// <summary>The levels, bit/s.</summary>
    public static long[] Solve(LevelProblem problem)
    {
        int n = problem.Links.Length;
        long[] high = [.. problem.Links.Select(l => l.CeilingBps)];
        long[] low = [.. problem.Links.Select(l => l.FloorBps)];
        if (problem.IsFeasible(low))
        {
            return low;
        }

        long[] even = Even(problem, low, high);
        long[] best = high;
        foreach (int[] order in Orders(problem))
        {
            foreach (long[] start in new[] { high, even })
            {
                best = Cheaper(problem, best, Lower(problem, start, order, low));
            }
        }

        int[] dearest = [.. Enumerable.Range(0, n).OrderByDescending(i => problem.Links[i].Price).ThenBy(i => i)];
        for (int round = 0; round < MaxRounds; round++)
        {
            long[] before = best;
            foreach (int raised in dearest.Reverse())
            {
                for (int part = 2; part <= 64; part *= 4)
                {
                    long[] start = [.. best];
                    start[raised] = Math.Min(high[raised], start[raised] + ((high[raised] - low[raised]) / part));
                    if (start[raised] > best[raised])
                    {
                        best = Cheaper(problem, best, Lower(problem, start, [.. dearest.Where(i => i != raised), raised], low));
                    }
                }
            }

            if (ReferenceEquals(before, best))
            {
                break;
            }
        }

        return best;
    }

    private static long[] Cheaper(LevelProblem problem, long[] a, long[] b) => problem.Cost(b) < problem.Cost(a) ? b : a;

    /// <summary>All links at the same part of the way from floor to ceiling, as little as is feasible.</summary>
    private static long[] Even(LevelProblem problem, long[] low, long[] high)
    {
        const int Parts = 1 << Bisections;
        int from = 0;
        int to = Parts;
        long[] At(int part) => [.. low.Select((l, i) => l + (long)((Int128)(high[i] - l) * part / Parts))];
        while (to - from > 1)
        {
            int middle = (from + to) / 2;
            if (problem.IsFeasible(At(middle)))
            {
                to = middle;
            }
            else
            {
                from = middle;
            }
        }

        return At(to);
    }

    /// <summary>Lowers one link after another as far as is feasible with the others as they are.</summary>
    private static long[] Lower(LevelProblem problem, long[] start, int[] order, long[] low)
    {
        long[] levels = [.. start];
        foreach (int link in order)
        {
            long from = low[link];
            long to = levels[link];
            levels[link] = from;
            if (from == to || problem.IsFeasible(levels))
            {
                continue;
            }

            long least = Math.Max(1, (to - from) >> Bisections);
            while (to - from > least)
            {
                long middle = from + ((to - from) / 2);
                levels[link] = middle;
                if (problem.IsFeasible(levels))
                {
                    to = middle;
                }
                else
                {
                    from = middle;
                }
            }

            levels[link] = to;
        }

        return levels;
    }

    /// <summary>All orders of up to three links; of more, from the dearest to the cheapest and that list turned, with the reverse of each.</summary>
    private static IEnumerable<int[]> Orders(LevelProblem problem)
    {
        int[] dearest = [.. Enumerable.Range(0, problem.Links.Length).OrderByDescending(i => problem.Links[i].Price).ThenBy(i => i)];
        for (int turn = 0; turn < dearest.Length; turn++)
        {
            int[] turned = [.. dearest[turn..], .. dearest[..turn]];
            yield return turned;
            yield return [.. turned.Reverse()];
        }
    }
}
