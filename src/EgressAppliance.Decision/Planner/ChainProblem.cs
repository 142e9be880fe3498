namespace EgressAppliance.Decision.Planner;

/// <summary>A prefix that may change its link, wherever it is.</summary>
/// <param name="Demand">Index of its demand.</param>
/// <param name="Rate">Its rate, bit/s, at least 1.</param>
/// <param name="Native">Its native link.</param>
/// <param name="Origin">The link that it is on without a change: its override's, or the native one.</param>
/// <param name="Options">Links it can be on, where it is at the beginning first.</param>
/// <param name="Preferred">Links that a policy prefers for it, best first; null without such a policy.</param>
/// <param name="Class">Its class, 0–9.</param>
internal sealed record ChainItem(int Demand, long Rate, int Native, int Origin, int[] Options, int[]? Preferred, int Class)
{
    /// <summary>Place of a link in the order of the policy, as in <see cref="ReliefOption.Rank"/>.</summary>
    public int RankOf(int link) => Preferred is null || link == Native ? 0 : Array.IndexOf(Preferred, link) is var at and >= 0 ? at : Preferred.Length;
}

/// <summary>What the chain search works on: every movable prefix with all links it can be on.</summary>
internal sealed class ChainProblem
{
    /// <summary>Load of each link as far as it cannot be moved, bit/s.</summary>
    public required long[] Fixed { get; init; }

    /// <summary>What a link may carry before it counts as overloaded.</summary>
    public required long[] Trigger { get; init; }

    /// <summary>What a link may carry that something entered.</summary>
    public required long[] Enter { get; init; }

    /// <summary>Links that a move enters which is not of the items.</summary>
    public required IReadOnlySet<int> Entered { get; init; }

    /// <summary>Sorted by rate, largest first, then by prefix.</summary>
    public required ChainItem[] Items { get; init; }

    /// <summary>Most moves.</summary>
    public required int MaxMoves { get; init; }

    /// <summary>Most items that may be off their native link.</summary>
    public required int MaxOverrides { get; init; }

    /// <summary>Most rate that moves may carry.</summary>
    public required long MaxMovedBps { get; init; }

    /// <summary>Most rate that these may carry.</summary>
    public required long MaxOverrideBps { get; init; }
}

/// <summary>Where each prefix of a <see cref="ChainProblem"/> is, with loads and counts kept up to date. An item may be nowhere (−1) while a search places it.</summary>
internal sealed class ChainState
{
    private readonly ChainProblem _problem;
    private readonly int[] _entered;
    private int _changes;
    private long _classes;
    private long _ranks;
    private int _nativeMoves;
    private int _moves;
    private long _changedBps;
    private long _movedBps;
    private int _overrides;
    private long _overrideBps;

    /// <summary>Nothing is placed yet.</summary>
    public ChainState(ChainProblem problem)
    {
        _problem = problem;
        Load = (long[])problem.Fixed.Clone();
        Place = new int[problem.Items.Length];
        Array.Fill(Place, -1);
        _entered = new int[Load.Length];
        for (int l = 0; l < Load.Length; l++)
        {
            Residual += Excess(l);
            _entered[l] = problem.Entered.Contains(l) ? 1 : 0;
        }
    }

    /// <summary>Load of each link with what is placed.</summary>
    public long[] Load { get; }

    /// <summary>The link of each item, −1 for none.</summary>
    public int[] Place { get; }

    /// <summary>Σ of what exceeds the triggers.</summary>
    public long Residual { get; private set; }

    /// <summary>How good it is.</summary>
    public ReliefScore Score => new(Residual, _changes, _classes, _ranks, _nativeMoves, _changedBps);

    /// <summary>No cap is exceeded.</summary>
    public bool WithinCaps => _moves <= _problem.MaxMoves && _movedBps <= _problem.MaxMovedBps
        && _overrides <= _problem.MaxOverrides && _overrideBps <= _problem.MaxOverrideBps;

    /// <summary>By how much a link exceeds its trigger.</summary>
    public long Excess(int link) => Math.Max(0, Load[link] - _problem.Trigger[link]);

    /// <summary>A link that something entered is not beyond what it may carry then.</summary>
    public bool IsSound(int link) => _entered[link] == 0 || Load[link] <= _problem.Enter[link];

    /// <summary>Room for one more on a link that it enters; negative if that is too full.</summary>
    public long RoomToEnter(int link) => _problem.Enter[link] - Load[link];

    /// <summary>Puts an item on a link, −1 for nowhere.</summary>
    public void Put(int index, int link)
    {
        Apply(index, Place[index], -1);
        Place[index] = link;
        Apply(index, link, 1);
    }

    private void Apply(int index, int link, int sign)
    {
        if (link < 0)
        {
            return;
        }

        ChainItem item = _problem.Items[index];
        long rate = sign * item.Rate;
        Residual -= Excess(link);
        Load[link] += rate;
        Residual += Excess(link);
        if (link != item.Native)
        {
            _overrides += sign;
            _overrideBps += rate;
        }

        if (link == item.Origin)
        {
            return;
        }

        _entered[link] += sign;
        _changes += sign;
        _classes += sign * ReliefScore.WeightOf(item.Class);
        _ranks += sign * item.RankOf(link);
        _changedBps += rate;
        if (link != item.Native)
        {
            _moves += sign;
            _movedBps += rate;
            _nativeMoves += item.Origin == item.Native ? sign : 0;
        }
    }
}
