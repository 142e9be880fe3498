using EgressAppliance.Capture;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>Which frames belong to a link. A rule that names several things matches when all of them do.</summary>
/// <param name="Link">The link; not <see cref="LinkId.None"/>.</param>
/// <param name="DestinationMac">The provider router's MAC, or null.</param>
/// <param name="Vlan">Outermost VLAN id 1–4094, in-band or from the ring's metadata, or null.</param>
/// <param name="Source">Name of the capture source, or null.</param>
public sealed record LinkMatch(LinkId Link, MacAddress? DestinationMac, ushort? Vlan, string? Source);

/// <summary>How frames are counted.</summary>
public sealed record PipelineOptions
{
    /// <summary>Counting workers, each with counters of its own.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Packets a batch holds.</summary>
    public int BatchSize { get; init; } = 1024;

    /// <summary>Batches that go round; bounds memory. When all are in use a frame is counted as pool_exhausted (live sources) or the reader waits (files).</summary>
    public int Batches { get; init; } = 64;

    /// <summary>True where the source can wait (files), so that no frame is ever given up for want of a batch.</summary>
    public bool WaitForBatch { get; init; }

    /// <summary>Rules by which frames get their link; a frame that none matches is counted under <see cref="LinkId.None"/>.</summary>
    public IReadOnlyList<LinkMatch> Links { get; init; } = [];

    /// <summary>Frames to one of these destination MACs are counted as ignored and no further.</summary>
    public IReadOnlyList<MacAddress> IgnoredMacs { get; init; } = [];
}

/// <summary>What one (prefix, link) cell gained since the previous snapshot.</summary>
/// <param name="PrefixId">Id in the <see cref="PrefixTable"/>; 0: no prefix matched (unrouted).</param>
/// <param name="Link">The link; <see cref="LinkId.None"/> if no rule matched.</param>
/// <param name="Packets">Packets.</param>
/// <param name="IpBytes">IP bytes: IPv4 total length, or IPv6 payload length + 40.</param>
public readonly record struct CounterCell(uint PrefixId, LinkId Link, long Packets, long IpBytes);

/// <summary>One consistent read of all counters.</summary>
public sealed class CounterSnapshot
{
    /// <summary>When it was taken, <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Cells that changed since the previous snapshot, each once, in no order.</summary>
    public required IReadOnlyList<CounterCell> Cells { get; init; }

    /// <summary>Totals since start at the same moment.</summary>
    public required PipelineStatistics Statistics { get; init; }
}

/// <summary>Where every frame ended, since start. Frames = Packets + NonIp + Ignored + Σ Undecodable + PoolExhausted.</summary>
public sealed record PipelineStatistics
{
    /// <summary>Frames the sources delivered.</summary>
    public long Frames { get; init; }

    /// <summary>IP packets counted.</summary>
    public long Packets { get; init; }

    /// <summary>Their IP bytes.</summary>
    public long IpBytes { get; init; }

    /// <summary>Frames that carry something other than IP.</summary>
    public long NonIp { get; init; }

    /// <summary>Frames to an ignored MAC.</summary>
    public long Ignored { get; init; }

    /// <summary>Frames that could not be decoded, by reason (snake_case).</summary>
    public IReadOnlyDictionary<string, long> Undecodable { get; init; } = new Dictionary<string, long>();

    /// <summary>Frames given up because no free batch was left.</summary>
    public long PoolExhausted { get; init; }

    /// <summary>Packets without a matching prefix.</summary>
    public long UnroutedPackets { get; init; }

    /// <summary>Their IP bytes.</summary>
    public long UnroutedIpBytes { get; init; }

    /// <summary>Counters of each source, by name.</summary>
    public IReadOnlyDictionary<string, SourceStatistics> Sources { get; init; } = new Dictionary<string, SourceStatistics>();
}

/// <summary>The running data path: sources → decode → batches over channels → lookup → counters.</summary>
public interface ICapturePipeline : IAsyncDisposable
{
    /// <summary>Starts a reading thread per source and the counting workers.</summary>
    void Start();

    /// <summary>Completes when every source has ended and every batch is counted; faults if a thread failed.</summary>
    Task Completion { get; }

    /// <summary>Reads all counters without stopping the workers. One caller at a time.</summary>
    CounterSnapshot TakeSnapshot();

    /// <summary>The totals since start. Any thread.</summary>
    PipelineStatistics GetStatistics();
}
