namespace EgressAppliance.Decision.Cost;

/// <summary>A <see cref="BillingMonth"/> as plain data, to be written down and read back after a restart.</summary>
public sealed record BillingRecord
{
    /// <summary>The link.</summary>
    public required string Link { get; init; }

    /// <summary>Begin of the month, UTC.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>Samples from the begin of the month on, bit/s; −1 where nothing was measured. The last one may not be over yet.</summary>
    public required IReadOnlyList<long> Samples { get; init; }

    /// <summary>How many rates the last sample is the average of so far.</summary>
    public int LastCount { get; init; } = 1;

    /// <summary>What the sum of those rates is more than the average times their number, bit/s; less than that number.</summary>
    public int LastRest { get; init; }

    /// <summary>The samples of the month before; empty if it is not known.</summary>
    public IReadOnlyList<long> Previous { get; init; } = [];
}
