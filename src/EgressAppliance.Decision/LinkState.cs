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

    /// <summary>Share by which limits shrink for the error of the load on this link, 0–1: e/(1 + e) of the relative error e that a load at the threshold has.</summary>
    public double? ErrorRatio { get; init; }

    /// <summary>Price per Mbit/s of the billed percentile, in any currency, if known.</summary>
    public double? PricePerMbps { get; init; }

    /// <summary>Committed rate, bit/s, if known.</summary>
    public long? CommitBps { get; init; }

    /// <summary>No prefix may be moved onto it (maintenance).</summary>
    public bool Drain { get; init; }

    /// <summary>No prefix may be moved onto it for now, because the router did not carry out such moves of late.</summary>
    public bool Distrusted { get; init; }

    /// <summary>
    /// Over its threshold in too few of the last cycles to be sure: until it is more than a blip, only what exceeds the capacity is relieved.
    /// </summary>
    public bool Unconfirmed { get; init; }

    /// <summary>Highest load without our overrides in the last minutes, bit/s, if known: an override is given back only where it would have fitted then too.</summary>
    public long? NativePeakBps { get; init; }

    /// <summary>Native load not attributed to any prefix in the snapshot (small prefixes, unrouted), bit/s.</summary>
    public long ResidualBps { get; init; }
}
