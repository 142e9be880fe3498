using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>What flow export is worth: which links it tells of, how long each exporter has been silent, what it lost and how far it lags behind. One caller at a time.</summary>
internal sealed class FlowWatch
{
    private readonly IReadOnlyList<LinkConfig> _links;
    private readonly FlowConfig? _config;
    private readonly TimeProvider _time;
    private readonly bool[] _fed;
    private readonly Exporter[] _exporters;
    private long _read;
    private long _dropped;

    /// <param name="config">The configuration.</param>
    /// <param name="time">The clock of the timestamps.</param>
    public FlowWatch(ApplianceConfig config, TimeProvider time)
    {
        _links = config.Links;
        _config = config.Flow;
        _time = time;
        _fed = [.. config.Links.Select(l => FlowLinks.IsFed(config, l))];
        long start = time.GetTimestamp();
        _exporters = [.. (_config?.Exporters ?? []).Select(e => new Exporter(e.Router, e.Address) { Heard = start })];
    }

    /// <summary>The largest share lost of late by any exporter, 0–1.</summary>
    public double WorstLoss => _exporters.Select(e => e.Loss).DefaultIfEmpty(0).Max();

    /// <summary>Whether flow export tells what a link carries.</summary>
    public bool IsFed(int link) => _fed[link];

    /// <summary>Share lost of late of what tells of a link, 0–1.</summary>
    public double LossOf(int link) => OfRouter(link).Select(e => e.Loss).DefaultIfEmpty(0).Max();

    /// <summary>By how much the rates of a link lag behind: the average duration of its router's records.</summary>
    public TimeSpan DelayOf(int link) => _fed[link] ? OfRouter(link).Select(e => e.Delay).DefaultIfEmpty(TimeSpan.Zero).Max() : TimeSpan.Zero;

    /// <summary>Takes the counters of a cycle.</summary>
    /// <param name="reading">The counters.</param>
    /// <param name="timestamp">When they were read.</param>
    /// <param name="weight">Weight of the cycle in what is averaged.</param>
    /// <param name="first">What was lost before says nothing about what is counted from here on.</param>
    /// <returns>The same with what was lost of late.</returns>
    public FlowReading Note(FlowReading reading, long timestamp, double weight, bool first)
    {
        // What a full receive buffer dropped may have been anybody's; where sequence numbers are good, they show it as well.
        long read = reading.Listeners.Sum(l => l.Datagrams);
        long dropped = reading.Listeners.Sum(l => l.KernelDropped);
        double kernel = first ? 0 : Share(dropped - _dropped, read - _read);
        (_read, _dropped) = (read, dropped);
        for (int i = 0; i < _exporters.Length; i++)
        {
            Exporter own = _exporters[i];
            ExporterReading now = reading.Exporters[i];
            double lost = first ? 0 : Share(now.Lost - own.Lost, now.Received - own.Received);
            bool came = now.Datagrams > own.Datagrams;
            if (came || lost > 0 || kernel > 0)
            {
                // Where nothing was expected, nothing is known of the share.
                own.Loss += weight * (Math.Max(lost, kernel) - own.Loss);
            }

            own.Heard = came ? timestamp : own.Heard;
            (own.Datagrams, own.Lost, own.Received, own.Delay) = (now.Datagrams, now.Lost, now.Received, now.Delay);
        }

        return reading with { Exporters = [.. reading.Exporters.Select((e, i) => e with { LossRatio = _exporters[i].Loss })] };
    }

    /// <summary>
    /// The longest silence of an exporter, beyond the active timeout: for so long it may have nothing to say of traffic that goes on. Silence is no fault while the interface
    /// counters of all its links say that there is nothing to see.
    /// </summary>
    /// <param name="now">Now, timestamp.</param>
    /// <param name="isIdle">Whether a link's counter says that it carries nothing.</param>
    /// <param name="limit">A longer silence is a problem.</param>
    /// <param name="problems">Takes it.</param>
    public TimeSpan Age(long now, Func<int, bool> isIdle, TimeSpan limit, List<string> problems)
    {
        TimeSpan oldest = TimeSpan.Zero;
        foreach (Exporter exporter in _exporters)
        {
            TimeSpan silent = _time.GetElapsedTime(exporter.Heard, now);
            TimeSpan age = silent - _config!.ActiveTimeout;
            bool idle = Enumerable.Range(0, _fed.Length).All(i => !_fed[i] || _links[i].Router != exporter.Router || isIdle(i));
            if (idle || age <= oldest)
            {
                continue;
            }

            oldest = age;
            if (age > limit)
            {
                problems.Add($"Flow exporter {exporter.Address} of {exporter.Router} has sent nothing for {silent.TotalSeconds:0} s.");
            }
        }

        return oldest;
    }

    private IEnumerable<Exporter> OfRouter(int link) => _exporters.Where(e => e.Router == _links[link].Router);

    private static double Share(long lost, long received) => lost > 0 ? (double)lost / (lost + Math.Max(0, received)) : 0;

    private sealed class Exporter(string router, IpAddr address)
    {
        public string Router => router;

        public IpAddr Address => address;

        public long Datagrams { get; set; }

        public long Received { get; set; }

        public long Lost { get; set; }

        public double Loss { get; set; }

        public TimeSpan Delay { get; set; }

        public long Heard { get; set; }
    }
}
