using EgressAppliance.Dataplane.Pipeline;

namespace EgressAppliance.Host.Flow;

/// <summary>
/// Capture and flow export as one data path. A link is counted by one of the two, so that their cells are put together and never added up.
/// The totals are those of capture: its frames and the exporters' records have no unit in common. What flow export did is in <see cref="Read"/>.
/// </summary>
public sealed class FlowPipeline : ICapturePipeline
{
    private readonly ICapturePipeline? _capture;
    private readonly FlowCollector _collector;
    private readonly FlowReceiver? _receiver;
    private readonly TimeProvider _time;

    /// <summary>Puts the two together.</summary>
    /// <param name="capture">Capture, or null; disposed with this.</param>
    /// <param name="collector">The counters of flow export.</param>
    /// <param name="receiver">The sockets, disposed with this; null where something else gives the collector its datagrams.</param>
    /// <param name="time">The clock of the time stamps.</param>
    public FlowPipeline(ICapturePipeline? capture, FlowCollector collector, FlowReceiver? receiver, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(collector);
        ArgumentNullException.ThrowIfNull(time);
        _capture = capture;
        _collector = collector;
        _receiver = receiver;
        _time = time;
    }

    /// <inheritdoc/>
    /// <remarks>Sockets never end, so that it is the first of the two that fails.</remarks>
    public Task Completion => CompleteAsync();

    /// <inheritdoc/>
    public void Start()
    {
        _capture?.Start();
        _receiver?.Start();
    }

    /// <inheritdoc/>
    public void SetLinks(IReadOnlyList<LinkMatch> rules) => _capture?.SetLinks(rules);

    /// <inheritdoc/>
    public CounterSnapshot TakeSnapshot()
    {
        CounterSnapshot? captured = _capture?.TakeSnapshot();
        long timestamp = captured?.Timestamp ?? _time.GetTimestamp();
        IReadOnlyList<CounterCell> exported = _collector.Take(timestamp);
        return new CounterSnapshot
        {
            Timestamp = timestamp,
            Cells = captured is null or { Cells.Count: 0 } ? exported : [.. captured.Cells, .. exported],
            Statistics = captured?.Statistics ?? new PipelineStatistics(),
        };
    }

    /// <inheritdoc/>
    public PipelineStatistics GetStatistics() => _capture?.GetStatistics() ?? new PipelineStatistics();

    /// <inheritdoc/>
    public IReadOnlyList<ThreadPulse> ReadPulses() => [.. _capture?.ReadPulses() ?? [], .. _receiver?.ReadPulses() ?? []];

    /// <summary>The counters of flow export. Any thread.</summary>
    public FlowReading Read() => _collector.Read() with { Listeners = _receiver?.Read() ?? [] };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_receiver is not null)
        {
            await _receiver.DisposeAsync().ConfigureAwait(false);
        }

        if (_capture is not null)
        {
            await _capture.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task CompleteAsync()
    {
        Task[] parts = [.. new[] { _capture?.Completion, _receiver?.Completion }.OfType<Task>()];
        if (parts.Length == 0)
        {
            return;
        }

        // One that ended in order (capture files) leaves the other; one that failed ends both.
        Task first = await Task.WhenAny(parts).ConfigureAwait(false);
        await first.ConfigureAwait(false);
        await Task.WhenAll(parts).ConfigureAwait(false);
    }
}
