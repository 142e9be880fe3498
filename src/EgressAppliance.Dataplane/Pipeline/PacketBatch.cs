using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    private readonly uint[] _destinations4;
    private readonly uint[] _lengths4;
    private readonly byte[] _links4;
    private readonly ulong[] _highs6;
    private readonly ulong[] _lows6;
    private readonly uint[] _lengths6;
    private readonly byte[] _links6;
    private FrameTotals _totals;
    private int _count4;
    private int _count6;

    public PacketBatch(int capacity)
    {
        Capacity = capacity;
        _destinations4 = NewArray<uint>(capacity);
        _lengths4 = NewArray<uint>(capacity);
        _links4 = NewArray<byte>(capacity);
        _highs6 = NewArray<ulong>(capacity);
        _lows6 = NewArray<ulong>(capacity);
        _lengths6 = NewArray<uint>(capacity);
        _links6 = NewArray<byte>(capacity);
    }

    /// <summary>Frames the batch takes, of whatever kind.</summary>
    public int Capacity { get; }

    /// <summary>No more frames fit.</summary>
    public bool IsFull => _totals.Frames == Capacity;

    /// <summary>No frame is in it.</summary>
    public bool IsEmpty => _totals.Frames == 0;

    /// <summary>How its frames ended.</summary>
    public ref FrameTotals Totals => ref _totals;

    /// <summary>IPv4 destinations.</summary>
    public ReadOnlySpan<uint> Destinations4 => _destinations4.AsSpan(0, _count4);

    /// <summary>IP bytes of the IPv4 packets.</summary>
    public ReadOnlySpan<uint> Lengths4 => _lengths4.AsSpan(0, _count4);

    /// <summary>Link numbers of the IPv4 packets.</summary>
    public ReadOnlySpan<byte> Links4 => _links4.AsSpan(0, _count4);

    /// <summary>Upper halves of the IPv6 destinations.</summary>
    public ReadOnlySpan<ulong> Highs6 => _highs6.AsSpan(0, _count6);

    /// <summary>Lower halves of the IPv6 destinations.</summary>
    public ReadOnlySpan<ulong> Lows6 => _lows6.AsSpan(0, _count6);

    /// <summary>IP bytes of the IPv6 packets.</summary>
    public ReadOnlySpan<uint> Lengths6 => _lengths6.AsSpan(0, _count6);

    /// <summary>Link numbers of the IPv6 packets.</summary>
    public ReadOnlySpan<byte> Links6 => _links6.AsSpan(0, _count6);

    /// <summary>The places for packets, from the first free one on. Each array has room for as many as the batch takes frames.</summary>
    public Places FreePlaces()
    {
        // Invariant: the arrays are pinned, and the batch, which outlives the filling of it, holds them.
        return new()
        {
            Destinations4 = Pointer(_destinations4) + _count4,
            Lengths4 = Pointer(_lengths4) + _count4,
            Links4 = Pointer(_links4) + _count4,
            Highs6 = Pointer(_highs6) + _count6,
            Lows6 = Pointer(_lows6) + _count6,
            Lengths6 = Pointer(_lengths6) + _count6,
            Links6 = Pointer(_links6) + _count6,
        };
    }

    /// <summary>Takes packets that were written to <see cref="FreePlaces"/>.</summary>
    public void Commit(int packets4, int packets6, long ipBytes)
    {
        _count4 += packets4;
        _count6 += packets6;
        _totals.IpBytes += ipBytes;
        _totals.ByStatus[(int)DecodeStatus.IPv4] += packets4;
        _totals.ByStatus[(int)DecodeStatus.IPv6] += packets6;
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        _count4 = 0;
        _count6 = 0;
        _totals = default;
    }

    private static T[] NewArray<T>(int length)
        where T : unmanaged => GC.AllocateArray<T>(length, pinned: true);

    private static T* Pointer<T>(T[] array)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));

    /// <summary>Where the fields of the next packets go: IPv4 and IPv6 packets each in arrays of their own.</summary>
    internal struct Places
    {
        public uint* Destinations4;
        public uint* Lengths4;
        public byte* Links4;
        public ulong* Highs6;
        public ulong* Lows6;
        public uint* Lengths6;
        public byte* Links6;
    }
}
