namespace EgressAppliance.Decision.Cost;

/// <summary>What became of a rate that was added to a month.</summary>
public enum BillingAddResult
{
    /// <summary>It is part of its sample.</summary>
    Added,

    /// <summary>It is the first of a new month; the month before is kept for forecasts, all earlier ones are dropped.</summary>
    RolledOver,

    /// <summary>Its sample is over; what is over is not changed.</summary>
    TooOld,

    /// <summary>The rate is negative or more than <see cref="Planner.SnapshotCheck.MaxBps"/>, or the year is before 1901 or after 8999.</summary>
    OutOfRange,
}
