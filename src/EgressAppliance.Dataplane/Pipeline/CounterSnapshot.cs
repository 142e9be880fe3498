namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>One consistent read of all counters.</summary>
public sealed class CounterSnapshot
{
    /// <summary>When it was taken, <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Cells that changed since the previous snapshot, each once, in no order.</summary>
    public required IReadOnlyList<CounterCell> Cells { get; init; }

    /// <summary>Totals since start at the same moment.</summary>
    public required PipelineStatistics Statistics { get; init; }
}
