using System.Buffers.Binary;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>
/// A capture file, or a part of one, as a packet source: pcap and pcapng, told apart by their first four bytes. One thread reads.
/// </summary>
/// <remarks>
/// The file is read into a buffer that fits the core's own cache, and a block of frames is a list of places in it, or the chain of its records (<see cref="FrameBlock"/>).
/// A record that does not lie in the buffer wholly becomes the first one of the next fill; the buffer grows for one that is longer.
///
/// What is wrong with a file ends it, and never the program: a file that stops in mid-record, a length that cannot be, a packet of an undeclared
/// interface. All frames before that place are delivered, then the source reports <see cref="SourceReadStatus.End"/>
/// and its statistics say what was found at which offset. Only a file that cannot be opened, or that is no capture
/// file at all, is an exception, when it is opened.
///
/// A large file can be cut into parts that several threads read. Where records begin can be told for certain only by stepping over all before. The
/// first record of a part is taken where a run of records begins that look right; a frame's own bytes could look so too. So parts are certain
/// only afterwards, if each one ended where the next had begun (<see cref="PartsMeet"/>); otherwise the file must be read as a whole.
///
/// Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. Time stamps are not read: replay counts packets, not time.
/// </remarks>
public sealed class PcapFileSource : IPacketSource
{
    /// <summary>Bytes of the file that are read at a time.</summary>
    internal const int DefaultWindowBytes = 256 << 10;

    /// <summary>No frame is longer than this; a greater length is taken for garbage. (libpcap's own limit, for USB, is the same.)</summary>
    internal const int MaxFrameBytes = 128 << 20;

    /// <summary>Room for the longest frame with what stands around it.</summary>
    private const int MaxWindowBytes = MaxFrameBytes + (64 << 10);

    /// <summary>Enough to tell the format.</summary>
    private const int HeaderWindowBytes = 4096;

    /// <summary>Smaller parts are not worth a thread's while.</summary>
    private const long MinPartBytes = 4 << 20;

    private readonly FileWindow _window;
    private readonly FrameWalker _walker;
    private readonly long _limit;
    private bool _gaveChain;
    private long _frames;
    private volatile string? _message;
    private bool _ended;

    private PcapFileSource(string name, FileWindow window, FrameWalker walker, long limit)
    {
        Name = name;
        _window = window;
        _walker = walker;
        _limit = limit;
        FirstRecord = walker.Position;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>File offset of the first record or block.</summary>
    public long FirstRecord { get; private set; }

    /// <summary>Opens a capture file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The source's name; the path when null.</param>
    /// <exception cref="CaptureException">The file cannot be read, or is no capture file.</exception>
    public static PcapFileSource Open(string path, string? name = null) => Open(path, name ?? path, DefaultWindowBytes, long.MaxValue);

    /// <summary>
    /// Where a file may be cut into about <paramref name="count"/> parts of equal size: offsets, the first 0 and the last beyond every end. A file
    /// that is too small to be worth it is one part.
    /// </summary>
    /// <exception cref="CaptureException">The file cannot be read, or is no capture file.</exception>
    public static IReadOnlyList<long> FindCuts(string path, int count)
    {
        using PcapFileSource whole = Open(path, path, HeaderWindowBytes, long.MaxValue);
        long length = whole._window.Length;
        long partBytes = Math.Max(MinPartBytes, length / Math.Max(count, 1));
        List<long> cuts = [0];
        for (long cut = partBytes; cut <= length - partBytes; cut += partBytes)
        {
            cuts.Add(cut);
        }

        cuts.Add(long.MaxValue);
        return cuts;
    }

    /// <summary>Opens the records of a file that begin from one offset on and before another.</summary>
    /// <returns>The part; null if no record can be found at its beginning.</returns>
    /// <exception cref="CaptureException">The file cannot be read, or is no capture file.</exception>
    public static PcapFileSource? OpenPart(string path, long from, long to)
    {
        PcapFileSource part = Open(path, path, DefaultWindowBytes, to);
        if (from > 0 && !part.TryStartAt(from))
        {
            part.Dispose();
            return null;
        }

        return part;
    }

    /// <summary>Whether parts, in order and read to their ends, together are the file.</summary>
    public static bool PartsMeet(IReadOnlyList<PcapFileSource> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        for (int i = 0; i < parts.Count; i++)
        {
            // What the file declares behind its first packet, earlier or later parts do not know.
            bool meets = i + 1 == parts.Count || parts[i]._walker.Position == parts[i + 1].FirstRecord;
            if (!meets || !parts[i]._ended || parts[i]._walker.Declarations != parts[0]._walker.Declarations)
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (_gaveChain)
        {
            // Now it is known how much of it was taken.
            _gaveChain = false;
            _walker.Follow(_window, block.Records);
            Volatile.Write(ref _frames, _frames + block.Count);
        }

        block.Clear();
        while (!_ended && !_gaveChain && block.Count == 0)
        {
            _ended = !TryFill(block);
        }

        Volatile.Write(ref _frames, _frames + block.Count);
        return _gaveChain || block.Count > 0 ? SourceReadStatus.Frames : SourceReadStatus.End;
    }

    /// <inheritdoc/>
    public SourceStatistics GetStatistics() => new(Volatile.Read(ref _frames), 0, 0, _message);

    /// <inheritdoc/>
    public void Dispose() => _window.Dispose();

    /// <summary>Opens a file with a window of another size, for tests.</summary>
    internal static PcapFileSource Open(string path, string name, int windowBytes, long limit)
    {
        ArgumentNullException.ThrowIfNull(path);
        FileWindow window = FileWindow.Open(path, windowBytes, MaxWindowBytes);
        try
        {
            return new(name, window, SelectFormat(path, window), limit);
        }
        catch
        {
            window.Dispose();
            throw;
        }
    }

    private static FrameWalker SelectFormat(string path, FileWindow window)
    {
        ReadOnlySpan<byte> head = window.Bytes;
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

    /// <summary>Goes on at the first record from an offset on, knowing what the file declares before its first packet.</summary>
    private bool TryStartAt(long from)
    {
        const int LongestSearch = 4 << 20;
        FrameBlock first = new(1);
        first.Reset(_window.Buffer);
        _walker.Walk(_window.Bytes, _window.Start, from, first);
        _window.MoveTo(from);
        while (!_walker.TryStartAt(_window.Bytes, from, _window.ReachesEnd))
        {
            if (_window.ReachesEnd || _window.Count >= LongestSearch || !_window.TryGrow())
            {
                return false;
            }
        }

        FirstRecord = _walker.Position;
        return true;
    }

    /// <summary>Adds frames until the block is full or the window is used up; false at the end of the file or part.</summary>
    private bool TryFill(FrameBlock block)
    {
        if (_walker.Position >= _limit)
        {
            return false;
        }

        // Keep the window while records still fit; move it when the previous fill ran into its end.
        if (_walker.NeedsWindow)
        {
            if (_walker.Position >= _window.Length)
            {
                _message = _walker.Position > _window.Length ? _walker.DescribeTruncation(_window.Length) : null;
                return false;
            }

            if (!TryMoveWindow())
            {
                return false;
            }

            _walker.NeedsWindow = false;
        }

        if (block.AcceptsChains && _walker.TryChain(_window, _limit, block))
        {
            _gaveChain = true;
            return true;
        }

        block.Reset(_window.Buffer);
        switch (_walker.Walk(_window.Bytes, _window.Start, _limit, block))
        {
            case WalkResult.BlockFull:
                return true;
            case WalkResult.Garbage:
                _message = _walker.Problem;
                return false;
            case WalkResult.WindowUsedUp when _walker.Position >= _limit:
                return true;
            default:
                if (_window.ReachesEnd)
                {
                    // A record that begins and does not end in the file's last window is cut off.
                    _message = _walker.Position != _window.Length || _window.WasShortened ? _walker.DescribeTruncation(_window.Length) : null;
                    return false;
                }

                if (_walker.Position == _window.Start && !_window.TryGrow())
                {
                    _message = $"a record at offset {_walker.Position} is longer than {_window.Count} bytes";
                    return false;
                }

                _walker.NeedsWindow = true;
                return true;
        }
    }

    private bool TryMoveWindow()
    {
        try
        {
            _window.MoveTo(_walker.Position);
        }
        catch (IOException e)
        {
            _message = $"at offset {_walker.Position}: {e.Message}";
            return false;
        }

        return true;
    }
}
