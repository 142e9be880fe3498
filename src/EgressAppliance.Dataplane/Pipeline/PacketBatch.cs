using System.Numerics;
using System.Runtime.CompilerServices;
using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Dataplane.Decode;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// A batch of decoded packets as arrays of one field each, and how the decoding of all frames of the batch ended. Filled by
/// a reading thread, counted by a worker, used again. Owned by one thread at a time, which the channels hand over.
/// </summary>
/// <remarks>
/// The totals travel with the packets, so that a worker adds both to its counters in one step: whoever reads the workers' numbers
/// sees frames that add up.
/// </remarks>
internal sealed unsafe class PacketBatch
{
    /// <summary>Most frames a batch can take. Columns stand at constant distances, so that the decoder needs one pointer for all of them.</summary>
    public const int MaxCapacity = 1024;

    private const int ColumnAlignment = 64;

    private readonly byte[] _memory = GC.AllocateArray<byte>(sizeof(PacketColumns) + ColumnAlignment, pinned: true);
    private readonly PacketColumns* _columns;
    private FrameTotals _totals;
    private int _count4;
    private int _count6;

    public PacketBatch(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, MaxCapacity);
        Capacity = capacity;

        // Invariant: the memory is pinned and held by this object, and has room for the columns behind the alignment.
        nuint start = (nuint)Unsafe.AsPointer(ref _memory[0]);
        _columns = (PacketColumns*)((start + ColumnAlignment - 1) & ~(nuint)(ColumnAlignment - 1));
    }

    /// <summary>Frames the batch takes, of whatever kind.</summary>
    public int Capacity { get; }

    /// <summary>No more frames fit.</summary>
    public bool IsFull => _totals.Frames == Capacity;

    /// <summary>No frame is in it.</summary>
    public bool IsEmpty => _totals.Frames == 0;

    /// <summary>How its frames ended.</summary>
    public ref FrameTotals Totals => ref _totals;

    /// <summary>The memory of the columns, for the decoder.</summary>
    public PacketColumns* Columns => _columns;

    /// <summary>IPv4 packets in it.</summary>
    public int Count4 => _count4;

    /// <summary>IPv6 packets in it.</summary>
    public int Count6 => _count6;

    /// <summary>IPv4 destinations.</summary>
    public ReadOnlySpan<uint> Destinations4 => new(_columns->Destinations4, _count4);

    /// <summary>IP bytes of the IPv4 packets.</summary>
    public ReadOnlySpan<uint> Lengths4 => new(_columns->Lengths4, _count4);

    /// <summary>Link numbers of the IPv4 packets.</summary>
    public ReadOnlySpan<byte> Links4 => new(_columns->Links4, _count4);

    /// <summary>Upper halves of the IPv6 destinations.</summary>
    public ReadOnlySpan<ulong> Highs6 => new(_columns->Highs6, _count6);

    /// <summary>Lower halves of the IPv6 destinations.</summary>
    public ReadOnlySpan<ulong> Lows6 => new(_columns->Lows6, _count6);

    /// <summary>IP bytes of the IPv6 packets.</summary>
    public ReadOnlySpan<uint> Lengths6 => new(_columns->Lengths6, _count6);

    /// <summary>Link numbers of the IPv6 packets.</summary>
    public ReadOnlySpan<byte> Links6 => new(_columns->Links6, _count6);

    /// <summary>Takes the packets that were written to <see cref="Columns"/> up to these numbers, and adds what is new to the totals.</summary>
    public void Commit(int count4, int count6)
    {
        _totals.IpBytes += Sum(Lengths4Between(_count4, count4)) + Sum(Lengths6Between(_count6, count6));
        _totals.ByStatus[(int)DecodeStatus.IPv4] += count4 - _count4;
        _totals.ByStatus[(int)DecodeStatus.IPv6] += count6 - _count6;
        _count4 = count4;
        _count6 = count6;
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        _count4 = 0;
        _count6 = 0;
        _totals = default;
    }

    private ReadOnlySpan<uint> Lengths4Between(int start, int end) => new(_columns->Lengths4 + start, end - start);

    private ReadOnlySpan<uint> Lengths6Between(int start, int end) => new(_columns->Lengths6 + start, end - start);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long Sum(ReadOnlySpan<uint> lengths)
    {
        Vector<ulong> sums = Vector<ulong>.Zero;
        int i = 0;
        for (; i <= lengths.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            Vector.Widen(new Vector<uint>(lengths[i..]), out Vector<ulong> low, out Vector<ulong> high);
            sums += low + high;
        }

        ulong sum = Vector.Sum(sums);
        for (; i < lengths.Length; i++)
        {
            sum += lengths[i];
        }

        return (long)sum;
    }
}

/// <summary>The fields of a batch's packets: IPv4 and IPv6 packets each in columns of their own.</summary>
internal unsafe struct PacketColumns
{
    /// <summary>IPv4 destinations.</summary>
    public fixed uint Destinations4[PacketBatch.MaxCapacity + 16];

    /// <summary>IP bytes of the IPv4 packets.</summary>
    public fixed uint Lengths4[PacketBatch.MaxCapacity + 16];

    /// <summary>Upper halves of the IPv6 destinations.</summary>
    public fixed ulong Highs6[PacketBatch.MaxCapacity + 16];

    /// <summary>Lower halves of the IPv6 destinations.</summary>
    public fixed ulong Lows6[PacketBatch.MaxCapacity + 16];

    /// <summary>IP bytes of the IPv6 packets.</summary>
    public fixed uint Lengths6[PacketBatch.MaxCapacity + 16];

    /// <summary>Link numbers of the IPv4 packets.</summary>
    public fixed byte Links4[PacketBatch.MaxCapacity + 16];

    /// <summary>Link numbers of the IPv6 packets.</summary>
    public fixed byte Links6[PacketBatch.MaxCapacity + 16];
}
