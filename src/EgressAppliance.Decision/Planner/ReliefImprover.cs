namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Improves a set of moves by exchanges: drops what is not needed, adds what still fits, swaps one for one and two for one, and shifts
/// a prefix to another target to make room. Bounded in rounds and in the number of items looked at.
/// </summary>
internal static class ReliefImprover
{
    private const int MaxRounds = 32;
    private const int MaxTaken = 48;
    private const int MaxFree = 160;

    public static ReliefState Improve(ReliefProblem problem, ReliefState state)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            DropSuperfluous(problem, state);
            if (!Exchange(problem, state))
            {
                break;
            }
        }

        return state;
    }

    /// <summary>Undoes moves without which the links are still relieved: natives before overrides, smallest first.</summary>
    public static void DropSuperfluous(ReliefProblem problem, ReliefState state)
    {
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = problem.Items.Length - 1; i >= 0; i--)
            {
                ReliefItem item = problem.Items[i];
                if (state.Choice(i) >= 0 && item.Override == (pass == 1) && state.Surplus(item.Source) >= item.Rate)
                {
                    state.Undo(i);
                }
            }
        }
    }

    /// <summary>Shifts moved prefixes to better options where these still have room; the set of moved prefixes stays.</summary>
    public static ReliefState Prefer(ReliefProblem problem, ReliefState state)
    {
        for (int i = 0; i < problem.Items.Length; i++)
        {
            int taken = state.Choice(i);
            if (taken <= 0)
            {
                continue;
            }

            state.Undo(i);
            int best = Array.FindIndex(problem.Items[i].Options, o => state.Fits(problem.Items[i], o));
            state.Take(i, best >= 0 ? best : taken);
        }

        return state;
    }

    private static bool Exchange(ReliefProblem problem, ReliefState state)
    {
        List<int> taken = [];
        List<int> free = [];
        for (int i = 0; i < problem.Items.Length; i++)
        {
            if (state.Choice(i) >= 0)
            {
                taken.Add(i);
            }
            else if (free.Count < MaxFree)
            {
                free.Add(i);
            }
        }

        if (taken.Count > MaxTaken)
        {
            return false;
        }

        return Insert(problem, state, free) || SwapOne(problem, state, taken, free) || SwapTwo(problem, state, taken, free)
            || ShiftAndInsert(problem, state, taken, free);
    }

    private static bool Insert(ReliefProblem problem, ReliefState state, List<int> free)
    {
        foreach (int i in free)
        {
            if (state.Left(problem.Items[i].Source) > 0 && TakeAny(problem, state, i))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>One out, one in, or one out and two in while overload remains.</summary>
    private static bool SwapOne(ReliefProblem problem, ReliefState state, List<int> taken, List<int> free)
    {
        ReliefScore before = state.Score;
        foreach (int outside in taken)
        {
            int choice = state.Choice(outside);
            state.Undo(outside);
            for (int a = 0; a < free.Count; a++)
            {
                if (!TakeAny(problem, state, free[a]))
                {
                    continue;
                }

                if (state.Score.CompareTo(before) < 0)
                {
                    return true;
                }

                for (int b = a + 1; before.Residual > 0 && b < free.Count; b++)
                {
                    if (state.Left(problem.Items[free[b]].Source) > 0 && TakeAny(problem, state, free[b]))
                    {
                        if (state.Score.CompareTo(before) < 0)
                        {
                            return true;
                        }

                        state.Undo(free[b]);
                    }
                }

                state.Undo(free[a]);
            }

            state.Take(outside, choice);
        }

        return false;
    }

    /// <summary>Two out, one in.</summary>
    private static bool SwapTwo(ReliefProblem problem, ReliefState state, List<int> taken, List<int> free)
    {
        ReliefScore before = state.Score;
        for (int x = 0; x < taken.Count; x++)
        {
            int choiceX = state.Choice(taken[x]);
            state.Undo(taken[x]);
            for (int y = x + 1; y < taken.Count; y++)
            {
                int choiceY = state.Choice(taken[y]);
                state.Undo(taken[y]);
                foreach (int inside in free)
                {
                    if (TakeAny(problem, state, inside))
                    {
                        if (state.Score.CompareTo(before) < 0)
                        {
                            return true;
                        }

                        state.Undo(inside);
                    }
                }

                state.Take(taken[y], choiceY);
            }

            state.Take(taken[x], choiceX);
        }

        return false;
    }

    /// <summary>Moves a taken prefix to another of its targets if that lets one more in.</summary>
    private static bool ShiftAndInsert(ReliefProblem problem, ReliefState state, List<int> taken, List<int> free)
    {
        if (state.Score.Residual == 0)
        {
            return false;
        }

        ReliefScore before = state.Score;
        foreach (int shifted in taken)
        {
            ReliefItem item = problem.Items[shifted];
            int choice = state.Choice(shifted);
            for (int o = 0; o < item.Options.Length; o++)
            {
                state.Undo(shifted);
                if (o != choice && state.Fits(item, item.Options[o]))
                {
                    state.Take(shifted, o);
                    if (Insert(problem, state, free) && state.Score.CompareTo(before) < 0)
                    {
                        return true;
                    }

                    state.Undo(shifted);
                }

                state.Take(shifted, choice);
            }
        }

        return false;
    }

    private static bool TakeAny(ReliefProblem problem, ReliefState state, int index)
    {
        ReliefItem item = problem.Items[index];
        for (int o = 0; o < item.Options.Length; o++)
        {
            if (state.Fits(item, item.Options[o]))
            {
                state.Take(index, o);
                return true;
            }
        }

        return false;
    }
}
