using System.Runtime.InteropServices;

namespace EgressAppliance.Capture.SharpPcap;

/// <summary>
/// An interface that SharpPcap (libpcap) captures: for devices that only libpcap can open. Our own ring, the default backend, is several times faster.
/// </summary>
/// <remarks>
/// Of SharpPcap's ways to get a packet this uses the one without an object per packet: the pointers of pcap_next_ex. What they point to is gone with the
/// next call, so frames are copied into a buffer that makes up the block. libpcap puts a stripped VLAN tag back into the bytes: here tags are in-band.
/// There is no fanout: one source, and one reading thread, per interface.
///
/// libpcap's drop counter is 32 bits wide and is widened by its differences, in the reading thread at every read. After an error the device is
/// closed, the source is unavailable, and every further read tries to open it again.
/// </remarks>
public sealed unsafe class SharpPcapSource : IPacketSource
{
    /// <summary>Room for a block of 4096 frames of 128 bytes twice over, and for a few of the longest.</summary>
    private const int BufferBytes = 1 << 20;

    /// <summary>struct pcap_pkthdr on 64-bit Unix: a timeval of 16 bytes, then the two lengths.</summary>
    private const int CapturedLengthOffset = 16;
    private const int WireLengthOffset = 20;

    private readonly Func<IPcapDevice> _open;
    private readonly TimeProvider _time;
    private readonly byte* _buffer;
    private IPcapDevice? _device;
    private nint _pendingHeader;
    private nint _pendingData;
    private uint _lastDropped;
    private long _frames;
    private long _dropped;
    private volatile string? _message;
    private bool _disposed;

    /// <summary>A source that opens its device by the function given: now, and again after an error.</summary>
    /// <param name="name">Name of the interface.</param>
    /// <param name="open">Opens the device; throws <see cref="CaptureException"/>.</param>
    /// <param name="time">Bounds the time that a block is filled for.</param>
    /// <exception cref="CaptureException">The device cannot be opened.</exception>
    public SharpPcapSource(string name, Func<IPcapDevice> open, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(time);
        Name = name;
        _open = open;
        _time = time;
        _device = open();
        _buffer = (byte*)NativeMemory.Alloc(BufferBytes);
    }

    /// <summary>Frees the buffer of a source that was not disposed.</summary>
    ~SharpPcapSource()
    {
        NativeMemory.Free(_buffer);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Opens an interface.</summary>
    /// <exception cref="CaptureException">It cannot be opened, or the filter is wrong.</exception>
    public static SharpPcapSource Open(SharpPcapOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(options.Interface, () => SharpPcapDevice.Open(options), time);
    }

    /// <inheritdoc/>
    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(block);
        ObjectDisposedException.ThrowIf(_disposed, this);
        block.Reset(_buffer, BufferBytes);
        if (_device is null && !TryOpen())
        {
            Thread.Sleep(timeout);
            return SourceReadStatus.Unavailable;
        }

        int used = 0;
        long start = _time.GetTimestamp();
        while (true)
        {
            if (_pendingData == 0)
            {
                int result = _device!.NextPacket(ref _pendingHeader, ref _pendingData);
                if (result < 0)
                {
                    Fail(result);
                    break;
                }

                if (result == 0)
                {
                    _pendingData = 0;
                    break;
                }
            }

            if (!TryCopy(block, ref used) || _time.GetElapsedTime(start) >= timeout)
            {
                break;
            }
        }

        CountDrops();
        Volatile.Write(ref _frames, _frames + block.Count);
        return block.Count > 0 ? SourceReadStatus.Frames : _device is null ? SourceReadStatus.Unavailable : SourceReadStatus.Timeout;
    }

    /// <inheritdoc/>
    public SourceStatistics GetStatistics() =>
        new(Volatile.Read(ref _frames), Volatile.Read(ref _dropped), 0, _message);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device?.Dispose();
            NativeMemory.Free(_buffer);
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Copies the pending frame; false, and it stays pending, when block or buffer is full.</summary>
    private bool TryCopy(FrameBlock block, ref int used)
    {
        // pcap_next_ex returned 1: both pointers are valid until it is called again.
        uint captured = *(uint*)(_pendingHeader + CapturedLengthOffset);
        uint wire = *(uint*)(_pendingHeader + WireLengthOffset);
        captured = Math.Min(captured, BufferBytes);
        if (captured > BufferBytes - used)
        {
            return false;
        }

        FrameHeader frame = new(used, (int)captured, (int)Math.Min(wire, int.MaxValue), 0, false, (LinkLayerType)(ushort)_device!.LinkType);
        if (!block.TryAdd(frame))
        {
            return false;
        }

        new ReadOnlySpan<byte>((void*)_pendingData, (int)captured).CopyTo(new Span<byte>(_buffer + used, (int)captured));
        used += (int)captured;
        _pendingData = 0;
        return true;
    }

    private void CountDrops()
    {
        if (_device is not null)
        {
            uint now = _device.Dropped;
            Volatile.Write(ref _dropped, _dropped + unchecked(now - _lastDropped));
            _lastDropped = now;
        }
    }

    private void Fail(int result)
    {
        CountDrops();
        string text = _device!.LastError;
        _message = $"{Name}: {(text.Length > 0 ? text : $"libpcap reported error {result}")}";
        _device.Dispose();
        _device = null;
        _pendingData = 0;
        _lastDropped = 0;
    }

    private bool TryOpen()
    {
        try
        {
            _device = _open();
            _message = null;
            return true;
        }
        catch (CaptureException e)
        {
            _message = e.Message;
            return false;
        }
    }
}
