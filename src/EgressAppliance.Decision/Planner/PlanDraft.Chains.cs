using System.Buffers;
using System.Runtime.InteropServices;
using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Decision.Planner;

/// <content>Step 6, second part: chains over several links (<see cref="ChainSearch"/>), where direct moves leave overload that need not be.</content>
internal sealed partial class PlanDraft
{
    /// <summary>Largest prefixes of each link that chains are made of.</summary>
    private const int ChainItemsPerLink = 64;

    private void Chain()
    {
        // A chain takes more moves than the direct ones that caps forbid already.
        if (ResidualBps == 0 || CapsBind || (OverloadBps > 0 && OverloadBps == _projection.OverloadLowerBoundBps))
        {
            return;
        }

        ChainProblem problem = ChainProblemOf();
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
        foreach ((_, int to, _) in Moves.Values)
        {
            _entered.Add(to);
        }

        for (int i = 0; i < better.Length; i++)
        {
            if (better[i] != problem.Items[i].Origin)
            {
                _entered.Add(better[i]);
            }
        }
    }

    private ChainProblem ChainProblemOf()
    {
        long[] left = (long[])Load.Clone();
        List<ChainItem> items = [];
        List<int> options = [];
        foreach (int demand in ChainCandidates())
        {
            ListChainOptions(demand, options);
            if (options.Count > 1)
            {
                ChainItem item = new(
                    demand, _projection.Demands[demand].RateBps, _projection.NativeLink[demand], OriginOf(demand), [.. options],
                    PreferredBy(_projection.Demands[demand]), ClassOf(demand));
                items.Add(item);
                left[options[0]] -= item.Rate;
            }
        }

        DemandOrder.Sort(_projection, CollectionsMarshal.AsSpan(items), item => item.Demand);
        bool capped = !_projection.Options.NoCaps;
        (int others, long othersBps) = OverridesBut(items);
        (int moved, long movedBps, HashSet<int> entered) = MovesBut(items);
        return new()
        {
            Fixed = left,
            Trigger = [.. _projection.Limits.Select(limits => limits.TriggerBps)],
            Enter = [.. _projection.Limits.Select(limits => limits.EnterBps)],
            Entered = entered,
            Items = [.. items],
            MaxMoves = capped ? _projection.Options.MaxMovesPerCycle - moved : int.MaxValue,
            MaxMovedBps = capped ? LinkLimits.Part(_projection.TotalBps, _projection.Options.MaxSharePerCycle) - movedBps : long.MaxValue,
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

    /// <summary>Moves of the plan as it stands that are not of the items, their rate, and the links they enter.</summary>
    private (int Count, long Bps, HashSet<int> Entered) MovesBut(List<ChainItem> items)
    {
        if (_projection.Pins.Count == 0)
        {
            // All moves are candidates of chains but pins of prefixes that are too small for relief.
            return (0, 0, []);
        }

        HashSet<int> ofItems = [.. items.Select(item => item.Demand)];
        int[] others = [.. Moves.Keys.Where(demand => !ofItems.Contains(demand))];
        return (others.Length, others.Sum(demand => _projection.Demands[demand].RateBps), [.. others.Select(demand => Moves[demand].To)]);
    }

    /// <summary>The links that a policy prefers for a demand, best first, or null.</summary>
    private int[]? PreferredBy(PrefixDemand demand) =>
        demand.Policy is { Action: PolicyAction.Prefer } policy ? [.. policy.Links.Select(_projection.IndexOf)] : null;

    /// <summary>All that this plan has moved, and the largest others of each link that may be moved.</summary>
    private List<int> ChainCandidates()
    {
        LargestDemands[] largest = [.. Load.Select(_ => new LargestDemands(ChainItemsPerLink))];
        ReadOnlySpan<PrefixDemand> demands = _projection.Demands;
        int[] places = ArrayPool<int>.Shared.Rent(demands.Length);
        CopyPlaces(places);
        List<int> chosen = [];
        foreach (int i in Moves.Keys.Union(Released.Keys.Select(over => over.Demand).Where(demand => demand >= 0)))
        {
            if (places[i] >= 0 && demands[i].RateBps > 0 && MayChange(i, demands[i]))
            {
                chosen.Add(i);
            }

            places[i] = -1;
        }

        for (int i = 0; i < demands.Length; i++)
        {
            PrefixDemand demand = demands[i];
            if (places[i] >= 0 && demand.RateBps > 0 && largest[places[i]].Admits(demand) && MayChange(i, demand))
            {
                largest[places[i]].Add(i, demand);
            }
        }

        ArrayPool<int>.Shared.Return(places);
        return [.. chosen, .. largest.SelectMany(some => some.Kept)];
    }

    private bool MayChange(int index, PrefixDemand demand)
    {
        OverrideCase? over = _projection.OverrideOf(index);
        int origin = OriginOf(index);
        return origin >= 0 && _projection.NativeLink[index] >= 0 && over is not { Lost: ReasonCode.None, Fixed: not (ReasonCode.None or ReasonCode.SavesCost) }
            && _projection.MayMove(demand, origin);
    }

    /// <summary>The link that a demand is on without this plan, −1 for none.</summary>
    private int OriginOf(int index) => _projection.OverrideOf(index) is { Lost: ReasonCode.None } over ? over.Link : _projection.NativeLink[index];

    /// <summary>The links that a demand may be on: where it is, its native one, where it was, and those of its paths that are large enough.</summary>
    private void ListChainOptions(int index, List<int> options)
    {
        PrefixDemand demand = _projection.Demands[index];
        options.Clear();
        options.Add(PlaceOf(index));
        AddNew(options, _projection.NativeLink[index]);
        AddNew(options, OriginOf(index));
        bool pinned = IsPinned(demand);
        int pin = _projection.PinOf(demand);
        foreach (int link in PreferredBy(demand) ?? [])
        {
            if (link >= 0 && demand.Paths.Contains(_projection.Links[link].Name, StringComparer.Ordinal) && _projection.Limits[link].EnterBps >= demand.RateBps)
            {
                AddNew(options, link);
            }
        }

        foreach (string path in ListSpan.Of(demand.Paths))
        {
            int link = _projection.IndexOf(path);
            if (link >= 0 && (!pinned || link == pin) && _projection.Limits[link].EnterBps >= demand.RateBps)
            {
                AddNew(options, link);
            }
        }
    }

    private static void AddNew(List<int> options, int link)
    {
        if (!options.Contains(link))
        {
            options.Add(link);
        }
    }

    /// <summary>The link that a demand is on with the plan as it stands, −1 for none.</summary>
    public int PlaceOf(int index)
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
                Moves[item.Demand] = (over.Link, to, WhyMoved(item.Demand, ReasonCode.TargetLost));
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
            Moves[item.Demand] = (item.Native, to, WhyMoved(item.Demand, isOver ? ReasonCode.RelieveOverload : ReasonCode.MakeRoom));
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
