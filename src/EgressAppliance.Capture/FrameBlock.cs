using EgressAppliance.Capture.PcapFile;

namespace EgressAppliance.Capture;

/// <summary>Link-layer type of a frame; values are those of pcap LINKTYPE_ (tcpdump.org/linktypes.html).</summary>
public enum LinkLayerType : ushort
{
    /// <summary>BSD loopback, family in host order.</summary>
    Null = 0,

    /// <summary>Ethernet II or 802.3.</summary>
    Ethernet = 1,

    /// <summary>An IP packet with no link header.</summary>
    RawIp = 101,

    /// <summary>Linux cooked capture v1.</summary>
    LinuxSll = 113,

    /// <summary>Linux cooked capture v2.</summary>
    LinuxSll2 = 276,
}

/// <summary>Where one frame lies in its block, and what the source knows of it beyond its bytes.</summary>
/// <param name="Offset">First byte in the block's memory.</param>
/// <param name="CapturedLength">Bytes that are there.</param>
/// <param name="WireLength">Bytes the frame had on the wire.</param>
/// <param name="VlanTci">Tag control information of an outer tag that the kernel stripped (packet(7), tp_vlan_tci); valid if <paramref name="HasVlan"/>.</param>
/// <param name="HasVlan">The source reports a stripped tag (TP_STATUS_VLAN_VALID).</param>
/// <param name="LinkLayer">How the bytes begin.</param>
public readonly record struct FrameHeader(
    int Offset, int CapturedLength, int WireLength, ushort VlanTci, bool HasVlan, LinkLayerType LinkLayer);

/// <summary>
/// A block of frames that lie in one piece of memory (a ring block, a window of a mapped file, a buffer): the unit in which sources deliver.
/// Owned by the reading thread; a source fills it, and it stays valid until the next read. Not thread-safe.
/// </summary>
public sealed unsafe class FrameBlock
{
    private readonly FrameHeader[] _frames;
    private PinnedBuffer? _buffer;
    private MappedWindow? _window;
    private byte* _base;
    private int _length;

    /// <summary>A block for at most <paramref name="capacity"/> frames.</summary>
    public FrameBlock(int capacity = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _frames = new FrameHeader[capacity];
    }

    /// <summary>Most frames the block can hold.</summary>
    public int Capacity => _frames.Length;

    /// <summary>Frames in the block.</summary>
    public int Count { get; private set; }

    /// <summary>Length on the wire of all frames in the block.</summary>
    public long WireBytes { get; private set; }

    /// <summary>The memory that all frames lie in.</summary>
    public ReadOnlySpan<byte> Data => new(_base, _length);

    /// <summary>The frames, in order of arrival.</summary>
    public ReadOnlySpan<FrameHeader> Frames => _frames.AsSpan(0, Count);

    /// <summary>Places for frames that are not used yet.</summary>
    internal Span<FrameHeader> Free => _frames.AsSpan(Count);

    /// <summary>Starts a new fill over memory that does not move and stays valid until the next read.</summary>
    public void Reset(byte* memory, int length)
    {
        _buffer = null;
        _window?.Release();
        _window = null;
        _base = memory;
        _length = length;
        Count = 0;
        WireBytes = 0;
    }

    /// <summary>Starts a new fill over a managed buffer, for sources without unsafe code. The block keeps the buffer alive.</summary>
    public void Reset(PinnedBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        Reset(buffer.Address, buffer.Length);
        _buffer = buffer;
    }

    /// <summary>Empties the block and lets go of the memory it keeps.</summary>
    public void Clear() => Reset(null, 0);

    /// <summary>Starts a new fill over a part of a mapped file. The block keeps it mapped.</summary>
    internal void Reset(MappedWindow window)
    {
        // Before the old window is let go: it may be the same one.
        window.Hold();
        Reset(window.Memory, window.Length);
        _window = window;
    }

    /// <summary>Adds a frame; false when the block is full.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The frame does not lie within the block's memory.</exception>
    public bool TryAdd(in FrameHeader frame)
    {
        if (Count == _frames.Length)
        {
            return false;
        }

        if ((uint)frame.Offset > (uint)_length || (uint)frame.CapturedLength > (uint)(_length - frame.Offset))
        {
            throw new ArgumentOutOfRangeException(nameof(frame), "The frame lies outside its block.");
        }

        _frames[Count++] = frame;
        WireBytes += frame.WireLength;
        return true;
    }

    /// <summary>Takes frames that were written to <see cref="Free"/>, each of which the writer knows to lie within the block's memory.</summary>
    internal void Commit(int count, long wireBytes)
    {
        Count += count;
        WireBytes += wireBytes;
    }
}
