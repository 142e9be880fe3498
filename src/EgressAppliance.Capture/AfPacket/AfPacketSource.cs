using System.Runtime.InteropServices;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>
/// One worker's share of a live interface, through a memory-mapped ring of the kernel's (TPACKET_V3).
/// </summary>
/// <remarks>
/// The kernel copies the first <see cref="AfPacketOptions.SnapLength"/> bytes of each frame into a ring of blocks and hands over a block when it is full or its timeout
/// passed; a block is read in place and given back with the next read. So a read costs one system call at most, however many frames
/// it brings. Several workers of an interface share its frames through a fanout group, each with a ring and a reading thread.
///
/// Lengths: a frame may be much longer than the MTU (veth and GRO hand over segments of up to 64 KiB in one), and the ring tells the length on the wire beside the
/// bytes kept. The outermost VLAN tag is not in the bytes but beside them.
///
/// What is lost is counted: frames for which the ring had no room, and how often the ring froze.
///
/// An interface that goes down or away makes the source unavailable, with the reason in its statistics; it looks again
/// at every read and goes on by itself when the interface is back, under the same name. Counters go on, too.
/// </remarks>
public sealed unsafe class AfPacketSource : IPacketSource
{
    /// <summary>Ethernet header 14, two tags 8, payload 1500.</summary>
    private const int UsualFrameBytes = 1522;

    private readonly AfPacketOptions _options;
    private readonly FanoutGroup _group;
    private readonly int _cpu;
    private readonly Lock _gate = new();
    private AfPacketRing? _ring;
    private bool _threadBound;
    private volatile string? _bindError;
    private bool _holdsBlock;
    private uint _framesLeft;
    private int _nextOffset;
    private long _frames;
    private long _longFrames;
    private int _longestFrame;
    private long _closedDrops;
    private long _closedFreezes;
    private volatile string? _message;

    private AfPacketSource(AfPacketOptions options, FanoutGroup group, int cpu)
    {
        _options = options;
        _group = group;
        _cpu = cpu;
    }

    /// <inheritdoc/>
    public string Name => _options.Interface;

    /// <summary>
    /// Opens an interface: one source per worker, all of the interface's name. An interface that is not there, or down, is not an
    /// error: the sources are unavailable until it comes.
    /// </summary>
    /// <exception cref="CaptureException">A setting is out of range, the filter is wrong, or the right to capture is missing.</exception>
    public static IReadOnlyList<AfPacketSource> Open(AfPacketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        FilterCompiler.CheckSyntax(options);
        FanoutGroup group = new(options.Fanout, options.Workers);
        List<AfPacketSource> sources = [];
        try
        {
            for (int i = 0; i < options.Workers; i++)
            {
                AfPacketSource source = new(options, group, options.Cpus.Count == 0 ? -1 : options.Cpus[i % options.Cpus.Count]);
                sources.Add(source);
                source.OpenFirst();
            }

            return sources;
        }
        catch
        {
            sources.ForEach(source => source.Dispose());
            throw;
        }
    }

    /// <summary>
    /// Tries everything that capturing with these options needs, and undoes it: settings, filter, right, interface, ring, fanout group.
    /// </summary>
    /// <returns>What is wrong, each with a message for the operator; empty if nothing.</returns>
    public static IReadOnlyList<CaptureException> Check(AfPacketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<CaptureException> problems = [];
        Try(options.Validate);
        Try(() => FilterCompiler.CheckSyntax(options));
        if (problems.Count == 0)
        {
            FanoutGroup group = new(options.Fanout, options.Workers);
            Try(() => AfPacketRing.Open(options, group).Dispose());
        }

        return problems;

        void Try(Action action)
        {
            try
            {
                action();
            }
            catch (CaptureException e)
            {
                problems.Add(e);
            }
        }
    }

    /// <summary>Whether the kernel or the NIC merges received segments of an interface into longer frames (ethtool -k); null where it does not say.</summary>
    public static bool? MergesSegments(string interfaceName) => InterfaceInfo.MergesSegments(interfaceName);

    /// <inheritdoc/>
    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(block);
        block.Reset(null, 0);
        BindThread();
        if (_ring is null && !TryOpen())
        {
            Thread.Sleep(timeout);
            return SourceReadStatus.Unavailable;
        }

        AfPacketRing ring = _ring!;
        while (_framesLeft == 0)
        {
            if (_holdsBlock)
            {
                ring.ReleaseBlock();
                _holdsBlock = false;
            }

            switch (ring.WaitForBlock(timeout))
            {
                case RingWaitResult.Block:
                    _holdsBlock = true;
                    RingBlockHeader* header = (RingBlockHeader*)ring.Block;
                    _framesLeft = header->PacketCount;
                    _nextOffset = (int)header->OffsetToFirstPacket;
                    _message = null;
                    NoteLength(ring, header);

                    // Blocks come a thousand times a second at most: often enough that the kernel's 32-bit counters cannot wrap.
                    ring.GetStatistics();
                    break;
                case RingWaitResult.Timeout:
                    return _message is null || CheckInterface(ring) ? SourceReadStatus.Timeout : SourceReadStatus.Unavailable;
                case RingWaitResult.InterfaceDown:
                    _message = AfPacketErrors.InterfaceDown(Name).Message;
                    CheckInterface(ring);
                    return SourceReadStatus.Unavailable;
                default:
                    _message = $"{Name}: the packet socket failed: {Marshal.GetPInvokeErrorMessage(ring.LastError)}";
                    CloseRing();
                    return SourceReadStatus.Unavailable;
            }
        }

        if (block.AcceptsChains && ring.LinkLayer == LinkLayerType.Ethernet)
        {
            // Counted now: the reader takes all of it before it reads again.
            block.ResetToRing(ring.Block, ring.BlockBytes, new RingFrameCursor(ring.Block + _nextOffset, _framesLeft));
            Volatile.Write(ref _frames, _frames + _framesLeft);
            _framesLeft = 0;
            return SourceReadStatus.Frames;
        }

        Fill(block, ring);
        return SourceReadStatus.Frames;
    }

    /// <inheritdoc/>
    public SourceStatistics GetStatistics()
    {
        lock (_gate)
        {
            (long drops, long freezes) = _ring?.GetStatistics() ?? (0, 0);
            return new(Volatile.Read(ref _frames), _closedDrops + drops, _closedFreezes + freezes, _message ?? _bindError)
            {
                LongFrames = Volatile.Read(ref _longFrames),
                LongestFrame = Volatile.Read(ref _longestFrame),
            };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => CloseRing();

    /// <summary>Looks at the first frame's length: where segments are merged, nearly every block that begins with one tells; all lengths would cost each frame.</summary>
    private void NoteLength(AfPacketRing ring, RingBlockHeader* header)
    {
        if (header->PacketCount == 0)
        {
            return;
        }

        // Invariant: the kernel wrote the block; its first header lies within it.
        int length = (int)((RingFrameHeader*)(ring.Block + header->OffsetToFirstPacket))->WireLength;
        if (length > UsualFrameBytes)
        {
            Volatile.Write(ref _longFrames, _longFrames + 1);
            Volatile.Write(ref _longestFrame, Math.Max(_longestFrame, length));
        }
    }

    /// <summary>Lists the frames of the ring block that are left, as many as fit.</summary>
    private void Fill(FrameBlock block, AfPacketRing ring)
    {
        byte* memory = ring.Block;
        block.Reset(memory, ring.BlockBytes);
        while (_framesLeft > 0)
        {
            // The kernel wrote these headers; offsets stay within the block as long as it follows its own layout, and TryAdd checks the result.
            RingFrameHeader* header = (RingFrameHeader*)(memory + _nextOffset);
            FrameHeader frame = new(
                _nextOffset + header->MacOffset,
                (int)header->CapturedLength,
                (int)header->WireLength,
                (ushort)header->VlanTci,
                (header->Status & LibC.TpStatusVlanValid) != 0,
                ring.LinkLayer);
            if (!block.TryAdd(frame))
            {
                break;
            }

            _framesLeft--;
            _nextOffset += (int)header->NextOffset;
        }

        Volatile.Write(ref _frames, _frames + block.Count);
    }

    /// <summary>After the interface went down: true once it is up again. If it is gone, or another one has its name, the ring is closed.</summary>
    private bool CheckInterface(AfPacketRing ring)
    {
        if (InterfaceInfo.IndexOf(Name) != ring.InterfaceIndex)
        {
            _message = AfPacketErrors.NoSuchInterface(Name).Message;
            CloseRing();
            return false;
        }

        if (ring.IsInterfaceUp(Name))
        {
            _message = null;
            return true;
        }

        return false;
    }

    private void BindThread()
    {
        if (!_threadBound)
        {
            _threadBound = true;
            _bindError = _cpu < 0 ? null : ThreadAffinity.BindCurrentThread(_cpu);
        }
    }

    /// <summary>Opens when it is the operator who is waiting: what retrying cannot mend is thrown.</summary>
    private void OpenFirst()
    {
        try
        {
            OpenRing();
        }
        catch (CaptureException e) when (e.Error is CaptureError.NoSuchInterface or CaptureError.InterfaceDown)
        {
            _message = e.Message;
        }
    }

    private bool TryOpen()
    {
        try
        {
            OpenRing();
            return true;
        }
        catch (CaptureException e)
        {
            _message = e.Message;
            return false;
        }
    }

    private void OpenRing()
    {
        AfPacketRing ring = AfPacketRing.Open(_options, _group);
        lock (_gate)
        {
            _ring = ring;
            _message = null;
        }
    }

    private void CloseRing()
    {
        lock (_gate)
        {
            if (_ring is { } ring)
            {
                ring.Dispose();
                (long drops, long freezes) = ring.GetStatistics();
                _closedDrops += drops;
                _closedFreezes += freezes;
                _ring = null;
            }

            _framesLeft = 0;
            _holdsBlock = false;
        }
    }
}
