using System.Buffers;
using System.Numerics;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Where each prefix is in a list of demands: a hash table of positions with linear probing, in memory that is lent by the shared pool. The check of a
/// snapshot builds it on the way, to find what is listed twice; the projection then looks its overrides up in it.
/// </summary>
internal readonly struct PrefixIndex : IDisposable
{
    private readonly int[] _slots;
    private readonly int _mask;

    /// <summary>Empty, with room for so many.</summary>
    public PrefixIndex(int count)
    {
        // Less than half full: probes stay short, and one never ends for want of an empty slot.
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)(2 * count) + 2);
        _slots = ArrayPool<int>.Shared.Rent(size);
        _mask = size - 1;
        _slots.AsSpan(0, size).Clear();
    }

    /// <summary>Enters the prefix at a position; false if there is one like it before.</summary>
    public bool TryAdd(ReadOnlySpan<PrefixDemand> demands, int position)
    {
        (int at, int tag) = Probe(demands, demands[position].Prefix);
        if (_slots[at] != 0)
        {
            return false;
        }

        _slots[at] = tag | (position + 1);
        return true;
    }

    /// <summary>The position of a prefix, or −1.</summary>
    public int Find(ReadOnlySpan<PrefixDemand> demands, IpPrefix prefix) => (_slots[Probe(demands, prefix).At] & _mask) - 1;

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => ArrayPool<int>.Shared.Return(_slots);

    /// <summary>
    /// The slot that a prefix has or would get. A slot is 0 or the position + 1 in the bits of the mask, and above them those of the hash, by which nearly all
    /// that only meet in a slot are told apart without a look at the demand.
    /// </summary>
    private (int At, int Tag) Probe(ReadOnlySpan<PrefixDemand> demands, IpPrefix prefix)
    {
        int hash = prefix.GetHashCode();
        int tag = hash & ~_mask;
        int at = hash & _mask;
        for (int slot = _slots[at]; slot != 0; slot = _slots[at])
        {
            if ((slot & ~_mask) == tag && demands[(slot & _mask) - 1].Prefix == prefix)
            {
                break;
            }

            at = (at + 1) & _mask;
        }

        return (at, tag);
    }
}
