using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Replay;

/// <summary>What a prefix got by one link.</summary>
/// <param name="Prefix">The longest prefix that matched.</param>
/// <param name="Link">Name of the link, or null.</param>
/// <param name="Packets">Packets.</param>
/// <param name="IpBytes">IP bytes.</param>
public readonly record struct ReplayPrefix(IpPrefix Prefix, string? Link, long Packets, long IpBytes);

/// <summary>The counts of a replay, of all files or of one.</summary>
public sealed record ReplayResult
{
    /// <summary>The file; null for the sum of all.</summary>
    public string? File { get; init; }

    /// <summary>Where every frame ended.</summary>
    public required PipelineStatistics Statistics { get; init; }

    /// <summary>Prefixes that got packets, in order of prefix and link.</summary>
    public required IReadOnlyList<ReplayPrefix> Prefixes { get; init; }

    /// <summary>Files that could not be read, or not to their end: <c>file: reason</c>.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>A file could not be opened at all: its counts are missing.</summary>
    public bool Failed { get; init; }

    /// <summary>Time from the first read to the last count; loading the prefixes is not in it.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Processor time of all threads of the process within <see cref="Elapsed"/>.</summary>
    public TimeSpan Cpu { get; init; }

    /// <summary>Frames that could not be decoded.</summary>
    public long Undecodable => Statistics.Undecodable.Values.Sum();

    /// <summary>IP packets counted per second of <see cref="Elapsed"/>.</summary>
    public double PacketsPerSecond => Elapsed > TimeSpan.Zero ? Statistics.Packets / Elapsed.TotalSeconds : 0;
}
