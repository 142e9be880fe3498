using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;

namespace EgressAppliance.Host.Steering;

/// <summary>How long the sources of packets and of counters have been silent, by a clock that nobody sets. One caller at a time.</summary>
internal sealed class InputAges
{
    private readonly IReadOnlyList<LinkConfig> _links;
    private readonly HashSet<string> _polledRouters;
    private readonly FlowWatch _flow;
    private readonly Func<string, int, bool> _mayShow;
    private readonly bool _hasFlow;
    private readonly TimeProvider _time;
    private readonly TimeSpan _maxCapture;
    private readonly TimeSpan _maxCounters;
    private readonly long _start;
    private readonly Dictionary<string, (long Frames, long Timestamp)> _heard = [];
    private readonly Dictionary<string, (DateTimeOffset? Poll, long Timestamp)> _polled = [];

    /// <param name="config">The configuration.</param>
    /// <param name="flow">Knows how long the exporters have been silent.</param>
    /// <param name="mayShow">Whether a source may show a link.</param>
    /// <param name="time">The clock of the timestamps.</param>
    public InputAges(ApplianceConfig config, FlowWatch flow, Func<string, int, bool> mayShow, TimeProvider time)
    {
        _links = config.Links;
        _polledRouters = [.. config.Routers.Where(r => r.Snmp is not null).Select(r => r.Name)];
        _flow = flow;
        _mayShow = mayShow;
        _hasFlow = config.Flow is not null;
        _time = time;
        ControllerOptions options = SteeringOptions.ForController(config);
        _maxCapture = options.MaxCaptureAge;
        _maxCounters = options.MaxCountersAge;
        _start = time.GetTimestamp();
    }

    /// <summary>Notes which sources of capture have delivered anything.</summary>
    /// <param name="statistics">Their counters.</param>
    /// <param name="now">When these were read, timestamp.</param>
    public void Listen(PipelineStatistics statistics, long now)
    {
        foreach ((string name, SourceStatistics source) in statistics.Sources)
        {
            (long frames, long timestamp) = _heard.GetValueOrDefault(name, (0, _start));
            _heard[name] = (source.ReceivedFrames, source.ReceivedFrames > frames ? now : timestamp);
        }
    }

    /// <summary>
    /// The longest silence of a source: with one of several mirrors gone, the links it showed would look empty. Silence is no fault while the
    /// interface counters of all links that the source may show say that there is nothing to see.
    /// </summary>
    /// <param name="now">Now, timestamp.</param>
    /// <param name="sources">The sources of capture.</param>
    /// <param name="isIdle">Whether a link's counter says that it carries nothing.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public TimeSpan OfCapture(long now, IReadOnlyDictionary<string, SourceStatistics> sources, Func<int, bool> isIdle, List<string> problems)
    {
        TimeSpan oldest = _flow.Age(now, isIdle, _maxCapture, problems);
        foreach ((string name, SourceStatistics source) in sources)
        {
            bool idle = source.Message is null && Enumerable.Range(0, _links.Count).All(i => _flow.IsFed(i) || !_mayShow(name, i) || isIdle(i));
            TimeSpan age = _time.GetElapsedTime(_heard[name].Timestamp, now);
            if (idle || age <= oldest)
            {
                continue;
            }

            oldest = age;
            if (age > _maxCapture)
            {
                problems.Add($"Capture source {name} has delivered nothing for {age.TotalSeconds:0} s{(source.Message is null ? "" : $" ({source.Message})")}.");
            }
        }

        return sources.Count > 0 || _hasFlow ? oldest : _time.GetElapsedTime(_start, now);
    }

    /// <summary>The longest time since a polled interface last answered; null if none is polled.</summary>
    /// <param name="now">Now, timestamp.</param>
    /// <param name="interfaces">The links' interfaces.</param>
    public TimeSpan? OfCounters(long now, IReadOnlyList<InterfaceState> interfaces) => interfaces.Max(state => OfCounter(state, now));

    /// <summary>Whether a polled interface has not answered for too long.</summary>
    /// <param name="state">The interface.</param>
    /// <param name="now">Now, timestamp.</param>
    public bool IsMissing(InterfaceState state, long now) => OfCounter(state, now) > _maxCounters;

    /// <summary>Time since a router last answered for an interface, by when its answers were seen here: the poll's time of day may be set. Null where it is not asked.</summary>
    private TimeSpan? OfCounter(InterfaceState state, long now)
    {
        if (!_polledRouters.Contains(state.Router))
        {
            return null;
        }

        (DateTimeOffset? poll, long timestamp) = _polled.GetValueOrDefault(state.Link, (null, _start));
        timestamp = state.LastPoll == poll ? timestamp : now;
        _polled[state.Link] = (state.LastPoll, timestamp);
        return _time.GetElapsedTime(timestamp, now);
    }
}
