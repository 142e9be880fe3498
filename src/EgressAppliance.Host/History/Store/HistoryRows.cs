using EgressAppliance.Net;

namespace EgressAppliance.Host.History.Store;

/// <summary>One link over a minute, or over a longer step of a roll-up. Rates are averages, bit/s.</summary>
/// <param name="Link">The link.</param>
/// <param name="Seconds">Seconds of the step that were measured, at least 1.</param>
/// <param name="MirrorBps">Rate seen on the mirror.</param>
/// <param name="MirrorMaxBps">Its largest value of one cycle.</param>
/// <param name="CounterBps">Rate by the interface counter; null if it was not known.</param>
/// <param name="NativeBps">Projection: load without our overrides; null if nothing was projected.</param>
/// <param name="PlannedBps">Projection: load with the plan in force; null if nothing was planned.</param>
/// <param name="CapacityBps">Capacity; 0 while unknown.</param>
/// <param name="ThresholdBps">Relieve above.</param>
/// <param name="OverloadSeconds">Seconds in which the load (the larger of mirror and counter) exceeded the threshold.</param>
/// <param name="NativeOverloadSeconds">Seconds in which the native load exceeded the threshold.</param>
/// <param name="Overrides">Prefixes moved onto it by us, the most of a cycle.</param>
/// <param name="OverridesAway">Prefixes moved off it by us, the most of a cycle.</param>
public sealed record LinkSample(
    string Link, int Seconds, long MirrorBps, long MirrorMaxBps, long? CounterBps, long? NativeBps, long? PlannedBps, long CapacityBps, long ThresholdBps,
    int OverloadSeconds, int NativeOverloadSeconds, int Overrides, int OverridesAway);

/// <summary>One prefix on one link over a minute.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it was seen to leave by; empty if by none that is configured.</param>
/// <param name="Bps">Average rate, bit/s.</param>
public readonly record struct PrefixSample(IpPrefix Prefix, string Link, long Bps);

/// <summary>What was measured in one minute.</summary>
/// <param name="Minute">Begin of the minute, UTC.</param>
/// <param name="Seconds">Seconds of it that were measured, 1–60.</param>
/// <param name="Links">The links.</param>
/// <param name="Prefixes">The largest prefixes, in any order.</param>
public sealed record HistoryTick(DateTimeOffset Minute, int Seconds, IReadOnlyList<LinkSample> Links, IReadOnlyList<PrefixSample> Prefixes);

/// <summary>What an event is about. The numbers are stored and must not change.</summary>
public enum EventKind
{
    /// <summary>The appliance started.</summary>
    Started = 1,

    /// <summary>The appliance stopped in order. Without one before the next start it was killed, or the machine was.</summary>
    Stopped = 2,

    /// <summary>Ticks were left out, or the database was damaged and repaired.</summary>
    History = 3,

    /// <summary>The mode changed.</summary>
    Mode = 10,

    /// <summary>The verdict changed: a run of cycles with the same verdict begins.</summary>
    Verdict = 11,

    /// <summary>A cycle whose plan changed something, or in observe mode would have.</summary>
    Plan = 12,

    /// <summary>An override was announced.</summary>
    Announced = 20,

    /// <summary>An override was withdrawn.</summary>
    Withdrawn = 21,

    /// <summary>An override ended without the decision maker: its path went, or its lease ran out.</summary>
    Lost = 22,

    /// <summary>The speaker refused an override.</summary>
    Refused = 23,

    /// <summary>A session is Established.</summary>
    SessionUp = 30,

    /// <summary>A session is not Established any more.</summary>
    SessionDown = 31,

    /// <summary>A router's table is complete.</summary>
    TableComplete = 32,

    /// <summary>Capture begins to lose frames.</summary>
    LossBegan = 40,

    /// <summary>Capture has lost no frames for ten seconds.</summary>
    LossEnded = 41,

    /// <summary>A link went down.</summary>
    LinkDown = 42,

    /// <summary>A link came up.</summary>
    LinkUp = 43,

    /// <summary>A router's SNMP agent does not answer.</summary>
    SnmpLost = 44,

    /// <summary>It answers again.</summary>
    SnmpBack = 45,
}

/// <summary>Something that happened.</summary>
/// <param name="Time">When, UTC, to the millisecond.</param>
/// <param name="Kind">What.</param>
public sealed record HistoryEvent(DateTimeOffset Time, EventKind Kind)
{
    /// <summary>The router, link or capture source it is about, or empty.</summary>
    public string Subject { get; init; } = "";

    /// <summary>The prefix, or empty.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The link that is left, or empty.</summary>
    public string From { get; init; } = "";

    /// <summary>The link that is gone to, or empty.</summary>
    public string To { get; init; } = "";

    /// <summary>A rate, bit/s, or null.</summary>
    public long? Bps { get; init; }

    /// <summary>A number that goes with the kind: cycles of the run that ended (verdict), moves (plan), ticks (history); or null.</summary>
    public long? Count { get; init; }

    /// <summary>Reason code, snake_case, or empty.</summary>
    public string Code { get; init; } = "";

    /// <summary>The reason in words.</summary>
    public string Text { get; init; } = "";
}

/// <summary>How a link's billing month stands, or ended.</summary>
/// <param name="Link">The link.</param>
/// <param name="Start">Begin of the month.</param>
/// <param name="End">Begin of the next one.</param>
/// <param name="Label">Year and month of its first day in the link's zone, as 202611.</param>
public sealed record LinkMonth(string Link, DateTimeOffset Start, DateTimeOffset End, int Label)
{
    /// <summary>What the percentile is of: true, the interface counter; false, the mirror, because there was no counter.</summary>
    public bool FromCounter { get; init; }

    /// <summary>Percentile that is billed, 50–100.</summary>
    public int Percentile { get; init; } = 95;

    /// <summary>Samples of the whole month.</summary>
    public int Samples { get; init; }

    /// <summary>Samples that are over and were measured.</summary>
    public int Measured { get; init; }

    /// <summary>What will be billed in any case, commit aside, bit/s; at the end of the month it is the bill.</summary>
    public long StandingBps { get; init; }

    /// <summary>The percentile of the samples so far, bit/s.</summary>
    public long PercentileBps { get; init; }

    /// <summary>The same of the native load, bit/s: under plain BGP.</summary>
    public long NativePercentileBps { get; init; }

    /// <summary>What plain BGP would have been billed in any case, bit/s.</summary>
    public long NativeStandingBps { get; init; }

    /// <summary>Commit, bit/s, or null.</summary>
    public long? CommitBps { get; init; }

    /// <summary>Price of a Mbit/s, or null.</summary>
    public double? PricePerMbit { get; init; }

    /// <summary>Octets sent.</summary>
    public long VolumeBytes { get; init; }

    /// <summary>Largest load of a sample, bit/s.</summary>
    public long PeakBps { get; init; }

    /// <summary>Largest native load of a sample, bit/s.</summary>
    public long NativePeakBps { get; init; }

    /// <summary>Seconds over the threshold.</summary>
    public long OverloadSeconds { get; init; }

    /// <summary>Seconds in which the native load was over the threshold.</summary>
    public long NativeOverloadSeconds { get; init; }

    /// <summary>Seconds over the threshold that plain BGP would have had beyond those that there were.</summary>
    public long AvoidedOverloadSeconds => Math.Max(0, NativeOverloadSeconds - OverloadSeconds);

    /// <summary>What is billed for a rate: price × the larger of it and the commit; null without a price.</summary>
    public decimal? Bill(long bps) => PricePerMbit is { } price ? (decimal)price * Math.Max(bps, CommitBps ?? 0) / 1_000_000m : null;

    /// <summary>What was saved against plain BGP, by the percentiles so far; negative if it cost more; null without a price.</summary>
    public decimal? Saving => Bill(NativePercentileBps) - Bill(PercentileBps);
}
