using System.Buffers.Binary;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>
/// A capture file as a packet source: pcap and pcapng, told apart by their first four bytes.
/// </summary>
/// <remarks>
/// The file is mapped, never read into buffers: a block of frames is a list of places in the mapped window, and the frames' bytes are touched
/// first by the decoder. Files larger than the window (256 MiB) are walked by moving it; a frame that would cross the window's end
/// becomes the first one of the next window.
///
/// Several threads may read one file, each into a block of its own: they take turns at stepping over the record headers, which is a small part of
/// the work, and do the rest side by side. A window stays mapped until the last block that lies in it is used again.
///
/// What is wrong with a file ends it, and never the program: a file that stops in mid-record, a length that cannot be, a packet of an undeclared
/// interface. All frames before that place are delivered, then the source reports <see cref="SourceReadStatus.End"/>
/// and its statistics say what was found at which offset. Only a file that cannot be opened, or that is no capture
/// file at all, is an exception, when it is opened.
///
/// Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. Time stamps are not read: replay counts packets, not time.
/// </remarks>
public sealed class PcapFileSource : IPacketSource
{
    /// <summary>Bytes of the file that are mapped at a time.</summary>
    public const int DefaultWindowBytes = 256 << 20;

    /// <summary>No frame is longer than this; a greater length is taken for garbage. (libpcap's own limit, for USB, is the same.)</summary>
    internal const int MaxFrameBytes = 128 << 20;

    private readonly Lock _gate = new();
    private readonly MappedFile _file;
    private readonly FrameWalker _walker;
    private long _frames;
    private long _bytes;
    private volatile string? _message;
    private bool _ended;

    private PcapFileSource(string name, MappedFile file, FrameWalker walker)
    {
        Name = name;
        _file = file;
        _walker = walker;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Opens a capture file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The source's name; the path when null.</param>
    /// <param name="windowBytes">Bytes mapped at a time, 64 KiB to 1 GiB. No frame can be longer than that.</param>
    /// <exception cref="CaptureException">The file cannot be read, or is no capture file.</exception>
    public static PcapFileSource Open(string path, string? name = null, int windowBytes = DefaultWindowBytes)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(windowBytes, 64 << 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(windowBytes, 1 << 30);
        MappedFile file = MappedFile.Open(path, windowBytes);
        try
        {
            return new(name ?? path, file, SelectFormat(path, file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(block);
        block.Clear();
        lock (_gate)
        {
            while (!_ended && block.Count == 0)
            {
                _ended = !Fill(block);
            }

            Volatile.Write(ref _bytes, _bytes + block.WireBytes);
            Volatile.Write(ref _frames, _frames + block.Count);
        }

        return block.Count == 0 ? SourceReadStatus.End : SourceReadStatus.Frames;
    }

    /// <inheritdoc/>
    public SourceStatistics GetStatistics() => new(Volatile.Read(ref _frames), Volatile.Read(ref _bytes), 0, 0, _message);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FrameWalker SelectFormat(string path, MappedFile file)
    {
        ReadOnlySpan<byte> head = file.Window!.Bytes;
        if (head.Length >= 4)
        {
            uint magic = BinaryPrimitives.ReadUInt32LittleEndian(head);
            if (magic == PcapNgWalker.SectionHeaderType)
            {
                return new PcapNgWalker();
            }

            if (PcapWalker.TryCreate(magic, head) is { } walker)
            {
                return walker;
            }
        }

        throw new CaptureException(CaptureError.UnknownFileFormat, path, "neither pcap nor pcapng");
    }

    /// <summary>Adds frames until the block is full or the window is used up; false at the end of the file.</summary>
    private bool Fill(FrameBlock block)
    {
        // Keep the window while records still fit; move it when the previous fill ran into its end.
        if (_walker.NeedsWindow)
        {
            if (_walker.Position >= _file.Length)
            {
                _message = _walker.Position > _file.Length ? _walker.DescribeTruncation(_file.Length) : null;
                return false;
            }

            _file.MoveTo(_walker.Position);
            _walker.NeedsWindow = false;
        }

        MappedWindow window = _file.Window!;
        block.Reset(window);
        WalkResult result = _walker.Walk(window.Bytes, window.Start, block);
        switch (result)
        {
            case WalkResult.BlockFull:
                return true;
            case WalkResult.Garbage:
                _message = _walker.Problem;
                return false;
            default:
                if (_file.WindowReachesEnd)
                {
                    // A record that begins and does not end in the file's last window is cut off.
                    _message = _walker.Position != _file.Length ? _walker.DescribeTruncation(_file.Length) : null;
                    return false;
                }

                if (_walker.Position == window.Start)
                {
                    _message = $"a record at offset {_walker.Position} is longer than {window.Length} bytes";
                    return false;
                }

                _walker.NeedsWindow = true;
                return true;
        }
    }
}
