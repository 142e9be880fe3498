using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Decision.Planner;

/// <content>Step 8: prefixes that a policy pins go to their link, overload or not; and what policies make of a plan's worth.</content>
internal sealed partial class PlanDraft
{
    private readonly bool _pinsFirst;

    /// <summary>Demands that a policy pins to a link that they are not on, largest first, and what they wait for.</summary>
    public List<(int Demand, ReasonCode Reason)> WaitingPins { get; } = [];

    /// <summary>What is changed, by classes; see <see cref="ReliefScore.Classes"/>.</summary>
    public long Classes => Moves.Keys.Concat(Released.Keys.Select(over => over.Demand)).Sum(demand => ReliefScore.WeightOf(ClassOf(demand)));

    /// <summary>Places of the links that are used, in the order that policies prefer; see <see cref="ReliefScore.Ranks"/>.</summary>
    public long Ranks => Moves.Sum(move => (long)RankOf(_projection.Demands[move.Key], _projection.Links[move.Value.To].Name));

    private static int RankOf(PrefixDemand demand, string link)
    {
        if (demand.Policy is not { Action: PolicyAction.Prefer } policy)
        {
            return 0;
        }

        for (int i = 0; i < policy.Links.Count; i++)
        {
            if (policy.Links[i] == link)
            {
                return i;
            }
        }

        return policy.Links.Count;
    }

    private int ClassOf(int demand) => demand < 0 ? PrefixPolicy.DefaultClass : ClassOf(_projection.Demands[demand]);

    private static int ClassOf(PrefixDemand demand) => demand.Policy?.Class ?? PrefixPolicy.DefaultClass;

    private static bool IsPinned(PrefixDemand demand) => demand.Policy is { Action: PolicyAction.Pin };

    /// <summary>Why a demand is moved: a policy that pins it goes before other reasons, since it is where it belongs then.</summary>
    private ReasonCode WhyMoved(int demand, ReasonCode otherwise) => IsPinned(_projection.Demands[demand]) ? ReasonCode.PinnedByPolicy : otherwise;

    /// <summary>Sends pinned prefixes to their links, the largest first, as far as room and caps allow. Again, it tries those that had to wait.</summary>
    private void Pin()
    {
        WaitingPins.Clear();
        if (_projection.Pins.Count == 0)
        {
            return;
        }

        CapRoom left = CapsLeft();
        foreach (int demand in _projection.Pins)
        {
            int to = _projection.PinOf(_projection.Demands[demand]);
            if (to >= 0 && PlaceOf(demand) == to)
            {
                continue;
            }

            ReasonCode obstacle = PinObstacle(demand, to, left);
            if (obstacle != ReasonCode.None)
            {
                WaitingPins.Add((demand, obstacle));
                continue;
            }

            left = left.Less(_projection.Demands[demand].RateBps, IsBack(demand, to));
            Pin(demand, to);
        }
    }

    /// <summary>True if an override by the link is in force and was only dropped in this draft.</summary>
    private bool IsBack(int demand, int to) => _projection.OverrideOf(demand) is { Lost: ReasonCode.None } over && over.Link == to;

    private ReasonCode PinObstacle(int index, int to, CapRoom left)
    {
        PrefixDemand demand = _projection.Demands[index];
        ReasonCode obstacle = _projection.PinObstacle(demand);
        if (obstacle != ReasonCode.None)
        {
            return obstacle;
        }

        // It would leave again with the next peak.
        long peak = Load[to] + _projection.SwingBps(to) + demand.RateBps;
        bool back = IsBack(index, to);
        return _projection.IsQuarantined(demand.Prefix) && !back ? ReasonCode.Quarantined
            : _projection.Links[to].Distrusted ? ReasonCode.NotTaken
            : Load[to] > _projection.Limits[to].TriggerBps ? ReasonCode.OverThreshold
            : peak > _projection.Limits[to].EnterBps ? ReasonCode.OverCeiling
            : !left.Admits(demand.RateBps, back) ? ReasonCode.Capped
            : ReasonCode.None;
    }

    private void Pin(int demand, int to)
    {
        int from = PlaceOf(demand);
        OverrideCase? over = _projection.OverrideOf(demand);
        bool back = IsBack(demand, to);
        Shift(Load, from, to, _projection.Demands[demand].RateBps);
        if (over is not null)
        {
            Released.Remove(over);
        }

        if (!back)
        {
            _entered.Add(to);
            Moves[demand] = (over?.Link ?? from, to, ReasonCode.PinnedByPolicy);
        }
    }

    /// <summary>What caps leave with the plan as it stands.</summary>
    private CapRoom CapsLeft()
    {
        PlannerOptions options = _projection.Options;
        if (options.NoCaps)
        {
            return new(int.MaxValue, long.MaxValue, int.MaxValue, long.MaxValue);
        }

        int overrides = Moves.Count;
        long overrideBps = 0;
        foreach (int demand in Moves.Keys)
        {
            overrideBps += _projection.Demands[demand].RateBps;
        }

        long movedBps = overrideBps;
        foreach (OverrideCase over in _projection.Overrides)
        {
            if (!Released.ContainsKey(over) && !Moves.ContainsKey(over.Demand))
            {
                overrides++;
                overrideBps += over.RateBps;
            }
        }

        return new(
            Math.Max(0, options.MaxMovesPerCycle - Moves.Count),
            Math.Max(0, LinkLimits.Part(_projection.TotalBps, options.MaxSharePerCycle) - movedBps),
            Math.Max(0, options.MaxOverrides - overrides),
            Math.Max(0, LinkLimits.Part(_projection.TotalBps, options.MaxShare) - overrideBps));
    }

    /// <summary>Moves, their rate, new overrides and their rate that caps still allow.</summary>
    private readonly record struct CapRoom(int Moves, long MovedBps, int Overrides, long OverrideBps)
    {
        /// <summary>True if one more fits; what only stays after all is no move.</summary>
        public bool Admits(long rate, bool stays) => (stays || (Moves > 0 && rate <= MovedBps)) && Overrides > 0 && rate <= OverrideBps;

        public CapRoom Less(long rate, bool stays) => new(
            stays || Moves == int.MaxValue ? Moves : Moves - 1, stays || MovedBps == long.MaxValue ? MovedBps : MovedBps - rate,
            Overrides == int.MaxValue ? Overrides : Overrides - 1, OverrideBps == long.MaxValue ? OverrideBps : OverrideBps - rate);
    }
}
