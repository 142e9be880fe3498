using EgressAppliance.Cluster.Deltas;

namespace EgressAppliance.Cluster.Merge;

/// <summary>Why a delta was not taken.</summary>
public enum DeltaRefusal
{
    /// <summary>It was.</summary>
    None,

    /// <summary>No collector of this name is expected.</summary>
    UnknownBox,

    /// <summary>It was taken before.</summary>
    Duplicate,

    /// <summary>It is of a run of the collector that has ended.</summary>
    OldRun,

    /// <summary>Its ticks are of another length than those here.</summary>
    OtherPeriod,
}

/// <summary>What a controller knows of a collector. Immutable.</summary>
public sealed record CollectorStatus
{
    /// <summary>Its name.</summary>
    public required string Box { get; init; }

    /// <summary>Name of the mirror that it has in common with others; empty: none.</summary>
    public string Mirror { get; init; } = "";

    /// <summary>Nothing came of it for the latest tick.</summary>
    public bool Missing { get; init; } = true;

    /// <summary>Another collector's counts of the same mirror are used.</summary>
    public bool Redundant { get; init; }

    /// <summary>Time of its latest tick; null: never heard.</summary>
    public DateTimeOffset? LastTick { get; init; }

    /// <summary>Time from the end of the latest tick to its arrival, by the clocks of the two boxes; far off when one of these is wrong.</summary>
    public TimeSpan Lateness { get; init; }

    /// <summary>Deltas taken.</summary>
    public long Deltas { get; init; }

    /// <summary>Cells of the latest one.</summary>
    public int Cells { get; init; }

    /// <summary>Deltas that never came, by the sequence numbers.</summary>
    public long Lost { get; init; }

    /// <summary>Deltas that came more than once.</summary>
    public long Duplicates { get; init; }

    /// <summary>Deltas that were not taken for another reason.</summary>
    public long Refused { get; init; }

    /// <summary>Ticks without anything from it.</summary>
    public long Gaps { get; init; }

    /// <summary>Runs that began since this box listens.</summary>
    public long Restarts { get; init; }

    /// <summary>Bits a second of IP that it counted in the latest tick.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>Its own counters, of its latest run.</summary>
    public CollectorCounters Counters { get; init; } = new();

    /// <summary>What it says of itself.</summary>
    public CollectorHealth Health { get; init; } = new();
}

/// <summary>What one read of a <see cref="SiteMerger"/> came to, beside the cells.</summary>
public sealed record MergedTick
{
    /// <summary>By index of the link, the seconds that its rates stand for; 0: a collector that shows it is missing.</summary>
    public required IReadOnlyList<double> CoveredSeconds { get; init; }

    /// <summary>The same for what no link's rule matched: known only when every collector was heard.</summary>
    public required double CoveredElsewhere { get; init; }

    /// <summary>Collectors whose counts are missing and that no other one stands in for.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>The tables of all collectors that were heard are complete.</summary>
    public required bool TablesComplete { get; init; }

    /// <summary>Counters of all collectors since this box listens; they never fall.</summary>
    public required CollectorCounters Totals { get; init; }

    /// <summary>Frames that each collector got and that its kernel dropped, since this box listens.</summary>
    public required IReadOnlyDictionary<string, (long Frames, long Dropped)> Sources { get; init; }

    /// <summary>What is wrong, in words.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
