using EgressAppliance.Decision.Demand;

namespace EgressAppliance.Decision.Control;

/// <summary>How good the inputs of a cycle are. The defaults are those of a healthy system without SNMP.</summary>
public sealed record InputHealth
{
    /// <summary>Age of the newest capture counters.</summary>
    public TimeSpan CaptureAge { get; init; }

    /// <summary>Share of frames lost in capture since the last cycle, 0–1.</summary>
    public double CaptureLoss { get; init; }

    /// <summary>Each router's table has been received whole.</summary>
    public bool RibComplete { get; init; } = true;

    /// <summary>The route feed is there: each router's BGP session (or BMP stream) is up.</summary>
    public bool RouteFeedUp { get; init; } = true;

    /// <summary>All paths are learned (ADD-PATH or BMP), not just the router's best.</summary>
    public bool AllPathsKnown { get; init; } = true;

    /// <summary>Age of the oldest interface counters, or null where none are configured.</summary>
    public TimeSpan? CountersAge { get; init; }

    /// <summary>
    /// The largest part of a link's traffic that its interface counter shows and the mirror does not, as a share of the link's capacity, 0–1; null while unknown.
    /// </summary>
    public double? UnseenRatio { get; init; }

    /// <summary>Links whose mirror rate and interface counter differ in a way that forbids to decide on them, with the cause; null: none.</summary>
    public IReadOnlyList<RateDoubt>? Doubts { get; init; }

    /// <summary>Collectors of the site whose counts of this cycle are missing, null: none. Nothing is decided on half a site.</summary>
    public IReadOnlyList<string>? MissingCollectors { get; init; }

    /// <summary>Bytes attributed to links divided by bytes counted, 0–1, or null while nothing was counted.</summary>
    public double? AttributionRatio { get; init; }
}
