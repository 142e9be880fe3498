namespace EgressAppliance.Decision.Demand;

/// <summary>How rates are estimated.</summary>
public sealed record DemandOptions
{
    /// <summary>Averaging window: a rate that fell is followed to 5 % of the fall within it; one that rose within a tenth of it, or three ticks if that is longer.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The switch mirrors one frame in this many; bytes are scaled by it.</summary>
    public int Sampling { get; init; } = 1;

    /// <summary>An idle entry below this rate is dropped, bit/s.</summary>
    public long ForgetBelowBps { get; init; } = 100;

    /// <summary>Most entries held; bytes of keys beyond it are counted per link as untracked.</summary>
    public int MaxEntries { get; init; } = 2_000_000;
}
