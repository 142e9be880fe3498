using EgressAppliance.Decision.Cost;

namespace EgressAppliance.Decision.Control;

/// <summary>What cost mode remembers: written down, it goes on from there after a restart.</summary>
public sealed record CostModeState
{
    /// <summary>The month of each link with a price, by link.</summary>
    public IReadOnlyList<BillingRecord> Months { get; init; } = [];

    /// <summary>Levels and the moves that are left; null before the first proposal.</summary>
    public CostMemory? Memory { get; init; }

    /// <summary>What the latest proposal came to.</summary>
    public CostVerdict Verdict { get; init; }

    /// <summary>Begin of the sample that was last decided on.</summary>
    public DateTimeOffset? Decided { get; init; }

    /// <summary>Rates that no sample took, because the time of day was set back or is not to be believed.</summary>
    public long Refused { get; init; }
}
