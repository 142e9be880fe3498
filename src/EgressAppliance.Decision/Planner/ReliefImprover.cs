namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Improves a set of moves by exchanges: drops what is not needed, adds what still fits, swaps one for one and two for one, and shifts
/// a prefix to another target to make room. Bounded in rounds and in the number of items looked at.
/// </summary>
internal sealed class ReliefImprover
{
    private const int MaxRounds = 32;
    private const int MaxTaken = 48;
    private const int MaxFree = 160;
    private const int MaxTries = 60_000;
    private readonly ReliefProblem _problem;
    private readonly ReliefState _state;
    private int _tries;

    private ReliefImprover(ReliefProblem problem, ReliefState state)
    {
        _problem = problem;
        _state = state;
    }

    public static ReliefState Improve(ReliefProblem problem, ReliefState state)
    {
        ReliefImprover improver = new(problem, state);
        for (int round = 0; round < MaxRounds && improver._tries < MaxTries; round++)
        {
            DropSuperfluous(problem, state);
            if (!improver.Exchange())
            {
                break;
            }
        }

        return state;
    }

    /// <summary>Undoes moves without which the links are still relieved: natives before overrides, smallest first.</summary>
    public static void DropSuperfluous(ReliefProblem problem, ReliefState state)
    {
        List<int> taken = state.Taken();
        for (int pass = 0; pass < 2; pass++)
        {
            for (int t = taken.Count - 1; t >= 0; t--)
            {
                ReliefItem item = problem.Items[taken[t]];
                if (item.Override == (pass == 1) && state.Surplus(item.Source) >= item.Rate)
                {
                    state.Undo(taken[t]);
                }
            }
        }
    }

    /// <summary>Shifts moved prefixes to better options where these still have room; the set of moved prefixes stays.</summary>
    public static ReliefState Prefer(ReliefProblem problem, ReliefState state)
    {
        foreach (int i in state.Taken())
        {
            ReliefItem item = problem.Items[i];
            int option = state.Choice(i);
            state.Undo(i);

            // At the latest the one it had.
            int best = 0;
            while (best < option && !state.Fits(item, problem.Option(item, best)))
            {
                best++;
            }

            state.Take(i, best);
        }

        return state;
    }

    /// <summary>Exchanges what is moved, the highest class first, for what relieves as much and is of a lower class: the lowest there is, and of that the smallest.</summary>
    public static ReliefState Reclass(ReliefProblem problem, ReliefState state)
    {
        int tries = 0;
        foreach (int taken in state.Taken().OrderByDescending(i => problem.Items[i].Class).ToArray())
        {
            ReliefItem item = problem.Items[taken];
            if (item.Class == problem.LeastClass || tries >= MaxTries)
            {
                break;
            }

            int choice = state.Choice(taken);
            ReliefScore before = state.Score;
            state.Undo(taken);
            (int Item, int Option) best = (taken, choice);
            long enough = Math.Min(state.Left(item.Source), item.Rate);
            foreach (int other in problem.BySource[item.Source])
            {
                ReliefItem candidate = problem.Items[other];
                if (candidate.Rate < enough)
                {
                    break;
                }

                if (state.Choice(other) < 0 && candidate.Class < item.Class && candidate.Class <= problem.Items[best.Item].Class && tries++ < MaxTries)
                {
                    int option = FirstFit(problem, state, candidate);
                    best = option >= 0 ? (other, option) : best;
                }
            }

            state.Take(best.Item, best.Option);
            if (state.Score.CompareTo(before) > 0)
            {
                state.Undo(best.Item);
                state.Take(taken, choice);
            }
        }

        return state;
    }

    private static int FirstFit(ReliefProblem problem, ReliefState state, in ReliefItem item)
    {
        for (int o = 0; o < item.OptionCount; o++)
        {
            if (state.Fits(item, problem.Option(item, o)))
            {
                return o;
            }
        }

        return -1;
    }

    private bool Exchange()
    {
        List<int> taken = _state.Taken();
        if (taken.Count > MaxTaken)
        {
            return false;
        }

        List<int> free = [];
        for (int i = 0; i < _problem.Items.Count && free.Count < MaxFree; i++)
        {
            if (_state.Choice(i) < 0)
            {
                free.Add(i);
            }
        }

        return Insert(free) || SwapOne(taken, free) || SwapTwo(taken, free)
            || ShiftAndInsert(taken, free);
    }

    private bool Insert(List<int> free)
    {
        foreach (int i in free)
        {
            if (_state.Left(_problem.Items[i].Source) > 0 && TakeAny(i))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>One out, one in, or one out and two in while overload remains.</summary>
    private bool SwapOne(List<int> taken, List<int> free)
    {
        ReliefScore before = _state.Score;
        foreach (int outside in taken)
        {
            int choice = _state.Choice(outside);
            _state.Undo(outside);
            for (int a = 0; a < free.Count; a++)
            {
                if (!TakeAny(free[a]))
                {
                    continue;
                }

                if (_state.Score.CompareTo(before) < 0)
                {
                    return true;
                }

                for (int b = a + 1; before.Residual > 0 && b < free.Count; b++)
                {
                    if (_state.Left(_problem.Items[free[b]].Source) > 0 && TakeAny(free[b]))
                    {
                        if (_state.Score.CompareTo(before) < 0)
                        {
                            return true;
                        }

                        _state.Undo(free[b]);
                    }
                }

                _state.Undo(free[a]);
            }

            _state.Take(outside, choice);
        }

        return false;
    }

    /// <summary>Two out, one in.</summary>
    private bool SwapTwo(List<int> taken, List<int> free)
    {
        ReliefScore before = _state.Score;
        for (int x = 0; x < taken.Count; x++)
        {
            int choiceX = _state.Choice(taken[x]);
            _state.Undo(taken[x]);
            for (int y = x + 1; y < taken.Count; y++)
            {
                int choiceY = _state.Choice(taken[y]);
                _state.Undo(taken[y]);
                foreach (int inside in free)
                {
                    if (TakeAny(inside))
                    {
                        if (_state.Score.CompareTo(before) < 0)
                        {
                            return true;
                        }

                        _state.Undo(inside);
                    }
                }

                _state.Take(taken[y], choiceY);
            }

            _state.Take(taken[x], choiceX);
        }

        return false;
    }

    /// <summary>Moves a taken prefix to another of its targets if that lets one more in.</summary>
    private bool ShiftAndInsert(List<int> taken, List<int> free)
    {
        if (_state.Score.Residual == 0)
        {
            return false;
        }

        ReliefScore before = _state.Score;
        foreach (int shifted in taken)
        {
            ReliefItem item = _problem.Items[shifted];
            int choice = _state.Choice(shifted);
            for (int o = 0; o < item.OptionCount; o++)
            {
                _state.Undo(shifted);
                if (o != choice && _state.Fits(item, _problem.Option(item, o)))
                {
                    _state.Take(shifted, o);
                    if (Insert(free) && _state.Score.CompareTo(before) < 0)
                    {
                        return true;
                    }

                    _state.Undo(shifted);
                }

                _state.Take(shifted, choice);
            }
        }

        return false;
    }

    private bool TakeAny(int index)
    {
        if (_tries++ >= MaxTries)
        {
            return false;
        }

        int option = FirstFit(_problem, _state, _problem.Items[index]);
        if (option >= 0)
        {
            _state.Take(index, option);
        }

        return option >= 0;
    }
}
