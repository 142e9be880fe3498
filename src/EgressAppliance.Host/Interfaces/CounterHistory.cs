namespace EgressAppliance.Host.Interfaces;

/// <summary>What a sample did to a <see cref="CounterHistory"/>.</summary>
public enum CounterEvent
{
    /// <summary>The first sample, or the first after a gap in polling longer than the window.</summary>
    First,

    /// <summary>The value of the sample before: an idle interface or an agent's cache.</summary>
    Unchanged,

    /// <summary>A change.</summary>
    Changed,

    /// <summary>The counter went back, and not by its 64-bit wrap: history starts anew.</summary>
    Discontinuity,
}

/// <summary>
/// The recent changes of one byte counter and the rate they give.
/// </summary>
/// <remarks>
/// Agents cache their counters for seconds (net-snmp: 3 s, some routers: 30 s). Polled faster than that, successive samples
/// differ by 0, 0, 3x, so the difference between polls is no rate. A change, however, shows when the agent has read the
/// hardware anew, so the rate is taken between the first and the last change inside the window. The very first sample is no
/// change (its value may be old by the cache's age) and serves only to find the first one. What error is left comes from an
/// agent whose cache is renewed by its own timer: a change is seen up to one poll after it was made, which matters by
/// (lesser of poll and cache) / window.
///
/// When changes fail to come for longer than is usual on this counter, the time since then counts too and the rate sinks; when
/// that lasts for a whole window the interface is idle and the rate is 0.
///
/// Not safe for concurrent use: belongs to the task that polls the router.
/// </remarks>
public sealed class CounterHistory
{
    // Longer than the caches seen on common platforms when polls are frequent; slower ones are learned from the gaps.
    private static readonly TimeSpan UsualCache = TimeSpan.FromSeconds(15);

    // Fastest interface that a wrap is believed of while the capacity is not known, bit/s.
    private const double FastestBps = 10e12;

    private readonly TimeSpan _window;
    private readonly TimeSpan _poll;
    private readonly List<(TimeSpan Time, ulong Total)> _changes = [];
    private (TimeSpan Time, ulong Octets)? _first;
    private (TimeSpan Time, ulong Octets) _last;
    private ulong _total;

    /// <summary>Makes an empty history.</summary>
    /// <param name="poll">Period of the samples.</param>
    public CounterHistory(TimeSpan poll)
    {
        _poll = poll;
        _window = TimeSpan.FromTicks(Math.Max(TimeSpan.FromSeconds(30).Ticks, 4 * poll.Ticks));
    }

    /// <summary>When the counter was last seen to move, on the clock of the samples.</summary>
    public TimeSpan? LastChange => _changes.Count > 0 ? _changes[^1].Time : null;

    // A late poll and one in time may be close together; over so short a time the age of a cached value would dominate.
    private TimeSpan LeastSpan => 0.9 * _poll;

    /// <summary>Forgets everything: the interface is another one, or the router restarted.</summary>
    public void Reset()
    {
        _changes.Clear();
        _first = null;
        _total = 0;
    }

    /// <summary>Takes a sample.</summary>
    /// <param name="now">Time of the answer on a monotonic clock.</param>
    /// <param name="octets">The counter.</param>
    /// <param name="capacityBps">Capacity if known, to tell a wrap from a counter set back.</param>
    /// <param name="narrow">The counter has 32 bits. More than one wrap between two changes cannot be told: see <see cref="CanFollow"/>.</param>
    public CounterEvent Add(TimeSpan now, ulong octets, long? capacityBps = null, bool narrow = false)
    {
        if (_first is null || now - _last.Time > _window)
        {
            return Restart(now, octets, CounterEvent.First);
        }

        ulong delta = unchecked(octets - _last.Octets);
        delta = narrow ? (uint)delta : delta;
        if (octets < _last.Octets)
        {
            double mostBytes = 2 * (capacityBps ?? FastestBps) / 8 * (now - (LastChange ?? _first.Value.Time)).TotalSeconds;
            if (delta > mostBytes)
            {
                return Restart(now, octets, CounterEvent.Discontinuity);
            }
        }

        _last = (now, octets);
        if (delta == 0)
        {
            return CounterEvent.Unchanged;
        }

        _total = unchecked(_total + delta);
        _changes.Add((now, _total));
        while (_changes.Count > 2 && _changes[0].Time < now - _window && now - _changes[1].Time >= LeastSpan)
        {
            _changes.RemoveAt(0);
        }

        return CounterEvent.Changed;
    }

    /// <summary>
    /// True if a 32-bit counter cannot wrap more than once, nor come half around, between two polls or within an agent's cache at this capacity. Up to 1 Gbit/s
    /// that is a poll of 17 s.
    /// </summary>
    /// <param name="poll">Period of the samples.</param>
    /// <param name="capacityBps">The most that the interface carries.</param>
    public static bool CanFollow(TimeSpan poll, long capacityBps) => poll.TotalSeconds * capacityBps / 8 <= uint.MaxValue / 2.0;

    /// <summary>The rate, bit/s; null while no two changes a period apart are known and the counter has not stood still for long.</summary>
    /// <param name="now">Time of the last sample.</param>
    public double? RateBps(TimeSpan now)
    {
        if (_first is null)
        {
            return null;
        }

        TimeSpan patience = 2 * _poll > UsualCache ? 2 * _poll : UsualCache;
        if (_changes.Count < 2)
        {
            return now - (LastChange ?? _first.Value.Time) > patience + _window ? 0 : null;
        }

        TimeSpan gap = 1.5 * (_changes[^1].Time - _changes[^2].Time);
        patience = gap > patience ? gap : patience;
        TimeSpan age = now - _changes[^1].Time;
        if (age > patience + _window)
        {
            return 0;
        }

        TimeSpan span = (age > patience ? now : _changes[^1].Time) - _changes[0].Time;
        return span >= LeastSpan ? unchecked(_changes[^1].Total - _changes[0].Total) * 8.0 / span.TotalSeconds : null;
    }

    private CounterEvent Restart(TimeSpan now, ulong octets, CounterEvent what)
    {
        Reset();
        _first = _last = (now, octets);
        return what;
    }
}
