using System.Buffers;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>The order in which demands are looked at: by rate, and equal rates by prefix, so that no order of the inputs shows in a plan.</summary>
internal static class DemandOrder
{
    /// <summary>Largest first.</summary>
    public static int LargestFirst((long Rate, IpPrefix Prefix) a, (long Rate, IpPrefix Prefix) b)
    {
        int c = b.Rate.CompareTo(a.Rate);
        return c != 0 ? c : a.Prefix.CompareTo(b.Prefix);
    }

    /// <summary>What a demand is ordered by.</summary>
    public static (long Rate, IpPrefix Prefix) KeyOf(PrefixDemand demand) => (demand.RateBps, demand.Prefix);

    /// <summary>Sorts what stands for demands, largest first.</summary>
    /// <param name="projection">The demands.</param>
    /// <param name="items">What is sorted.</param>
    /// <param name="demandOf">The index of an item's demand.</param>
    public static void Sort<T>(Projection projection, Span<T> items, Func<T, int> demandOf)
    {
        // By rate as plain numbers, which needs no comparer; rates that are equal are few, and only these are compared by prefix.
        long[] lent = ArrayPool<long>.Shared.Rent(items.Length);
        Span<long> keys = lent.AsSpan(0, items.Length);
        ReadOnlySpan<PrefixDemand> demands = projection.Demands;
        for (int i = 0; i < items.Length; i++)
        {
            keys[i] = -demands[demandOf(items[i])].RateBps;
        }

        keys.Sort(items);
        for (int from = 0, to; from < items.Length; from = to)
        {
            to = from + 1;
            while (to < items.Length && keys[to] == keys[from])
            {
                to++;
            }

            if (to - from > 1)
            {
                items[from..to].Sort((a, b) => projection.Demands[demandOf(a)].Prefix.CompareTo(projection.Demands[demandOf(b)].Prefix));
            }
        }

        ArrayPool<long>.Shared.Return(lent);
    }
}
