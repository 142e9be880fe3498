namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Depth-first branch and bound over the largest items, within a fixed number of steps: exact for small problems (it then proves the
/// optimum), an improvement at best for large ones. Branches are cut where even prefixes split at will could not beat the best set known.
/// </summary>
internal sealed class ReliefSearch
{
    private const int MaxItems = 48;
    private const int MaxSteps = 60_000;

    private readonly ReliefProblem _problem;
    private readonly int[] _items;
    private readonly long[,] _suffix;
    private readonly long[] _total;
    private readonly int[] _sources;
    private readonly ReliefState _state;
    private int[]? _best;
    private ReliefScore _bestScore;
    private int _steps;

    private ReliefSearch(ReliefProblem problem, ReliefState start)
    {
        _problem = problem;
        _bestScore = start.Score;
        _state = new(problem);
        _items = Candidates(problem, start);
        _sources = [.. Enumerable.Range(0, problem.Need.Length).Where(s => problem.Need[s] > 0)];
        _suffix = new long[_items.Length + 1, problem.Need.Length];
        _total = new long[_items.Length + 1];
        for (int i = _items.Length - 1; i >= 0; i--)
        {
            foreach (int s in _sources)
            {
                _suffix[i, s] = _suffix[i + 1, s];
            }

            _suffix[i, problem.Items[_items[i]].Source] += problem.Items[_items[i]].Rate;
        }

        // Prefix sums: the k largest of items[i..] sum to total[i + k] − total[i], as the items are sorted by rate.
        for (int i = 0; i < _items.Length; i++)
        {
            _total[i + 1] = _total[i] + problem.Items[_items[i]].Rate;
        }
    }

    public static ReliefState Improve(ReliefProblem problem, ReliefState start)
    {
        ReliefSearch search = new(problem, start);
        search.Visit(0);
        return search._best is null ? start : search.Rebuild(search._best);
    }

    /// <summary>The largest items and those of the start, in the problem's order.</summary>
    private static int[] Candidates(ReliefProblem problem, ReliefState start)
    {
        SortedSet<int> chosen = [.. Enumerable.Range(0, Math.Min(MaxItems, problem.Items.Count))];
        for (int i = 0; i < problem.Items.Count && chosen.Count < 2 * MaxItems; i++)
        {
            if (start.Choice(i) >= 0)
            {
                chosen.Add(i);
            }
        }

        return [.. chosen];
    }

    private ReliefState Rebuild(int[] choices)
    {
        ReliefState state = new(_problem);
        for (int i = 0; i < _items.Length; i++)
        {
            if (choices[i] >= 0)
            {
                state.Take(_items[i], choices[i]);
            }
        }

        return state;
    }

    private void Visit(int depth)
    {
        if (_steps++ >= MaxSteps)
        {
            return;
        }

        if (_state.Score.CompareTo(_bestScore) < 0)
        {
            _best = [.. _items.Select(_state.Choice)];
            _bestScore = _state.Score;
        }

        if (depth == _items.Length || !CanBeat(depth))
        {
            return;
        }

        ReliefItem item = _problem.Items[_items[depth]];
        if (_state.Left(item.Source) > 0)
        {
            for (int o = 0; o < item.OptionCount; o++)
            {
                if (_state.Fits(item, _problem.Option(item, o)))
                {
                    _state.Take(_items[depth], o);
                    Visit(depth + 1);
                    _state.Undo(_items[depth]);
                }
            }
        }

        Visit(depth + 1);
    }

    private bool CanBeat(int depth)
    {
        ReliefScore now = _state.Score;
        long room = 0;
        for (int l = 0; l < _problem.Room.Length; l++)
        {
            room += _state.Room(l);
        }

        long reachable = 0;
        foreach (int s in _sources)
        {
            reachable += Math.Min(_state.Left(s), _suffix[depth, s]);
        }

        long least = now.Residual - Math.Min(reachable, room);
        if (least != _bestScore.Residual)
        {
            return least < _bestScore.Residual;
        }

        // Equal at best: then it must take fewer changes, or as many of less traffic.
        long missing = now.Residual - _bestScore.Residual;
        int more = 0;
        while (missing > 0 && depth + more < _items.Length && _total[depth + more] - _total[depth] < missing)
        {
            more++;
        }

        long classes = now.Classes + (more * ReliefScore.WeightOf(_problem.LeastClass));
        ReliefScore bound = new(_bestScore.Residual, now.Changes + more, classes, now.Ranks, now.NativeMoves, now.MovedBps + Math.Max(0, missing));
        return bound.CompareTo(_bestScore) < 0;
    }
}
