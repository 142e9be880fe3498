namespace EgressAppliance.Decision.Planner;

/// <summary>A set of moves under construction: which option each item takes, and what is left of needs, room and caps.</summary>
internal sealed class ReliefState
{
    private readonly ReliefProblem _problem;
    private readonly long[] _taken;
    private readonly long[] _room;
    private readonly int[] _choice;
    private int _moves;
    private int _newOverrides;
    private long _movedBps;
    private long _newOverrideBps;
    private int _changes;
    private long _classes;
    private long _ranks;
    private int _nativeMoves;
    private long _changedBps;
    private long _residual;

    public ReliefState(ReliefProblem problem)
    {
        _problem = problem;
        _taken = new long[problem.Need.Length];
        _room = new long[problem.Room.Length];
        _choice = new int[problem.Items.Count];
        Clear();
    }

    public ReliefScore Score => new(_residual, _changes, _classes, _ranks, _nativeMoves, _changedBps);

    /// <summary>Undoes everything.</summary>
    public void Clear()
    {
        Array.Clear(_taken);
        _problem.Room.CopyTo(_room.AsSpan());
        Array.Fill(_choice, -1);
        _moves = 0;
        _newOverrides = 0;
        _movedBps = 0;
        _newOverrideBps = 0;
        _changes = 0;
        _classes = 0;
        _ranks = 0;
        _nativeMoves = 0;
        _changedBps = 0;
        _residual = _problem.Need.Sum();
    }

    /// <summary>The items that are moved, in their order. There are few of them, and most often many items.</summary>
    public List<int> Taken()
    {
        List<int> taken = new(Math.Max(0, _changes));
        for (int i = 0, step; (step = _choice.AsSpan(i).IndexOfAnyExcept(-1)) >= 0; i++)
        {
            i += step;
            taken.Add(i);
        }

        return taken;
    }

    /// <summary>The option that an item takes, −1 if it stays.</summary>
    public int Choice(int item) => _choice[item];

    public long Room(int link) => _room[link];

    /// <summary>Excess of a source that is not yet taken away.</summary>
    public long Left(int source) => Math.Max(0, _problem.Need[source] - _taken[source]);

    /// <summary>By how much more than needed a source is relieved.</summary>
    public long Surplus(int source) => Math.Max(0, _taken[source] - _problem.Need[source]);

    /// <summary>True if the item may take the option: room and caps.</summary>
    public bool Fits(in ReliefItem item, ReliefOption option)
    {
        if (_room[option.Link] < item.Rate)
        {
            return false;
        }

        if (option.Release)
        {
            return true;
        }

        bool within = _moves < _problem.MaxMoves && item.Rate <= _problem.MaxMovedBps - _movedBps;
        return within && (item.Override || (_newOverrides < _problem.MaxNewOverrides && item.Rate <= _problem.MaxNewOverrideBps - _newOverrideBps));
    }

    public void Take(int index, int optionIndex)
    {
        _choice[index] = optionIndex;
        Apply(_problem.Items[index], _problem.Option(_problem.Items[index], optionIndex), 1);
    }

    public void Undo(int index)
    {
        int optionIndex = _choice[index];
        _choice[index] = -1;
        Apply(_problem.Items[index], _problem.Option(_problem.Items[index], optionIndex), -1);
    }

    private void Apply(in ReliefItem item, ReliefOption option, int sign)
    {
        long rate = sign * item.Rate;
        _residual -= Left(item.Source);
        _taken[item.Source] += rate;
        _residual += Left(item.Source);
        _room[option.Link] -= rate;
        _changes += sign;
        _classes += sign * ReliefScore.WeightOf(item.Class);
        _ranks += sign * option.Rank;
        _changedBps += rate;
        if (!item.Override)
        {
            _nativeMoves += sign;
            _newOverrides += sign;
            _newOverrideBps += rate;
        }

        if (!option.Release)
        {
            _moves += sign;
            _movedBps += rate;
        }
    }
}
