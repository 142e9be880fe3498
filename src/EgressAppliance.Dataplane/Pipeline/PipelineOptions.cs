using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>How frames are counted.</summary>
public sealed record PipelineOptions
{
    /// <summary>
    /// Threads that count beside those that read, each with counters of its own: 0 to 256. With 0, each reading thread counts what it has read, which
    /// costs least; others help where a source cannot be read by several threads and one alone cannot keep up with it.
    /// </summary>
    public int CountingThreads { get; init; }

    /// <summary>Frames a batch takes: 1 to 1024.</summary>
    public int BatchSize { get; init; } = 1024;

    /// <summary>Batches that go round where there are counting threads, at least two for each thread; bounds memory. (Reading threads that count have two each.) When all are in use a frame is counted as pool_exhausted (live sources) or the reader waits (files).</summary>
    public int Batches { get; init; } = 64;

    /// <summary>True where the source can wait (files), so that no frame is ever given up for want of a batch.</summary>
    public bool WaitForBatch { get; init; }

    /// <summary>Rules by which frames get their link; a frame that none matches is counted under <see cref="LinkId.None"/>.</summary>
    public IReadOnlyList<LinkMatch> Links { get; init; } = [];

    /// <summary>Frames to one of these destination MACs are counted as ignored and no further.</summary>
    public IReadOnlyList<MacAddress> IgnoredMacs { get; init; } = [];

    /// <summary>Tunnels that are taken off before a frame is counted, and before its link is found.</summary>
    public Decapsulation Decapsulation { get; init; }
}
