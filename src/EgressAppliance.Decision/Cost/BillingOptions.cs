using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Cost;

/// <summary>How a provider bills: which samples make a month, and how many of the largest are free.</summary>
public sealed record BillingOptions
{
    /// <summary>Length of a sample; divides a day without remainder. 5 minutes is what transit contracts say.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Share of the month's samples that are dropped from the top before billing, 0 to less than 1. 0.05 bills the 95th percentile.</summary>
    public double FreeRatio { get; init; } = 0.05;

    /// <summary>First day of the billing month, 1–28.</summary>
    public int BillingDay { get; init; } = 1;

    /// <summary>The zone in whose midnight a month begins; many providers bill in UTC.</summary>
    [JsonConverter(typeof(TimeZoneConverter))]
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Throws unless all values are in range.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public void Check()
    {
        ArgumentNullException.ThrowIfNull(TimeZone);
        bool whole = Interval >= TimeSpan.FromMinutes(1) && Interval <= TimeSpan.FromDays(1) && TimeSpan.TicksPerDay % Interval.Ticks == 0;
        if (!whole || !(FreeRatio >= 0 && FreeRatio < 1) || BillingDay is < 1 or > 28)
        {
            throw new ArgumentException($"interval {Interval}, free ratio {FreeRatio} or billing day {BillingDay} is out of range");
        }
    }

    /// <summary>Begin of the month that a time falls into, and of the next one; both in UTC.</summary>
    internal (DateTimeOffset Start, DateTimeOffset End) MonthOf(DateTimeOffset time)
    {
        DateTime local = TimeZoneInfo.ConvertTime(time, TimeZone).DateTime;
        DateTime first = new(local.Year, local.Month, BillingDay);
        if (local < first)
        {
            first = first.AddMonths(-1);
        }

        // Where the clock goes back across midnight, the local time of a sample may say one day and its zone's begin of month another.
        (DateTimeOffset start, DateTimeOffset end) = (ToUtc(first), ToUtc(first.AddMonths(1)));
        return time < start ? (ToUtc(first.AddMonths(-1)), start) : (start, end);
    }

    private DateTimeOffset ToUtc(DateTime local)
    {
        // A midnight that the clock skips: the first time after it. One that comes twice: the first of the two.
        while (TimeZone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        TimeSpan offset = TimeZone.IsAmbiguousTime(local) ? TimeZone.GetAmbiguousTimeOffsets(local).Max() : TimeZone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
