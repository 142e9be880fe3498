using EgressAppliance.Net;

namespace EgressAppliance.Host.History.Store;

/// <summary>One link in one cycle.</summary>
/// <param name="Link">The link.</param>
/// <param name="MirrorBps">Rate seen on the mirror.</param>
/// <param name="CounterBps">Rate by the interface counter, or null.</param>
/// <param name="NativeBps">Load without our overrides, or null if nothing was projected.</param>
/// <param name="PlannedBps">Load with the plan in force, or null.</param>
/// <param name="CapacityBps">Capacity; 0 while unknown.</param>
/// <param name="ThresholdBps">Relieve above.</param>
/// <param name="Overrides">Prefixes moved onto it.</param>
/// <param name="OverridesAway">Prefixes moved off it.</param>
public readonly record struct LinkReading(
    string Link, long MirrorBps, long? CounterBps, long? NativeBps, long? PlannedBps, long CapacityBps, long ThresholdBps, int Overrides, int OverridesAway);

/// <summary>
/// Makes minutes of cycles. What a cycle shows holds for the time since the cycle before, and counts for each minute by the part of that time that lies in it; so cycles of any length, and of
/// uneven ones, give true averages. Time that no cycle stands for, as while the appliance was stopped, is in no minute. Of one thread.
/// </summary>
/// <param name="top">How many of the largest prefixes a minute keeps.</param>
/// <param name="longest">Longest time that a cycle may stand for.</param>
public sealed class MinuteMeter(int top, TimeSpan longest)
{
    // Beyond the last of the largest, so that one that is large for a part of the minute is not missed.
    private const int Margin = 2;
    private readonly Dictionary<string, LinkSum> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<(IpPrefix, string), double> _prefixes = [];
    private DateTimeOffset? _last;
    private DateTimeOffset _minute;
    private double _seconds;

    /// <summary>Adds a cycle.</summary>
    /// <param name="time">When it was.</param>
    /// <param name="links">The links.</param>
    /// <param name="prefixes">Prefixes, the largest first.</param>
    /// <returns>The minutes that are over, in order; mostly none.</returns>
    public IReadOnlyList<HistoryTick> Add(DateTimeOffset time, IReadOnlyList<LinkReading> links, IEnumerable<PrefixSample> prefixes)
    {
        ArgumentNullException.ThrowIfNull(links);
        List<HistoryTick> over = [];

        // The first cycle, or one after a gap, stands for a second; where the clock was set back, for nothing.
        DateTimeOffset from = _last is not { } last || time - last > longest ? time - TimeSpan.FromSeconds(1) : last < time ? last : time;
        _last = time;
        PrefixSample[] largest = [.. prefixes.Take(top * Margin)];
        while (from < time)
        {
            DateTimeOffset minute = Floor(from);
            if (_seconds > 0 && minute != _minute)
            {
                over.Add(End());
            }

            _minute = minute;
            DateTimeOffset until = minute.AddMinutes(1) < time ? minute.AddMinutes(1) : time;
            Add((until - from).TotalSeconds, links, largest);
            from = until;
        }

        return over;
    }

    /// <summary>Ends the minute under way.</summary>
    /// <returns>Its part so far; null if there is none.</returns>
    public HistoryTick? Finish() => _seconds > 0 ? End() : null;

    private static DateTimeOffset Floor(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);

    private void Add(double seconds, IReadOnlyList<LinkReading> links, PrefixSample[] prefixes)
    {
        _seconds += seconds;
        foreach (LinkReading link in links)
        {
            if (!_links.TryGetValue(link.Link, out LinkSum? sum))
            {
                _links[link.Link] = sum = new LinkSum();
            }

            sum.Add(link, seconds);
        }

        foreach (PrefixSample prefix in prefixes)
        {
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_prefixes, (prefix.Prefix, prefix.Link), out _) += prefix.Bps * seconds;
        }
    }

    private HistoryTick End()
    {
        int seconds = (int)Math.Clamp(Math.Round(_seconds), 1, 60);
        List<PrefixSample> prefixes = [.. _prefixes.Select(p => new PrefixSample(p.Key.Item1, p.Key.Item2, (long)(p.Value / _seconds)))];
        if (prefixes.Count > top)
        {
            prefixes.Sort((a, b) => b.Bps.CompareTo(a.Bps));
            prefixes.RemoveRange(top, prefixes.Count - top);
        }

        HistoryTick tick = new(_minute, seconds, [.. _links.Select(l => l.Value.Over(l.Key, seconds))], prefixes);
        _links.Clear();
        _prefixes.Clear();
        _seconds = 0;
        return tick;
    }

    private sealed class LinkSum
    {
        private double _seconds;
        private double _mirror;
        private long _mirrorMax;
        private (double Sum, double Seconds) _counter;
        private (double Sum, double Seconds) _native;
        private (double Sum, double Seconds) _planned;
        private long _capacity;
        private long _threshold;
        private double _overload;
        private double _nativeOverload;
        private int _overrides;
        private int _away;

        public void Add(LinkReading link, double seconds)
        {
            _seconds += seconds;
            _mirror += link.MirrorBps * seconds;
            _mirrorMax = Math.Max(_mirrorMax, link.MirrorBps);
            Add(ref _counter, link.CounterBps, seconds);
            Add(ref _native, link.NativeBps, seconds);
            Add(ref _planned, link.PlannedBps, seconds);
            _capacity = Math.Max(_capacity, link.CapacityBps);
            _threshold = Math.Max(_threshold, link.ThresholdBps);

            // Either may be blind: the mirror to frames that it drops, the counter to the time since it was last asked.
            bool known = link.ThresholdBps > 0;
            _overload += known && Math.Max(link.MirrorBps, link.CounterBps ?? 0) > link.ThresholdBps ? seconds : 0;
            _nativeOverload += known && link.NativeBps > link.ThresholdBps ? seconds : 0;
            _overrides = Math.Max(_overrides, link.Overrides);
            _away = Math.Max(_away, link.OverridesAway);
        }

        public LinkSample Over(string link, int seconds) => new(
            link, (int)Math.Clamp(Math.Round(_seconds), 1, seconds), (long)(_mirror / _seconds), _mirrorMax, Mean(_counter), Mean(_native), Mean(_planned), _capacity, _threshold,
            (int)Math.Round(_overload), (int)Math.Round(_nativeOverload), _overrides, _away);

        private static void Add(ref (double Sum, double Seconds) mean, long? value, double seconds)
        {
            if (value is { } known)
            {
                mean = (mean.Sum + (known * seconds), mean.Seconds + seconds);
            }
        }

        private static long? Mean((double Sum, double Seconds) mean) => mean.Seconds > 0 ? (long)(mean.Sum / mean.Seconds) : null;
    }
}
