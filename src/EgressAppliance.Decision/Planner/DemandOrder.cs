using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>The order in which demands are looked at: by rate, and equal rates by prefix, so that no order of the inputs shows in a plan.</summary>
internal static class DemandOrder
{
    /// <summary>For a queue that keeps the largest: what is to go first is the smallest, of equal ones the last by prefix.</summary>
    public static IComparer<(long Rate, IpPrefix Prefix)> SmallestFirst { get; } = Comparer<(long Rate, IpPrefix Prefix)>.Create((a, b) => -LargestFirst(a, b));

    /// <summary>Largest first.</summary>
    public static int LargestFirst((long Rate, IpPrefix Prefix) a, (long Rate, IpPrefix Prefix) b)
    {
        int c = b.Rate.CompareTo(a.Rate);
        return c != 0 ? c : a.Prefix.CompareTo(b.Prefix);
    }

    /// <summary>What a demand is ordered by.</summary>
    public static (long Rate, IpPrefix Prefix) KeyOf(PrefixDemand demand) => (demand.RateBps, demand.Prefix);

    /// <summary>Puts one more into a queue that keeps the largest so many.</summary>
    public static void Keep(PriorityQueue<int, (long Rate, IpPrefix Prefix)> largest, int most, int index, PrefixDemand demand)
    {
        if (largest.Count < most)
        {
            largest.Enqueue(index, KeyOf(demand));
        }
        else
        {
            largest.EnqueueDequeue(index, KeyOf(demand));
        }
    }
}
