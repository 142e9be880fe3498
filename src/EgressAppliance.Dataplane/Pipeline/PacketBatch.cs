using EgressAppliance.Dataplane.Counters;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// A batch of decoded packets as arrays of one field each, and how the decoding of all frames of the batch ended. Filled by
/// a reading thread, counted by a worker, used again. Owned by one thread at a time, which the channels hand over.
/// </summary>
/// <remarks>
/// The totals travel with the packets, so that a worker adds both to its counters in one step: whoever reads the workers' numbers
/// sees frames that add up.
/// </remarks>
internal sealed class PacketBatch
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
        _destinations4 = new uint[capacity];
        _lengths4 = new uint[capacity];
        _links4 = new byte[capacity];
        _highs6 = new ulong[capacity];
        _lows6 = new ulong[capacity];
        _lengths6 = new uint[capacity];
        _links6 = new byte[capacity];
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

    /// <summary>Adds an IPv4 packet.</summary>
    public void AddIPv4(uint destination, uint ipBytes, byte link)
    {
        int i = _count4;
        _destinations4[i] = destination;
        _lengths4[i] = ipBytes;
        _links4[i] = link;
        _count4 = i + 1;
        _totals.IpBytes += ipBytes;
    }

    /// <summary>Adds an IPv6 packet.</summary>
    public void AddIPv6(ulong high, ulong low, uint ipBytes, byte link)
    {
        int i = _count6;
        _highs6[i] = high;
        _lows6[i] = low;
        _lengths6[i] = ipBytes;
        _links6[i] = link;
        _count6 = i + 1;
        _totals.IpBytes += ipBytes;
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        _count4 = 0;
        _count6 = 0;
        _totals = default;
    }
}
