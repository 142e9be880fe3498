using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Traffic;

/// <summary>What left by one link for one prefix.</summary>
/// <param name="Prefix">The prefix; <c>default</c>: none matched, or it is gone.</param>
/// <param name="Link">The link; <see cref="LinkId.None"/> if no rule matched.</param>
/// <param name="Packets">Packets, scaled up by the sampling.</param>
/// <param name="IpBytes">IP bytes, scaled up by the sampling.</param>
/// <param name="Seen">Packets that were looked at.</param>
/// <param name="RateFactor">What the counts are multiplied with to stand for <see cref="TrafficReading.CoveredSeconds"/>; 0: they count in totals only, since others lack.</param>
public readonly record struct TrafficCell(IpPrefix Prefix, LinkId Link, long Packets, long IpBytes, double Seen, double RateFactor = 1);

/// <summary>One read of all counters, beside the cells.</summary>
public sealed record TrafficReading
{
    /// <summary>When it was taken, <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Totals since start.</summary>
    public required PipelineStatistics Statistics { get; init; }

    /// <summary>By link id, the time that the cells with a rate stand for, 0 where nothing is known of a link. Empty: for all links the time since the last reading.</summary>
    public IReadOnlyList<double> CoveredSeconds { get; init; } = [];

    /// <summary>Collectors of which nothing came for this reading.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Every collector's table is complete; always true of this box's own data path, whose table is judged by its sessions.</summary>
    public bool TablesComplete { get; init; } = true;

    /// <summary>What is wrong, in words.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}
