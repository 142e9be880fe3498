using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Capture.PcapFile;

namespace EgressAppliance.Capture;

/// <summary>Link-layer type of a frame; values are those of pcap LINKTYPE_ (tcpdump.org/linktypes.html).</summary>
public enum LinkLayerType : ushort
{
    /// <summary>BSD loopback, family in host order.</summary>
    Null = 0,

    /// <summary>Ethernet II or 802.3.</summary>
    Ethernet = 1,

    /// <summary>PPP, with or without address and control field.</summary>
    Ppp = 9,

    /// <summary>An IP packet with no link header.</summary>
    RawIp = 101,

    /// <summary>Linux cooked capture v1.</summary>
    LinuxSll = 113,

    /// <summary>An IPv4 packet with no link header.</summary>
    RawIPv4 = 228,

    /// <summary>An IPv6 packet with no link header.</summary>
    RawIPv6 = 229,

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
/// A block of frames that lie in one piece of memory (a ring block, a buffer): the unit in which sources deliver.
/// Owned by the reading thread; a source fills it, and it stays valid until the next read. Not thread-safe.
/// </summary>
/// <remarks>
/// Most sources list the places of the frames. The pipeline also takes chains: memory in which each frame leads to the next, stepped over by the decoder
/// itself, so that a frame's header is touched once and no list is written and read. A source gives them only to blocks that were made for it.
/// </remarks>
public sealed unsafe class FrameBlock
{
    private readonly FrameHeader[] _frames;
    private PinnedBuffer? _buffer;
    private byte* _base;
    private int _length;

    /// <summary>A block for at most <paramref name="capacity"/> frames.</summary>
    public FrameBlock(int capacity = 4096)
        : this(capacity, acceptsChains: false)
    {
    }

    /// <summary>A block whose reader may step over chains itself; those have no bound but their memory.</summary>
    internal FrameBlock(int capacity, bool acceptsChains)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _frames = new FrameHeader[capacity];
        AcceptsChains = acceptsChains;
    }

    /// <summary>Most frames the block can list.</summary>
    public int Capacity => _frames.Length;

    /// <summary>Frames listed in the block; of a chain, those that its reader has taken so far.</summary>
    public int Count { get; private set; }

    /// <summary>Sources may give chains.</summary>
    internal bool AcceptsChains { get; }

    /// <summary>Whether the frames are listed, or how they are chained.</summary>
    internal FrameChain Chain { get; private set; }

    /// <summary>The records of a file that are left, where <see cref="Chain"/> says so.</summary>
    internal PcapRecordCursor Records { get; private set; }

    /// <summary>The frames of a ring that are left, where <see cref="Chain"/> says so.</summary>
    internal RingFrameCursor Ring { get; private set; }

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
        _base = memory;
        _length = length;
        Count = 0;
        Chain = FrameChain.None;
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
        return true;
    }

    /// <summary>Takes frames that were written to <see cref="Free"/>, each of which the writer knows to lie within the block's memory.</summary>
    internal void Commit(int count) => Count += count;

    /// <summary>Gives the records of a file that lie in a buffer.</summary>
    internal void ResetToRecords(PinnedBuffer buffer, PcapRecordCursor records)
    {
        Reset(buffer);
        Chain = FrameChain.PcapRecords;
        Records = records;
    }

    /// <summary>Gives the frames of a ring block.</summary>
    internal void ResetToRing(byte* memory, int length, RingFrameCursor ring)
    {
        Reset(memory, length);
        Chain = FrameChain.RingFrames;
        Ring = ring;
    }

    /// <summary>The reader has taken frames of the chain and stands at <paramref name="records"/>.</summary>
    internal void Take(PcapRecordCursor records, int frames)
    {
        Records = records;
        Commit(frames);
    }

    /// <summary>The reader has taken frames of the chain and stands at <paramref name="ring"/>.</summary>
    internal void Take(RingFrameCursor ring, int frames)
    {
        Ring = ring;
        Commit(frames);
    }
}

/// <summary>How the frames of a <see cref="FrameBlock"/> are found.</summary>
internal enum FrameChain
{
    /// <summary>They are listed.</summary>
    None,

    /// <summary>By <see cref="PcapRecordCursor"/>.</summary>
    PcapRecords,

    /// <summary>By <see cref="RingFrameCursor"/>.</summary>
    RingFrames,
}
