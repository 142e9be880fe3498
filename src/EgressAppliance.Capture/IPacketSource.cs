namespace EgressAppliance.Capture;

/// <summary>How a read from a packet source ended.</summary>
public enum SourceReadStatus
{
    /// <summary>The block holds one or more frames.</summary>
    Frames,

    /// <summary>Nothing came within the timeout; call again.</summary>
    Timeout,

    /// <summary>The source has ended for good (end of file).</summary>
    End,

    /// <summary>The source cannot deliver now (interface down or gone); the reason is in its statistics. Call again later.</summary>
    Unavailable,
}

/// <summary>Counters of one source, 64-bit and never reset.</summary>
/// <param name="ReceivedFrames">Frames handed to the pipeline.</param>
/// <param name="DroppedFrames">Frames the kernel dropped because the ring was full.</param>
/// <param name="Freezes">Times the ring froze (all blocks in user space).</param>
/// <param name="Message">Why the source is unavailable, or null.</param>
public readonly record struct SourceStatistics(long ReceivedFrames, long DroppedFrames, long Freezes, string? Message = null)
{
    /// <summary>
    /// Of the frames that the source looked at more closely (a live ring: the first of each block), those longer on the wire than an Ethernet frame of
    /// 1500 bytes with two tags: jumbo frames, or segments that the NIC or the kernel merged.
    /// </summary>
    public long LongFrames { get; init; }

    /// <summary>Wire length of the longest of them, bytes; 0 if there was none.</summary>
    public int LongestFrame { get; init; }
}

/// <summary>
/// Something that delivers captured frames in blocks: a live ring, a file, a simulator. One thread reads a source.
/// </summary>
public interface IPacketSource : IDisposable
{
    /// <summary>The name that configuration and statistics use: the capture interface, or the file.</summary>
    string Name { get; }

    /// <summary>
    /// Gives the next frames. The block's previous frames become invalid with this call.
    /// </summary>
    SourceReadStatus Read(FrameBlock block, TimeSpan timeout);

    /// <summary>The counters so far. Callable from any thread.</summary>
    SourceStatistics GetStatistics();
}
