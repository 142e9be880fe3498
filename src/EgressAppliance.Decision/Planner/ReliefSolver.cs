namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Chooses the moves. Several greedy passes, which differ in the order of links and in how a target is picked, give a start;
/// <see cref="ReliefImprover"/> exchanges moves for better ones; <see cref="ReliefSearch"/> then looks through the most promising items
/// exhaustively within a fixed number of steps. All of it counts steps, never time, so that the same problem always has the same answer.
/// </summary>
internal static class ReliefSolver
{
    private enum Pick
    {
        Preferred,
        Tightest,
        Roomiest,
    }

    public static ReliefState Solve(ReliefProblem problem)
    {
        ReliefState best = Greedy(problem);
        best = ReliefImprover.Improve(problem, best);
        best = ReliefSearch.Improve(problem, best);
        best = ReliefImprover.Reclass(problem, best);
        return ReliefImprover.Prefer(problem, best);
    }

    /// <summary>The best of the greedy passes.</summary>
    public static ReliefState Greedy(ReliefProblem problem)
    {
        int[] sources = [.. Enumerable.Range(0, problem.Need.Length).Where(s => problem.Need[s] > 0).OrderByDescending(s => problem.Need[s])];
        bool overrides = problem.Items.Any(i => i.Override);
        ReliefState? best = null;
        ReliefState state = new(problem);
        foreach (Pick pick in Enum.GetValues<Pick>())
        {
            for (int variant = 0; variant < 4; variant++)
            {
                bool backward = (variant & 1) != 0;
                bool overridesFirst = (variant & 2) != 0;
                if ((backward && sources.Length < 2) || (overridesFirst && !overrides))
                {
                    continue;
                }

                state.Clear();
                Pass(problem, state, backward ? sources.Reverse() : sources, pick, overridesFirst);
                if (best is null || state.Score.CompareTo(best.Score) < 0)
                {
                    (best, state) = (state, best ?? new(problem));
                }
            }
        }

        return best!;
    }

    private static void Pass(ReliefProblem problem, ReliefState state, IEnumerable<int> sources, Pick pick, bool overridesFirst)
    {
        foreach (int source in sources)
        {
            if (overridesFirst)
            {
                Relieve(problem, state, [.. problem.BySource[source].Where(i => problem.Items[i].Override)], source, pick);
            }

            Relieve(problem, state, problem.BySource[source], source, pick);
        }

        ReliefImprover.DropSuperfluous(problem, state);
    }

    /// <summary>
    /// Takes the smallest item that suffices alone; if none does, the largest, and so on. Room and caps only shrink meanwhile, so an
    /// item that does not fit once never will: every item is looked at a bounded number of times.
    /// </summary>
    private static void Relieve(ReliefProblem problem, ReliefState state, int[] items, int source, Pick pick)
    {
        // items[..enough] suffice alone and have not been tried yet; items[next..] are smaller.
        Stack<int> suffice = new();
        int next = 0;
        while (state.Left(source) > 0)
        {
            long need = state.Left(source);
            while (next < items.Length && problem.Items[items[next]].Rate >= need)
            {
                suffice.Push(items[next++]);
            }

            bool done = false;
            while (!done && suffice.TryPop(out int finisher))
            {
                done = TryTake(problem, state, finisher, pick);
            }

            if (done)
            {
                return;
            }

            while (!done && next < items.Length)
            {
                done = TryTake(problem, state, items[next++], pick);
            }

            if (!done)
            {
                return;
            }
        }
    }

    private static bool TryTake(ReliefProblem problem, ReliefState state, int index, Pick pick)
    {
        if (state.Choice(index) >= 0)
        {
            return false;
        }

        ReliefItem item = problem.Items[index];
        int best = -1;
        for (int o = 0; o < item.OptionCount; o++)
        {
            if (!state.Fits(item, problem.Option(item, o)))
            {
                continue;
            }

            if (pick == Pick.Preferred)
            {
                best = o;
                break;
            }

            long room = state.Room(problem.Option(item, o).Link);
            long bestRoom = best < 0 ? 0 : state.Room(problem.Option(item, best).Link);
            if (best < 0 || (pick == Pick.Tightest ? room < bestRoom : room > bestRoom))
            {
                best = o;
            }
        }

        if (best >= 0)
        {
            state.Take(index, best);
        }

        return best >= 0;
    }
}
