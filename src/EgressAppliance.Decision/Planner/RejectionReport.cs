using System.Buffers;

namespace EgressAppliance.Decision.Planner;

/// <summary>Says why prefixes stay on links that stay over their threshold, and why a path of a prefix can or cannot be used.</summary>
internal static class RejectionReport
{
    /// <summary>The largest prefixes that remain on links over their trigger, with the reason.</summary>
    public static IReadOnlyList<RejectedPrefix> Of(Projection projection, PlanDraft draft)
    {
        bool[] over = new bool[draft.Load.Length];
        bool any = false;
        for (int l = 0; l < over.Length; l++)
        {
            over[l] = draft.Load[l] > projection.Limits[l].TriggerBps;
            any |= over[l];
        }

        if (!any)
        {
            return [];
        }

        LargestDemands largest = new(Plan.MaxRejected);
        ReadOnlySpan<PrefixDemand> demands = projection.Demands;
        int[] places = ArrayPool<int>.Shared.Rent(demands.Length);
        draft.CopyPlaces(places);
        for (int i = 0; i < demands.Length; i++)
        {
            if (places[i] >= 0 && over[places[i]] && largest.Admits(demands[i]))
            {
                largest.Add(i, demands[i]);
            }
        }

        int[] kept = [.. largest.Kept];
        DemandOrder.Sort(projection, kept.AsSpan(), i => i);
        List<RejectedPrefix> rejected = new(kept.Length);
        foreach (int i in kept)
        {
            rejected.Add(new(demands[i].Prefix, projection.Links[places[i]].Name, demands[i].RateBps, Why(projection, draft, i, places[i])));
        }

        ArrayPool<int>.Shared.Return(places);
        return rejected;
    }

    /// <summary>Why one link cannot take a demand that is on another, or None if it can. Loads are those of the plan.</summary>
    public static ReasonCode PathReason(LinkState link, LinkLimits limits, long load, long rate) =>
        !link.Up ? ReasonCode.LinkDown
        : link.Drain ? ReasonCode.Drained
        : link.Distrusted ? ReasonCode.NotTaken
        : load > limits.TriggerBps ? ReasonCode.OverThreshold
        : load + rate > limits.EnterBps ? ReasonCode.OverCeiling
        : ReasonCode.None;

    private static ReasonCode Why(Projection projection, PlanDraft draft, int index, int on)
    {
        PrefixDemand demand = projection.Demands[index];
        OverrideCase? over = projection.OverrideOf(index);
        if (over is not null && over.Fixed is not (ReasonCode.None or ReasonCode.Damped or ReasonCode.SavesCost) && over.Link == on)
        {
            return over.Fixed;
        }

        ReasonCode immovable = projection.Immovable(demand, on);
        if (immovable != ReasonCode.None)
        {
            return immovable;
        }

        if (projection.PinOf(demand) is >= 0 and var pin)
        {
            ReasonCode waits = PathReason(projection.Links[pin], projection.Limits[pin], draft.Load[pin], demand.RateBps);
            return waits != ReasonCode.None ? waits
                : draft.WaitingPins.Find(w => w.Demand == index) is { Reason: not ReasonCode.None } waiting ? waiting.Reason : ReasonCode.NotNeeded;
        }

        // The obstacle of the path that came closest: room is closer than drained, drained closer than down.
        ReasonCode closest = ReasonCode.NoAlternativePath;
        foreach (string path in ListSpan.Of(demand.Paths))
        {
            int link = projection.IndexOf(path);
            if (link < 0 || link == on)
            {
                continue;
            }

            ReasonCode reason = PathReason(projection.Links[link], projection.Limits[link], draft.Load[link], demand.RateBps);
            if (reason == ReasonCode.None)
            {
                return draft.CapsBind ? ReasonCode.Capped : ReasonCode.NotNeeded;
            }

            closest = Rank(reason) > Rank(closest) ? reason : closest;
        }

        return closest;
    }

    private static int Rank(ReasonCode reason) => reason switch
    {
        ReasonCode.OverCeiling => 4,
        ReasonCode.OverThreshold => 3,
        ReasonCode.NotTaken => 2,
        ReasonCode.Drained => 2,
        ReasonCode.LinkDown => 1,
        _ => 0,
    };
}
