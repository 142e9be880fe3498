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

    /// <summary>Adds frames to the block from <see cref="Position"/> on.</summary>
    /// <param name="window">Bytes of the file; the block was reset to the same memory.</param>
    /// <param name="windowStart">File offset of its first byte, not beyond <see cref="Position"/>.</param>
    /// <param name="block">The block to fill.</param>
    public abstract WalkResult Walk(ReadOnlySpan<byte> window, long windowStart, FrameBlock block);

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
