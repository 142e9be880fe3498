using EgressAppliance.Capture;

namespace EgressAppliance.Dataplane.Pipeline;

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

    /// <summary>Each reading thread, in the order of the sources; an interface with several workers has several.</summary>
    public IReadOnlyList<ReaderStatistics> Readers { get; init; } = [];
}

/// <summary>What one reading thread had from its source, and how decoding ended, since start. Batches not counted yet are included.</summary>
public sealed record ReaderStatistics
{
    /// <summary>The source's name.</summary>
    public required string Source { get; init; }

    /// <summary>The source's own counters.</summary>
    public SourceStatistics Received { get; init; }

    /// <summary>Frames given up because no free batch was left.</summary>
    public long PoolExhausted { get; init; }

    /// <summary>IP packets.</summary>
    public long Packets { get; init; }

    /// <summary>Their IP bytes.</summary>
    public long IpBytes { get; init; }

    /// <summary>Frames that carry something other than IP.</summary>
    public long NonIp { get; init; }

    /// <summary>Frames to an ignored MAC.</summary>
    public long Ignored { get; init; }

    /// <summary>Frames that could not be decoded, by reason (snake_case).</summary>
    public IReadOnlyDictionary<string, long> Undecodable { get; init; } = new Dictionary<string, long>();
}
