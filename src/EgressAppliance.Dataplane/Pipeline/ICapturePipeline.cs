namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>The running data path: sources → decode → batches over channels → lookup → counters.</summary>
public interface ICapturePipeline : IAsyncDisposable
{
    /// <summary>Starts a reading thread per source and the counting workers.</summary>
    void Start();

    /// <summary>Completes when every source has ended and every batch is counted; faults if a thread failed.</summary>
    Task Completion { get; }

    /// <summary>Reads all counters without stopping the workers. One caller at a time.</summary>
    CounterSnapshot TakeSnapshot();

    /// <summary>The totals since start. Any thread.</summary>
    PipelineStatistics GetStatistics();
}
