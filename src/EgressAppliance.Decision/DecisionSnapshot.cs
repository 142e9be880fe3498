using EgressAppliance.Net;

namespace EgressAppliance.Decision;

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

    /// <summary>Prefixes that may not be moved for now, because moving them failed a short while ago.</summary>
    public IReadOnlyList<IpPrefix> Quarantined { get; init; } = [];
}
