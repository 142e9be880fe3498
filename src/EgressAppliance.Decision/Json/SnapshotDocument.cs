using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Decision.Json;

// The snapshot as a file holds it: everything may be missing, so that a reader can say what is, and defaults stay those of the contract.

internal sealed class SnapshotDocument
{
    public DateTimeOffset? Time { get; set; }

    public List<LinkDocument?>? Links { get; set; }

    public List<PrefixDocument?>? Prefixes { get; set; }

    public List<OverrideDocument?>? Overrides { get; set; }

    public List<string?>? Quarantined { get; set; }
}

internal sealed class LinkDocument
{
    public string? Name { get; set; }

    public decimal? CapacityBps { get; set; }

    public bool? Up { get; set; }

    public double? Threshold { get; set; }

    public double? Release { get; set; }

    public double? Ceiling { get; set; }

    public decimal? MeasuredBps { get; set; }

    public double? ErrorRatio { get; set; }

    public double? PricePerMbps { get; set; }

    public decimal? CommitBps { get; set; }

    public bool? Drain { get; set; }

    public bool? Distrusted { get; set; }

    public bool? Unconfirmed { get; set; }

    public decimal? NativePeakBps { get; set; }

    public decimal? ResidualBps { get; set; }
}

internal sealed class PrefixDocument
{
    public string? Prefix { get; set; }

    public decimal? RateBps { get; set; }

    public List<string?>? Paths { get; set; }

    public double? ErrorRatio { get; set; }

    public decimal? MeanBps { get; set; }

    public PolicyDocument? Policy { get; set; }
}

internal sealed class PolicyDocument
{
    public int? Number { get; set; }

    public PolicyAction? Action { get; set; }

    public List<string?>? Links { get; set; }

    public int? Class { get; set; }
}

internal sealed class OverrideDocument
{
    public string? Prefix { get; set; }

    public string? Link { get; set; }

    public double? AgeSeconds { get; set; }

    public bool? Pinned { get; set; }

    public bool? Damped { get; set; }

    public bool? ForCost { get; set; }
}
