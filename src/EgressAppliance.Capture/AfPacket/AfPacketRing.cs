using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>How waiting for a ring block ended.</summary>
internal enum RingWaitResult
{
    /// <summary>A block is there.</summary>
    Block,

    /// <summary>None came in time.</summary>
    Timeout,

    /// <summary>The interface went down or away.</summary>
    InterfaceDown,

    /// <summary>The socket has another error; the errno says which.</summary>
    Failed,
}

/// <summary>
/// One packet socket with its TPACKET_V3 ring (kernel Documentation/networking/packet_mmap.rst). One thread reads; statistics may be asked for from any.
/// </summary>
/// <remarks>
/// The order of the system calls matters. The socket is made with protocol 0, so that it receives nothing; ring and a filter that drops all come next,
/// then promiscuous mode and the bind that starts reception, then the fanout group: a socket that is bound but not yet
/// in the group would see every frame, and each would be counted several times. The real filter replaces the dropping one last.
/// </remarks>
internal sealed unsafe class AfPacketRing : IDisposable
{
    /// <summary>Only checked against the block size by the kernel: in version 3 frames are as long as they are.</summary>
    private const int NominalFrameBytes = 2048;

    private readonly Lock _gate = new();
    private readonly int _blockBytes;
    private readonly int _blockCount;
    private readonly nuint _mappedBytes;
    private int _fd;
    private nint _memory;
    private int _current;
    private long _drops;
    private long _freezes;

    private AfPacketRing(int fd, int interfaceIndex, LinkLayerType linkLayer, AfPacketOptions options)
    {
        _fd = fd;
        InterfaceIndex = interfaceIndex;
        LinkLayer = linkLayer;
        _blockBytes = options.BlockBytes;
        _blockCount = (int)(options.RingBytes / options.BlockBytes);
        _mappedBytes = (nuint)_blockBytes * (nuint)_blockCount;
    }

    /// <summary>The interface's index when the ring was opened.</summary>
    public int InterfaceIndex { get; }

    /// <summary>How its frames begin.</summary>
    public LinkLayerType LinkLayer { get; }

    /// <summary>Errno of the last <see cref="RingWaitResult.Failed"/>.</summary>
    public int LastError { get; private set; }

    /// <summary>Memory of the block that <see cref="WaitForBlock"/> gave.</summary>
    public byte* Block => (byte*)_memory + ((long)_current * _blockBytes);

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes => _blockBytes;

    /// <summary>Opens a ring on an interface that is up.</summary>
    /// <exception cref="CaptureException">It cannot be opened.</exception>
    public static AfPacketRing Open(AfPacketOptions options, FanoutGroup group)
    {
        string name = options.Interface;
        int fd = LibC.Socket(LibC.AfPacket, LibC.SockRaw | LibC.SockCloseOnExec, 0);
        if (fd < 0)
        {
            throw AfPacketErrors.FromLastError(name, "opening a packet socket");
        }

        AfPacketRing? ring = null;
        try
        {
            int index = InterfaceInfo.IndexOf(name);
            if (index == 0)
            {
                throw AfPacketErrors.NoSuchInterface(name);
            }

            if (!InterfaceInfo.IsUp(fd, name))
            {
                throw AfPacketErrors.InterfaceDown(name);
            }

            ring = new AfPacketRing(fd, index, InterfaceInfo.LinkLayerOf(fd, name), options);
            ring.Configure(options, group);
            return ring;
        }
        catch
        {
            if (ring is null)
            {
                _ = LibC.Close(fd);
            }

            ring?.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the next block belongs to us.</summary>
    public RingWaitResult WaitForBlock(TimeSpan timeout)
    {
        if (IsBlockReady())
        {
            return RingWaitResult.Block;
        }

        if (timeout <= TimeSpan.Zero)
        {
            // No need to ask the kernel: what is wrong with the socket will be told by a read that waits.
            return RingWaitResult.Timeout;
        }

        PollFd poll = new() { Fd = _fd, Events = LibC.PollIn | LibC.PollError };
        int ready = LibC.Poll(&poll, 1, (int)Math.Clamp(timeout.TotalMilliseconds, 0, int.MaxValue));
        if (ready > 0 && (poll.ReturnedEvents & (LibC.PollError | LibC.PollHangUp)) != 0)
        {
            // Reading the error clears it.
            int error = 0;
            uint length = sizeof(int);
            LibC.GetSocketOption(_fd, LibC.SolSocket, LibC.SoError, &error, &length);
            if (error != 0)
            {
                LastError = error;
                return error == LibC.ENetDown ? RingWaitResult.InterfaceDown : RingWaitResult.Failed;
            }
        }
        else if (ready < 0 && Marshal.GetLastPInvokeError() is var errno and not LibC.EIntr)
        {
            LastError = errno;
            return RingWaitResult.Failed;
        }

        return IsBlockReady() ? RingWaitResult.Block : RingWaitResult.Timeout;
    }

    /// <summary>Gives the block back to the kernel. Its memory must not be read any more.</summary>
    public void ReleaseBlock()
    {
        Volatile.Write(ref ((RingBlockHeader*)Block)->Status, 0);
        _current = _current + 1 == _blockCount ? 0 : _current + 1;
    }

    /// <summary>True if the interface, by name and index, is there and up.</summary>
    public bool IsInterfaceUp(string name) => InterfaceInfo.IsUp(_fd, name);

    /// <summary>Frames dropped and freezes of the ring since it was opened.</summary>
    public (long Drops, long Freezes) GetStatistics()
    {
        lock (_gate)
        {
            if (_fd >= 0)
            {
                // The kernel resets these 32-bit counters when they are read: here is the only reader, and it adds them up.
                RingStatistics statistics = default;
                uint length = (uint)sizeof(RingStatistics);
                if (LibC.GetSocketOption(_fd, LibC.SolPacket, LibC.PacketStatistics, &statistics, &length) == 0)
                {
                    _drops += statistics.Drops;
                    _freezes += statistics.Freezes;
                }
            }

            return (_drops, _freezes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        GetStatistics();
        lock (_gate)
        {
            if (_memory != 0)
            {
                _ = LibC.Unmap(_memory, _mappedBytes);
                _memory = 0;
            }

            if (_fd >= 0)
            {
                _ = LibC.Close(_fd);
                _fd = -1;
            }
        }
    }

    private bool IsBlockReady() => (Volatile.Read(ref ((RingBlockHeader*)Block)->Status) & LibC.TpStatusUser) != 0;

    private void Configure(AfPacketOptions options, FanoutGroup group)
    {
        string name = options.Interface;
        int version = LibC.TpacketV3;
        Set(LibC.SolPacket, LibC.PacketVersion, &version, sizeof(int), name, "choosing TPACKET_V3");

        // A mirror is read, but if the interface also sends (a bridge, a demo on one host), its own frames are no mirrored traffic.
        int on = 1;
        Set(LibC.SolPacket, LibC.PacketIgnoreOutgoing, &on, sizeof(int), name, "ignoring outgoing frames");

        RingRequest request = new()
        {
            BlockSize = (uint)_blockBytes,
            BlockCount = (uint)_blockCount,
            FrameSize = NominalFrameBytes,
            FrameCount = (uint)(_blockBytes / NominalFrameBytes * _blockCount),
            RetireTimeoutMilliseconds = (uint)options.BlockTimeout.TotalMilliseconds,
        };
        Set(LibC.SolPacket, LibC.PacketRxRing, &request, (uint)sizeof(RingRequest), name, "making the ring");
        _memory = LibC.Map(0, _mappedBytes, LibC.ProtRead | LibC.ProtWrite, LibC.MapShared | LibC.MapPopulate, _fd, 0);
        if (_memory == -1)
        {
            _memory = 0;
            throw AfPacketErrors.FromLastError(name, "mapping the ring");
        }

        AttachFilter(FilterCompiler.DropAll, name);
        if (options.Promiscuous)
        {
            PacketMembership membership = new() { InterfaceIndex = InterfaceIndex, Type = LibC.PacketMrPromiscuous };
            Set(LibC.SolPacket, LibC.PacketAddMembership, &membership, (uint)sizeof(PacketMembership), name, "turning on promiscuous mode");
        }

        SockAddrLinkLayer address = new()
        {
            Family = LibC.AfPacket,
            Protocol = BinaryPrimitives.ReverseEndianness(LibC.EthPAll),
            InterfaceIndex = InterfaceIndex,
        };
        if (LibC.Bind(_fd, &address, (uint)sizeof(SockAddrLinkLayer)) != 0)
        {
            throw AfPacketErrors.FromLastError(name, "binding the socket");
        }

        group.Join(_fd, InterfaceIndex, name);
        AttachFilter(FilterCompiler.Compile(options, LinkLayer), name);
    }

    private void AttachFilter(ulong[] instructions, string name)
    {
        fixed (ulong* first = instructions)
        {
            // sock_fprog counts in 16 bits; in little-endian order the lower half of this field.
            FilterProgram program = new() { Length = (ushort)instructions.Length, Instructions = first };
            Set(LibC.SolSocket, LibC.SoAttachFilter, &program, (uint)sizeof(FilterProgram), name, "attaching the filter");
        }
    }

    private void Set(int level, int option, void* value, uint length, string name, string doing)
    {
        if (LibC.SetSocketOption(_fd, level, option, value, length) != 0)
        {
            throw AfPacketErrors.FromLastError(name, doing);
        }
    }
}
