using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <content>Step 6, second part: chains over several links (<see cref="ChainSearch"/>), where direct moves leave overload that need not be.</content>
internal sealed partial class PlanDraft
{
    /// <summary>Largest prefixes of each link that chains are made of.</summary>
    private const int ChainItemsPerLink = 64;

    private void Chain(ReliefProblem direct)
    {
        // A chain takes more moves than the direct ones that caps forbid already.
        if (ResidualBps == 0 || CapsBind || (OverloadBps > 0 && OverloadBps == _projection.OverloadLowerBoundBps))
        {
            return;
        }

        ChainProblem problem = ChainProblemOf(direct);
        int[] places = [.. problem.Items.Select(item => item.Options[0])];
        if (ChainSearch.Improve(problem, places) is not { } better)
        {
            return;
        }

        // The search counts against triggers, which error bars lower. What it takes off one must not come back as more beyond a plain threshold elsewhere.
        long[] load = (long[])Load.Clone();
        for (int i = 0; i < better.Length; i++)
        {
            Shift(load, places[i], better[i], problem.Items[i].Rate);
        }

        if (OverloadOf(_projection, load) > OverloadBps)
        {
            return;
        }

        for (int i = 0; i < better.Length; i++)
        {
            if (better[i] != places[i])
            {
                Put(problem.Items[i], places[i], better[i]);
            }
        }

        // What the state counts as entered: links that hold what was elsewhere before this plan.
        _entered.Clear();
        for (int i = 0; i < better.Length; i++)
        {
            if (better[i] != problem.Items[i].Origin)
            {
                _entered.Add(better[i]);
            }
        }
    }

    private ChainProblem ChainProblemOf(ReliefProblem direct)
    {
        long[] left = (long[])Load.Clone();
        List<ChainItem> items = [];
        foreach (int demand in ChainCandidates())
        {
            ChainItem item = ChainItemOf(demand);
            if (item.Options.Length > 1)
            {
                items.Add(item);
                left[item.Options[0]] -= item.Rate;
            }
        }

        items.Sort((a, b) => DemandOrder.LargestFirst(DemandOrder.KeyOf(_projection.Demands[a.Demand]), DemandOrder.KeyOf(_projection.Demands[b.Demand])));
        bool capped = !_projection.Options.NoCaps;
        (int others, long othersBps) = OverridesBut(items);
        return new()
        {
            Fixed = left,
            Trigger = [.. _projection.Limits.Select(limits => limits.TriggerBps)],
            Enter = [.. _projection.Limits.Select(limits => limits.EnterBps)],
            Items = [.. items],
            MaxMoves = direct.MaxMoves,
            MaxMovedBps = direct.MaxMovedBps,
            MaxOverrides = capped ? _projection.Options.MaxOverrides - others : int.MaxValue,
            MaxOverrideBps = capped ? LinkLimits.Part(_projection.TotalBps, _projection.Options.MaxShare) - othersBps : long.MaxValue,
        };
    }

    /// <summary>Overrides in force with the plan as it stands, and their rate, those of the items not counted.</summary>
    private (int Count, long Bps) OverridesBut(List<ChainItem> items)
    {
        ChainItem[] off = [.. items.Where(item => item.Options[0] != item.Native)];
        OverrideCase[] staying = [.. _projection.Overrides.Where(over => !Released.ContainsKey(over) && !Moves.ContainsKey(over.Demand))];
        return (
            staying.Length + Moves.Count - off.Length,
            staying.Sum(over => over.RateBps) + Moves.Keys.Sum(demand => _projection.Demands[demand].RateBps) - off.Sum(item => item.Rate));
    }

    /// <summary>All that this plan has moved, and the largest others of each link that may be moved.</summary>
    private IEnumerable<int> ChainCandidates()
    {
        PriorityQueue<int, (long Rate, IpPrefix Prefix)>[] largest = [.. Load.Select(_ => new PriorityQueue<int, (long Rate, IpPrefix Prefix)>(DemandOrder.SmallestFirst))];
        List<int> chosen = [];
        for (int i = 0; i < _projection.Demands.Length; i++)
        {
            PrefixDemand demand = _projection.Demands[i];
            int place = PlaceOf(i);
            if (place < 0 || demand.RateBps == 0 || !MayChange(i, demand))
            {
                continue;
            }

            if (Moves.ContainsKey(i) || (_projection.OverrideOf(i) is { } over && Released.ContainsKey(over)))
            {
                chosen.Add(i);
            }
            else
            {
                DemandOrder.Keep(largest[place], ChainItemsPerLink, i, demand);
            }
        }

        return chosen.Concat(largest.SelectMany(queue => queue.UnorderedItems.Select(item => item.Element)));
    }

    private bool MayChange(int index, PrefixDemand demand)
    {
        OverrideCase? over = _projection.OverrideOf(index);
        int origin = over is { Lost: ReasonCode.None } ? over.Link : _projection.NativeLink[index];
        return origin >= 0 && _projection.NativeLink[index] >= 0 && over is not { Lost: ReasonCode.None, Fixed: not ReasonCode.None }
            && _projection.Immovable(demand, origin) == ReasonCode.None;
    }

    private ChainItem ChainItemOf(int index)
    {
        PrefixDemand demand = _projection.Demands[index];
        OverrideCase? over = _projection.OverrideOf(index);
        int native = _projection.NativeLink[index];
        int origin = over is { Lost: ReasonCode.None } ? over.Link : native;
        List<int> options = [PlaceOf(index)];
        foreach (int link in (IEnumerable<int>)[native, origin, .. demand.Paths.Select(_projection.IndexOf).Where(l => l >= 0 && _projection.Limits[l].EnterBps >= demand.RateBps)])
        {
            if (!options.Contains(link))
            {
                options.Add(link);
            }
        }

        return new(index, demand.RateBps, native, origin, [.. options]);
    }

    private int PlaceOf(int index)
    {
        if (Moves.TryGetValue(index, out (int From, int To, ReasonCode Reason) move))
        {
            return move.To;
        }

        OverrideCase? over = _projection.OverrideOf(index);
        return over is not null && !Released.ContainsKey(over) ? over.Link : _projection.NativeLink[index];
    }

    /// <summary>Enters where a prefix goes by the chains.</summary>
    private void Put(ChainItem item, int from, int to)
    {
        Shift(Load, from, to, item.Rate);
        OverrideCase? over = _projection.OverrideOf(item.Demand);
        Moves.Remove(item.Demand);
        if (over is not null)
        {
            Released.Remove(over);
        }

        if (over is { Lost: not ReasonCode.None })
        {
            if (to == item.Native)
            {
                Released[over] = over.Lost;
            }
            else
            {
                Moves[item.Demand] = (over.Link, to, ReasonCode.TargetLost);
            }

            return;
        }

        if (to == item.Origin)
        {
            return;
        }

        bool isOver = OverLinks.Contains(item.Origin);
        if (over is null)
        {
            Moves[item.Demand] = (item.Native, to, isOver ? ReasonCode.RelieveOverload : ReasonCode.MakeRoom);
        }
        else if (to == item.Native)
        {
            Released[over] = isOver ? ReasonCode.TargetOverloaded : ReasonCode.MakeRoom;
        }
        else
        {
            Moves[item.Demand] = (over.Link, to, isOver ? ReasonCode.TargetOverloaded : ReasonCode.MakeRoom);
        }
    }
}
