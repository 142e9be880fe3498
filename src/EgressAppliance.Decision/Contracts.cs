using EgressAppliance.Net;

namespace EgressAppliance.Decision;

/// <summary>A link as the planner sees it. Ratios are of capacity.</summary>
public sealed record LinkState
{
    /// <summary>The link's name.</summary>
    public required string Name { get; init; }

    /// <summary>Capacity, bit/s.</summary>
    public required long CapacityBps { get; init; }

    /// <summary>Operational status.</summary>
    public bool Up { get; init; } = true;

    /// <summary>Relieve above this ratio.</summary>
    public double Threshold { get; init; } = 0.95;

    /// <summary>Give back when the native load fits under this ratio.</summary>
    public double Release { get; init; } = 0.85;

    /// <summary>Never fill beyond this ratio by our own moves.</summary>
    public double Ceiling { get; init; } = 0.90;

    /// <summary>Rate by the interface counter, bit/s, if known.</summary>
    public long? MeasuredBps { get; init; }

    /// <summary>Relative error of the rates on this link, 0–1; headroom shrinks by it.</summary>
    public double? ErrorRatio { get; init; }

    /// <summary>Price per Mbit/s of the billed percentile, in any currency, if known.</summary>
    public double? PricePerMbps { get; init; }

    /// <summary>Committed rate, bit/s, if known.</summary>
    public long? CommitBps { get; init; }

    /// <summary>No prefix may be moved onto it (maintenance).</summary>
    public bool Drain { get; init; }

    /// <summary>Native load not attributed to any prefix in the snapshot (small prefixes, unrouted), bit/s.</summary>
    public long ResidualBps { get; init; }
}

/// <summary>The demand of one prefix and where it can go.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="Paths">Names of the links that have a path for exactly this prefix, in the router's order of preference; the first is native.</param>
/// <param name="ErrorRatio">Relative error of the rate, if known.</param>
public sealed record PrefixDemand(IpPrefix Prefix, long RateBps, IReadOnlyList<string> Paths, double? ErrorRatio = null);

/// <summary>An override in force.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it goes by because of us.</param>
/// <param name="AgeSeconds">Seconds since it was announced.</param>
public sealed record ActiveOverride(IpPrefix Prefix, string Link, double AgeSeconds);

/// <summary>Everything one decision depends on.</summary>
public sealed record DecisionSnapshot
{
    /// <summary>When the inputs were read.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The links.</summary>
    public required IReadOnlyList<LinkState> Links { get; init; }

    /// <summary>Demands.</summary>
    public required IReadOnlyList<PrefixDemand> Prefixes { get; init; }

    /// <summary>Overrides in force.</summary>
    public IReadOnlyList<ActiveOverride> Overrides { get; init; } = [];
}
