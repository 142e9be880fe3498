namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>The running data path: sources → decode → batches over channels → lookup → counters.</summary>
public interface ICapturePipeline : IAsyncDisposable
{
    /// <summary>Starts a reading thread per source and the counting workers.</summary>
    void Start();

    /// <summary>Completes when every source has ended and every batch is counted; faults if a thread failed.</summary>
    Task Completion { get; }

    /// <summary>Replaces the rules by which frames get their link, from the next blocks of frames on. One caller at a time.</summary>
    /// <param name="rules">The rules.</param>
    /// <exception cref="ArgumentException">A rule names no link, nothing to match, or a VLAN that cannot be; the rules before stay.</exception>
    void SetLinks(IReadOnlyList<LinkMatch> rules);

    /// <summary>Reads all counters without stopping the workers. One caller at a time.</summary>
    CounterSnapshot TakeSnapshot();

    /// <summary>The totals since start. Any thread.</summary>
    PipelineStatistics GetStatistics();

    /// <summary>The signs of life of all threads, in no case waiting for one of them. Any thread.</summary>
    IReadOnlyList<ThreadPulse> ReadPulses();
}
