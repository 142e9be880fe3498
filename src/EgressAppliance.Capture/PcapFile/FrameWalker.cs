namespace EgressAppliance.Capture.PcapFile;

/// <summary>Why a walk over a window stopped.</summary>
internal enum WalkResult
{
    /// <summary>The frame block is full; go on at the same place.</summary>
    BlockFull,

    /// <summary>The record at the walker's position does not lie within the window, or nothing is left.</summary>
    WindowUsedUp,

    /// <summary>What stands at the walker's position cannot be; see <see cref="FrameWalker.Problem"/>.</summary>
    Garbage,
}

/// <summary>
/// Steps over the records of one file format. Knows bytes only: the window is given, and the walker's state is its position in the file
/// and what the format's headers said so far.
/// </summary>
internal abstract class FrameWalker
{
    /// <summary>File offset of the next record.</summary>
    public long Position { get; protected set; }

    /// <summary>The window must be moved to <see cref="Position"/> before the next walk.</summary>
    public bool NeedsWindow { get; set; }

    /// <summary>What is wrong at <see cref="Position"/>, after <see cref="WalkResult.Garbage"/>.</summary>
    public string? Problem { get; private set; }

    /// <summary>Section headers and interface descriptions seen: what is needed to read packets, and not repeated.</summary>
    public virtual int Declarations => 0;

    /// <summary>Adds frames to the block from <see cref="Position"/> on.</summary>
    /// <param name="window">Bytes of the file; the block was reset to the same memory.</param>
    /// <param name="windowStart">File offset of its first byte, not beyond <see cref="Position"/>.</param>
    /// <param name="limit">File offset at or behind which no record is begun.</param>
    /// <param name="block">The block to fill.</param>
    public abstract WalkResult Walk(ReadOnlySpan<byte> window, long windowStart, long limit, FrameBlock block);

    /// <summary>Gives the records from <see cref="Position"/> on as a chain, if their format allows it and there is one in the window.</summary>
    public virtual bool TryChain(FileWindow window, long limit, FrameBlock block) => false;

    /// <summary>Goes on behind the records of a chain that were taken.</summary>
    public virtual void Follow(FileWindow window, PcapRecordCursor records) => throw new NotSupportedException();

    /// <summary>Goes on at the first record at or behind an offset, as far as can be told by looks: a run of records that could be ones.</summary>
    /// <param name="bytes">Bytes of the file from the offset on.</param>
    /// <param name="from">The offset.</param>
    /// <param name="reachEnd">The bytes reach the end of the file.</param>
    /// <returns>False if none is found in the bytes.</returns>
    public bool TryStartAt(ReadOnlySpan<byte> bytes, long from, bool reachEnd)
    {
        for (int at = 0; at < bytes.Length; at++)
        {
            if (LooksLikeRecords(bytes, at, reachEnd))
            {
                Position = from + at;
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a run of records could begin here.</summary>
    protected abstract bool LooksLikeRecords(ReadOnlySpan<byte> bytes, long at, bool reachEnd);

    /// <summary>The message for a file that ends inside a record; one that was stepped over has moved <see cref="Position"/> beyond the end.</summary>
    public string DescribeTruncation(long fileLength) => Position < fileLength
        ? $"the file is cut short: it ends at {fileLength}, within the record at offset {Position}"
        : $"the file is cut short: it ends at {fileLength}, its last record at {Position}";

    /// <summary>Remembers what is wrong.</summary>
    protected WalkResult Fail(string what)
    {
        Problem = $"{what} at offset {Position}";
        return WalkResult.Garbage;
    }
}
