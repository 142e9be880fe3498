namespace EgressAppliance.Decision.Planner;

/// <summary>One way through steps 3–8 of the planner: where each override and each moved prefix ends up, and the loads that result.</summary>
internal sealed partial class PlanDraft
{
    private readonly Projection _projection;
    private readonly HashSet<int> _entered = [];
    private bool _gaveBackFirst;

    private readonly bool _exact;

    private PlanDraft(Projection projection, bool exact, bool pinsFirst)
    {
        _projection = projection;
        _exact = exact;
        _pinsFirst = pinsFirst;
        Load = (long[])projection.Native.Clone();
        WithoutUs = (long[])projection.Native.Clone();
    }

    private PlanDraft(PlanDraft other)
    {
        _projection = other._projection;
        _exact = other._exact;
        _pinsFirst = other._pinsFirst;
        _entered = [.. other._entered];
        Load = (long[])other.Load.Clone();
        WithoutUs = other.WithoutUs;
        Released = new(other.Released);
        Moves = new(other.Moves);
        ReleaseCapped = [.. other.ReleaseCapped];
        OverLinks = other.OverLinks;
        CapsBind = other.CapsBind;
        HadCandidates = other.HadCandidates;
    }

    /// <summary>Load of each link as it stands, finally with the plan.</summary>
    public long[] Load { get; }

    /// <summary>Load of each link under plain BGP with operators' overrides in place: what a plan may never be worse than.</summary>
    public long[] WithoutUs { get; }

    /// <summary>Overrides that end, and why.</summary>
    public Dictionary<OverrideCase, ReasonCode> Released { get; } = [];

    /// <summary>Moves: index of demand → link it leaves (of the override if it had one), link it goes to, reason.</summary>
    public Dictionary<int, (int From, int To, ReasonCode Reason)> Moves { get; } = [];

    /// <summary>Overrides that could be given back but for the cap on releases.</summary>
    public HashSet<OverrideCase> ReleaseCapped { get; } = [];

    /// <summary>The links that were over their trigger before moves were chosen.</summary>
    public int[] OverLinks { get; private set; } = [];

    /// <summary>A link is over its threshold, but not yet for long enough to act.</summary>
    public bool WatchesOverload => Enumerable.Range(0, Load.Length).Any(l => _projection.Links[l].Unconfirmed && Load[l] > _projection.Limits[l].ThresholdBps);

    /// <summary>More could be relieved without caps.</summary>
    public bool CapsBind { get; private set; }

    /// <summary>Some prefix on an overloaded link was free to move, if there had been room.</summary>
    public bool HadCandidates { get; private set; }

    /// <summary>Overload against the trigger, which the error bar lowers.</summary>
    public long ResidualBps => Sum(_projection, Load, trigger: true);

    /// <summary>Overload against the plain threshold.</summary>
    public long OverloadBps => Sum(_projection, Load, trigger: false);

    public int Changes => Moves.Count + Released.Count;

    public static long OverloadOf(Projection projection, long[] load) => Sum(projection, load, trigger: false);

    /// <param name="projection">The snapshot in numbers.</param>
    /// <param name="releaseFirst">Give back before moves are chosen rather than after.</param>
    /// <param name="dropAll">Start from plain BGP: every override that is not an operator's ends, hold or not.</param>
    /// <param name="exact">Aim at the trigger itself instead of the margin below it.</param>
    /// <param name="pinsFirst">Send pinned prefixes to their links before moves are chosen, too, and not only after.</param>
    public static PlanDraft Build(Projection projection, bool releaseFirst, bool dropAll, bool exact, bool pinsFirst = false)
    {
        PlanDraft draft = new(projection, exact, pinsFirst);
        draft.PutBack(dropAll);
        if (releaseFirst)
        {
            draft.GiveBack();
            draft._gaveBackFirst = draft.ReleaseCapped.Count > 0 || draft.Released.ContainsValue(ReasonCode.NativeFits);
        }

        draft.OverLinks = draft.FindOver();
        if (pinsFirst)
        {
            draft.Pin();
        }

        draft.Relieve();
        draft.Shed();
        draft.Pin();
        if (!releaseFirst)
        {
            draft.GiveBack();
            draft.Pin();
        }

        return draft;
    }

    /// <summary>Writes down the link that each demand is on with the plan as it stands, −1 for none.</summary>
    public void CopyPlaces(Span<int> places)
    {
        _projection.NativeLink.CopyTo(places);
        foreach (OverrideCase over in _projection.Overrides)
        {
            if (over.Demand >= 0 && !Released.ContainsKey(over))
            {
                places[over.Demand] = over.Link;
            }
        }

        foreach ((int demand, (_, int to, _)) in Moves)
        {
            places[demand] = to;
        }
    }

    /// <summary>What <see cref="Build"/> makes of the same projection with giving back last.</summary>
    /// <param name="first">The draft with giving back first, nothing dropped. It stays as it is.</param>
    public static PlanDraft ReleaseLast(PlanDraft first)
    {
        if (first._gaveBackFirst)
        {
            return Build(first._projection, releaseFirst: false, dropAll: false, first._exact, first._pinsFirst);
        }

        // Nothing was given back, so that all steps from there on were those of this order, too.
        PlanDraft draft = new(first);
        draft.GiveBack();
        draft.Pin();
        return draft;
    }

    private static long Sum(Projection projection, long[] load, bool trigger)
    {
        long sum = 0;
        for (int l = 0; l < load.Length; l++)
        {
            sum += Math.Max(0, load[l] - (trigger ? projection.Limits[l].TriggerBps : projection.Limits[l].ThresholdBps));
        }

        return sum;
    }

    /// <summary>Step 3.</summary>
    private void PutBack(bool dropAll)
    {
        foreach (OverrideCase over in _projection.Overrides)
        {
            if (over.Lost != ReasonCode.None)
            {
                Released[over] = over.Lost;
            }
            else if (dropAll && over.Fixed != ReasonCode.Pinned)
            {
                Released[over] = ReasonCode.TargetOverloaded;
            }
            else
            {
                Shift(Load, over.Native, over.Link, over.RateBps);
                if (over.Fixed == ReasonCode.Pinned)
                {
                    Shift(WithoutUs, over.Native, over.Link, over.RateBps);
                }
            }
        }
    }

    /// <summary>Step 4.</summary>
    private void GiveBack()
    {
        int left = _projection.Options.NoCaps ? int.MaxValue : _projection.Options.MaxMovesPerCycle;
        IEnumerable<OverrideCase> free = _projection.Overrides
            .Where(o => o.Lost == ReasonCode.None && o.Fixed == ReasonCode.None && o.Native >= 0 && !Released.ContainsKey(o) && !Moves.ContainsKey(o.Demand))
            .OrderBy(o => o.RateBps).ThenByDescending(o => o.Active.AgeSeconds).ThenBy(o => o.Active.Prefix);
        foreach (OverrideCase over in free)
        {
            if (Load[over.Native] + _projection.SwingBps(over.Native) + over.FitBps > _projection.Limits[over.Native].ReleaseBps)
            {
                continue;
            }

            if (left-- <= 0)
            {
                ReleaseCapped.Add(over);
                continue;
            }

            Released[over] = ReasonCode.NativeFits;
            Shift(Load, over.Link, over.Native, over.RateBps);
        }
    }

    /// <summary>The links over their trigger.</summary>
    private int[] FindOver() => [.. Enumerable.Range(0, Load.Length).Where(l => Load[l] > _projection.Limits[l].TriggerBps)];

    /// <summary>Steps 5 and 6.</summary>
    private void Relieve()
    {
        if (FindOver().Length == 0)
        {
            return;
        }

        ReliefProblem problem = Problem();
        ReliefState chosen = ReliefSolver.Solve(problem);
        CapsBind = !_projection.Options.NoCaps && chosen.Score.Residual > 0 && ReliefSolver.Greedy(problem.Uncapped()).Score.Residual < chosen.Score.Residual;
        foreach (int i in chosen.Taken())
        {
            Apply(problem.Items[i], problem.Option(problem.Items[i], chosen.Choice(i)));
        }

        Chain();
    }

    private void Apply(ReliefItem item, ReliefOption option)
    {
        OverrideCase? over = _projection.OverrideOf(item.Demand);
        Shift(Load, item.Source, option.Link, item.Rate);
        _entered.Add(option.Link);
        if (option.Release)
        {
            Released[over!] = ReasonCode.TargetOverloaded;
            return;
        }

        if (over is null)
        {
            Moves[item.Demand] = (item.Source, option.Link, WhyMoved(item.Demand, ReasonCode.RelieveOverload));
            return;
        }

        if (over.Link == option.Link)
        {
            // Dropped in step 9 only to be chosen again: it stays.
            Released.Remove(over);
            return;
        }

        // An override that had to end or would be released now goes on by another link instead: one change, not two.
        ReasonCode reason = over.Lost != ReasonCode.None ? ReasonCode.TargetLost : ReasonCode.TargetOverloaded;
        Released.Remove(over);
        Moves[item.Demand] = (over.Link, option.Link, WhyMoved(item.Demand, reason));
    }

    private ReliefProblem Problem()
    {
        long[] need = new long[Load.Length];
        long[] room = new long[Load.Length];
        for (int l = 0; l < Load.Length; l++)
        {
            need[l] = Load[l] <= _projection.Limits[l].TriggerBps ? 0 : Load[l] - (_exact ? _projection.Limits[l].TriggerBps : _projection.Limits[l].ReliefBps);
            room[l] = need[l] > 0 ? 0 : Math.Max(0, _projection.Limits[l].EnterBps - Load[l]);
        }

        CapRoom left = CapsLeft();
        (List<ReliefItem> items, List<ReliefOption> targets) = Items(need, room);
        return new()
        {
            Need = need,
            Room = room,
            Items = items,
            Options = targets,
            MaxMoves = left.Moves,
            MaxNewOverrides = left.Overrides,
            MaxMovedBps = left.MovedBps,
            MaxNewOverrideBps = left.OverrideBps,
        };
    }

    /// <summary>Step 7.</summary>
    private void Shed()
    {
        foreach (OverrideCase over in _projection.Overrides.OrderByDescending(o => o.RateBps).ThenBy(o => o.Active.Prefix))
        {
            if (over.Lost != ReasonCode.None || over.Fixed == ReasonCode.Pinned || over.Native < 0 || over.RateBps == 0
                || Released.ContainsKey(over) || Moves.ContainsKey(over.Demand))
            {
                continue;
            }

            bool entersCleanly = !_entered.Contains(over.Native) || Load[over.Native] + over.RateBps <= _projection.Limits[over.Native].EnterBps;
            if (entersCleanly && Change(over, trigger: true) < 0 && Change(over, trigger: false) <= 0)
            {
                Released[over] = ReasonCode.TargetOverloaded;
                Shift(Load, over.Link, over.Native, over.RateBps);
            }
        }
    }

    /// <summary>By how much the overload changes if an override is given back.</summary>
    private long Change(OverrideCase over, bool trigger)
    {
        long from = trigger ? _projection.Limits[over.Link].TriggerBps : _projection.Limits[over.Link].ThresholdBps;
        long to = trigger ? _projection.Limits[over.Native].TriggerBps : _projection.Limits[over.Native].ThresholdBps;
        long removed = Math.Max(0, Load[over.Link] - from) - Math.Max(0, Load[over.Link] - over.RateBps - from);
        long added = Math.Max(0, Load[over.Native] + over.RateBps - to) - Math.Max(0, Load[over.Native] - to);
        return added - removed;
    }

    private static void Shift(long[] load, int from, int to, long rate)
    {
        if (from >= 0)
        {
            load[from] -= rate;
        }

        if (to >= 0)
        {
            load[to] += rate;
        }
    }
}
