namespace EgressAppliance.Simulator.Routing;

/// <summary>
/// Route selection of RFC 4271 section 9.1, by elimination and not by comparing pairs: MED is compared only among routes of one
/// neighbouring AS, so that "better" is no total order and the outcome of pairwise comparison would depend on the order of arrival.
/// </summary>
public static class BestPath
{
    /// <summary>The index of the best of the candidates that are set, or -1 if none is.</summary>
    /// <param name="candidates">The paths of one prefix whose next hops are resolvable; null entries are skipped. At most 64.</param>
    /// <exception cref="ArgumentException">More than 64 candidates.</exception>
    public static int Select(ReadOnlySpan<SimulatedRoute?> candidates)
    {
        if (candidates.Length > 64)
        {
            throw new ArgumentException("More than 64 candidate paths.", nameof(candidates));
        }

        ulong left = 0;
        for (int i = 0; i < candidates.Length; i++)
        {
            left |= candidates[i] is null ? 0 : 1UL << i;
        }

        // 9.1.1: the highest degree of preference; for us LOCAL_PREF, whose order is turned round to keep the lowest everywhere.
        left = KeepLowest(candidates, left, static r => uint.MaxValue - r.LocalPref);
        left = KeepLowest(candidates, left, static r => (uint)r.SelectionLength); // 9.1.2.2 a
        left = KeepLowest(candidates, left, static r => (uint)r.Origin); // b
        left = DropHigherMed(candidates, left); // c
        left = KeepLowest(candidates, left, static r => r.IsExternal ? 0u : 1u); // d
        left = KeepLowest(candidates, left, static r => r.RouterId); // f; e, the interior cost, is equal: all next hops are connected

        int best = -1;
        for (int i = 0; i < candidates.Length; i++)
        {
            if ((left >> i & 1) != 0 && (best < 0 || candidates[i]!.PeerAddress.CompareTo(candidates[best]!.PeerAddress) < 0)) // g
            {
                best = i;
            }
        }

        return best;
    }

    private static ulong KeepLowest(ReadOnlySpan<SimulatedRoute?> candidates, ulong left, Func<SimulatedRoute, uint> key)
    {
        if ((left & (left - 1)) == 0)
        {
            return left;
        }

        uint lowest = uint.MaxValue;
        ulong kept = 0;
        for (int i = 0; i < candidates.Length; i++)
        {
            if ((left >> i & 1) == 0)
            {
                continue;
            }

            uint value = key(candidates[i]!);
            if (value < lowest)
            {
                (lowest, kept) = (value, 0);
            }

            kept |= value == lowest ? 1UL << i : 0;
        }

        return kept;
    }

    private static ulong DropHigherMed(ReadOnlySpan<SimulatedRoute?> candidates, ulong left)
    {
        ulong kept = left;
        for (int i = 0; i < candidates.Length; i++)
        {
            for (int j = 0; j < candidates.Length && (left >> i & 1) != 0; j++)
            {
                if ((left >> j & 1) != 0 && candidates[j]!.NeighborAs == candidates[i]!.NeighborAs
                    && (candidates[j]!.Med ?? 0) < (candidates[i]!.Med ?? 0))
                {
                    kept &= ~(1UL << i);
                }
            }
        }

        return kept;
    }
}
