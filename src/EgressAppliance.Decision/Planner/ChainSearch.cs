namespace EgressAppliance.Decision.Planner;

// When a link stays overloaded although every direct move was made, there may still be room behind the next corner: B is full, but some of what is on B
// could go on to C, and then something of A fits on B. Two searches, both only then, both bounded by steps and not by time:
//
//   Chains    for each prefix on an overloaded link and each link it could go to: make room there by sending on the smallest prefix that suffices, or the
//             largest and so on; take the first chain that leaves less overload, and begin again.
//   Search    where there are few prefixes in all: depth first over all their links, largest prefix first. What is placed only adds up, so a branch ends as soon as
//             its loads alone are as bad as the best plan known, or when what is not placed yet has no room left under the limits.

/// <summary>Moves prefixes of links that are not overloaded, too, so that those of overloaded ones find room.</summary>
internal sealed class ChainSearch
{
    private const int MaxSearched = 24;
    private const int MaxSteps = 400_000;
    private const int MaxTries = 20_000;
    private const int MaxSentOn = 4;
    private readonly ChainProblem _problem;
    private readonly ChainState _state;
    private readonly long[] _unplaced;
    private int[]? _best;
    private ReliefScore _bestScore;
    private int _steps;
    private int _tries;

    private ChainSearch(ChainProblem problem, ChainState state)
    {
        _problem = problem;
        _state = state;
        _bestScore = state.Score;
        _unplaced = new long[problem.Items.Length + 1];
        for (int i = problem.Items.Length - 1; i >= 0; i--)
        {
            _unplaced[i] = _unplaced[i + 1] + problem.Items[i].Rate;
        }
    }

    /// <summary>The place of each item in the best plan found, or null if it is the one there was.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="places">Where the items are; sound and within caps.</param>
    public static int[]? Improve(ChainProblem problem, int[] places)
    {
        ChainState state = new(problem);
        for (int i = 0; i < places.Length; i++)
        {
            state.Put(i, places[i]);
        }

        ChainSearch search = new(problem, state);
        while (search.TryChain())
        {
            search.Keep();
        }

        if (problem.Items.Length <= MaxSearched)
        {
            search.SearchAll();
        }

        return search._best;
    }

    private void Keep()
    {
        _best = (int[])_state.Place.Clone();
        _bestScore = _state.Score;
    }

    private bool TryChain()
    {
        for (int i = 0; i < _problem.Items.Length; i++)
        {
            int from = _state.Place[i];
            if (_state.Excess(from) == 0)
            {
                continue;
            }

            foreach (int to in _problem.Items[i].Options)
            {
                if (to != from && TryChain(i, to))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Sends an item to a link and makes room for it there; undone unless that is better.</summary>
    private bool TryChain(int index, int to)
    {
        List<(int Item, int Place)> before = [(index, _state.Place[index])];
        _state.Put(index, to);
        while (!_state.IsSound(to) && before.Count <= MaxSentOn && _tries < MaxTries)
        {
            int sent = SendOn(to, index, -_state.RoomToEnter(to), before);
            if (sent < 0)
            {
                break;
            }
        }

        if (_state.Score.CompareTo(_bestScore) < 0 && _state.IsSound(to) && _state.WithinCaps)
        {
            return true;
        }

        for (int i = before.Count - 1; i >= 0; i--)
        {
            _state.Put(before[i].Item, before[i].Place);
        }

        return false;
    }

    /// <summary>Sends on from a link the smallest item that is large enough, or else the largest, to a link with room. Returns it, or −1.</summary>
    private int SendOn(int link, int keep, long needed, List<(int Item, int Place)> before)
    {
        int found = -1;
        int target = -1;
        for (int i = 0; i < _problem.Items.Length; i++)
        {
            if (_state.Place[i] != link || i == keep || (found >= 0 && _problem.Items[i].Rate < needed))
            {
                continue;
            }

            _tries++;
            foreach (int option in _problem.Items[i].Options)
            {
                if (option != link && _state.RoomToEnter(option) >= _problem.Items[i].Rate && before.TrueForAll(moved => moved.Place != option))
                {
                    (found, target) = (i, option);
                    break;
                }
            }
        }

        if (found >= 0)
        {
            before.Add((found, link));
            _state.Put(found, target);
        }

        return found;
    }

    private void SearchAll()
    {
        for (int i = 0; i < _problem.Items.Length; i++)
        {
            _state.Put(i, -1);
        }

        Visit(0);
    }

    private void Visit(int depth)
    {
        if (_steps++ >= MaxSteps || !CanBeat(depth))
        {
            return;
        }

        if (depth == _problem.Items.Length)
        {
            Keep();
            return;
        }

        foreach (int link in _problem.Items[depth].Options)
        {
            _state.Put(depth, link);
            if (_state.IsSound(link) && _state.WithinCaps)
            {
                Visit(depth + 1);
            }
        }

        _state.Put(depth, -1);
    }

    private bool CanBeat(int depth)
    {
        long room = 0;
        for (int l = 0; l < _state.Load.Length; l++)
        {
            room += Math.Max(0, _problem.Trigger[l] - _state.Load[l]);
        }

        ReliefScore now = _state.Score;
        ReliefScore least = now with { Residual = now.Residual + Math.Max(0, _unplaced[depth] - room) };
        return least.CompareTo(_bestScore) < 0;
    }
}
