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

    /// <summary>Sorts indices of demands, largest first.</summary>
    public static void Sort(Projection projection, Span<int> indices)
    {
        // By rate as plain numbers, which needs no comparer; rates that are equal are few, and only these are compared by prefix.
        ReadOnlySpan<PrefixDemand> demands = projection.Demands;
        long[] lent = ArrayPool<long>.Shared.Rent(indices.Length);
        Span<long> keys = lent.AsSpan(0, indices.Length);
        for (int i = 0; i < indices.Length; i++)
        {
            keys[i] = -demands[indices[i]].RateBps;
        }

        keys.Sort(indices);
        for (int from = 0, to; from < indices.Length; from = to)
        {
            to = from + 1;
            while (to < indices.Length && keys[to] == keys[from])
            {
                to++;
            }

            if (to - from > 1)
            {
                indices[from..to].Sort((a, b) => projection.Demands[a].Prefix.CompareTo(projection.Demands[b].Prefix));
            }
        }

        ArrayPool<long>.Shared.Return(lent);
    }
}
