using EgressAppliance.Net;

namespace EgressAppliance.Cluster.Deltas;

/// <summary>
/// What one collector counted in one tick: the message from a collector to the controllers. It holds what changed in the tick, so that a message that is lost
/// loses its tick and nothing else, and beside it totals since the start, by which what was lost can be told.
/// </summary>
public sealed record TrafficDelta
{
    /// <summary>Name of the site.</summary>
    public required string Site { get; init; }

    /// <summary>Name of the box that counted, unique within the site.</summary>
    public required string Box { get; init; }

    /// <summary>Tells one run of the box's program from another: sequence numbers and totals begin anew with it. Unix time of the start, ns.</summary>
    public required long Run { get; init; }

    /// <summary>Number of the delta within the run, from 1 without gaps.</summary>
    public required long Sequence { get; init; }

    /// <summary>Number of the tick: its end, Unix time, divided by <see cref="Period"/>. The same for all boxes whose clocks agree.</summary>
    public required long Tick { get; init; }

    /// <summary>Planned length of a tick.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Time that the counts are of, by a clock that nobody sets: since the previous delta of the run, or since counting began.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>Fingerprint of those parts of the box's configuration that all boxes of a site must agree on (routers, links).</summary>
    public string ConfigHash { get; init; } = "";

    /// <summary>Counts by link and prefix; only what is not zero.</summary>
    public IReadOnlyList<LinkDelta> Links { get; init; } = [];

    /// <summary>Where frames ended, since the start of the run.</summary>
    public CollectorCounters Counters { get; init; } = new();

    /// <summary>How the box fares.</summary>
    public CollectorHealth Health { get; init; } = new();
}

/// <summary>What left by one link in a tick. Arrays of one field each: a collector sends 100,000 cells and more every tick.</summary>
public sealed record LinkDelta
{
    /// <summary>Name of the link; empty: what no rule matched.</summary>
    public required string Link { get; init; }

    /// <summary>The prefixes, each once, sorted; <c>default</c> (sorted first) for packets that matched none.</summary>
    public required IReadOnlyList<IpPrefix> Prefixes { get; init; }

    /// <summary>Packets of each, scaled up by the sampling, not negative.</summary>
    public required IReadOnlyList<long> Packets { get; init; }

    /// <summary>IP bytes of each, scaled up by the sampling, not negative.</summary>
    public required IReadOnlyList<long> IpBytes { get; init; }

    /// <summary>One packet in this many was looked at, on average over the link's packets of the tick; 1: all were. At least 1.</summary>
    public double Sampling { get; init; } = 1;
}

/// <summary>Where every frame ended, since the start of the run. Frames = Packets + NonIp + Ignored + Undecodable + PoolExhausted.</summary>
public sealed record CollectorCounters
{
    /// <summary>Frames that the sources delivered.</summary>
    public long Frames { get; init; }

    /// <summary>IP packets counted.</summary>
    public long Packets { get; init; }

    /// <summary>Their IP bytes.</summary>
    public long IpBytes { get; init; }

    /// <summary>Frames that carry something other than IP.</summary>
    public long NonIp { get; init; }

    /// <summary>Frames to an ignored MAC.</summary>
    public long Ignored { get; init; }

    /// <summary>Frames that could not be decoded.</summary>
    public long Undecodable { get; init; }

    /// <summary>Frames given up because no free batch was left.</summary>
    public long PoolExhausted { get; init; }

    /// <summary>Frames that the kernel dropped.</summary>
    public long KernelDropped { get; init; }

    /// <summary>Packets without a matching prefix.</summary>
    public long UnroutedPackets { get; init; }

    /// <summary>Their IP bytes.</summary>
    public long UnroutedIpBytes { get; init; }

    /// <summary>Deltas that were given up before they reached the broker.</summary>
    public long DeltasDropped { get; init; }
}

/// <summary>How a collector fares.</summary>
public sealed record CollectorHealth
{
    /// <summary>Every router's table is complete: packets find their prefixes.</summary>
    public bool TableComplete { get; init; }

    /// <summary>Prefixes in its table.</summary>
    public long Prefixes { get; init; }

    /// <summary>Share of frames lost of late in capture, 0–1.</summary>
    public double LossRatio { get; init; }

    /// <summary>Longest silence of one of its sources.</summary>
    public TimeSpan CaptureAge { get; init; }

    /// <summary>What is wrong with it, in words; at most 32 lines of 512 characters are sent.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Version of its program.</summary>
    public string Version { get; init; } = "";
}
