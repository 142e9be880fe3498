using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// Takes from each cycle what the history keeps, on the control loop's thread: a few thousand additions, no disk, no waiting. A bug here must not stop steering: it is logged once, and counted
/// as a problem. Events may come from any thread.
/// </summary>
public sealed class HistoryRecorder : IAsyncDisposable
{
    private readonly HistoryWriter _writer;
    private readonly LinkDirectory _links;
    private readonly MinuteMeter _meter;
    private readonly TimeProvider _time;
    private readonly ILogger<HistoryRecorder> _logger;
    private readonly Lock _gate = new();
    private readonly EventWatch _watch = new();
    private string? _bug;

    /// <summary>Begins with an event that the appliance started.</summary>
    /// <param name="writer">Takes minutes and events; disposed with this.</param>
    /// <param name="options">What governs the history.</param>
    /// <param name="links">The links.</param>
    /// <param name="cycle">Period of the control loop.</param>
    /// <param name="time">The time of day.</param>
    /// <param name="logger">Where to log.</param>
    public HistoryRecorder(HistoryWriter writer, HistoryOptions options, LinkDirectory links, TimeSpan cycle, TimeProvider time, ILogger<HistoryRecorder> logger)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _writer = writer;
        _links = links;
        _time = time;
        _logger = logger;
        _meter = new MinuteMeter(options.TopPrefixes, 3 * cycle);
        _writer.Add(null, [new HistoryEvent(time.GetUtcNow(), EventKind.Started) { Text = StateBuilder.Version }]);
    }

    /// <summary>Why the history is not kept, in words, or null.</summary>
    public string? Problem => _writer.Status.Problem is { } problem ? $"The history is not written: {problem}." : _bug;

    /// <summary>How it is doing.</summary>
    public HistoryStatus Status => _writer.Status with { Sinks = Sinks?.Invoke() ?? [] };

    /// <summary>Tells how the sinks are doing; null without any.</summary>
    public Func<IReadOnlyList<SinkStatus>>? Sinks { get; init; }

    /// <summary>Notes a cycle.</summary>
    /// <param name="state">What is shown of it.</param>
    /// <param name="rates">The largest prefixes.</param>
    /// <param name="outcome">What it came to.</param>
    public void Note(StateEventDto state, RateView rates, CycleOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(rates);
        ArgumentNullException.ThrowIfNull(outcome);
        Guarded(() =>
        {
            bool planned = outcome.Plan is not null;
            LinkReading[] links =
            [
                .. state.Links.Select(l => new LinkReading(
                    l.Name, l.MirrorBps, l.CounterBps, planned ? l.NativeBps : null, planned ? l.PlannedBps : null, l.CapacityBps, l.ThresholdBps, l.Overrides, l.OverridesAway)),
            ];
            IReadOnlyList<HistoryTick> over = _meter.Add(
                outcome.Time, links, rates.Sorted.Select(r => new PrefixSample(r.Prefix, _links[r.Link]?.Name ?? "", r.RateBps)));
            List<HistoryEvent> events;
            lock (_gate)
            {
                events = _watch.OfCycle(outcome, state);
            }

            foreach (HistoryTick tick in over)
            {
                _writer.Add(tick, []);
            }

            Hand(events);
        });
    }

    /// <summary>Notes an operator's command.</summary>
    public void Note(CycleOutcome command)
    {
        ArgumentNullException.ThrowIfNull(command);
        Guarded(() =>
        {
            lock (_gate)
            {
                Hand(_watch.OfCommand(command));
            }
        });
    }

    /// <summary>Notes that the speaker withdrew an override by itself.</summary>
    public void NoteLost(IpPrefix prefix, string reason) => Guarded(() =>
    {
        lock (_gate)
        {
            Hand([_watch.OfLost(_time.GetUtcNow(), prefix, reason)]);
        }
    });

    /// <summary>Writes the minute under way and closes the database. No cycle may be noted meanwhile.</summary>
    public async ValueTask DisposeAsync()
    {
        Guarded(() => _writer.Add(_meter.Finish(), [new HistoryEvent(_time.GetUtcNow(), EventKind.Stopped)]));
        await _writer.DisposeAsync();
    }

    private void Hand(List<HistoryEvent> events)
    {
        if (events.Count > 0)
        {
            _writer.Add(null, events);
        }
    }

    private void Guarded(Action note)
    {
        try
        {
            note();
        }
        catch (Exception e)
        {
            if (_bug is null)
            {
                HistoryLog.NotNoted(_logger, e);
            }

            _bug = $"A cycle could not be noted for the history: {e.Message}";
        }
    }
}
