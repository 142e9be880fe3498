using System.Runtime.InteropServices;
using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Traffic;

/// <summary>
/// A collector's traffic: what its own loop reads of its data path, which its page shows, is kept beside until the end of the cycle and then goes to the controllers as one delta.
/// One caller at a time.
/// </summary>
public sealed class DeltaTap : ITrafficSource
{
    private readonly ITrafficSource _inner;
    private readonly ApplianceConfig _config;
    private readonly TimeProvider _time;
    private readonly Action<TrafficDelta> _publish;
    private readonly Func<long> _dropped;
    private readonly string _hash;
    private readonly long _run;
    private readonly Dictionary<(LinkId Link, IpPrefix Prefix), (long Packets, long Bytes)> _cells = [];
    private readonly Dictionary<LinkId, (double Packets, double Seen)> _sampling = [];
    private long _before;
    private long _sequence;
    private long _tick;
    private TrafficReading? _reading;

    /// <summary>Nothing sent yet.</summary>
    /// <param name="inner">The data path.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="publish">Takes each delta; does not wait.</param>
    /// <param name="dropped">Gives the number of deltas that were given up before they reached a broker.</param>
    /// <param name="time">The clock.</param>
    public DeltaTap(ITrafficSource inner, ApplianceConfig config, Action<TrafficDelta> publish, Func<long> dropped, TimeProvider time)
    {
        _inner = inner;
        _config = config;
        _publish = publish;
        _dropped = dropped;
        _time = time;
        _hash = ClusterHash.Of(config);
        const int NanosecondsPerTick = 100;
        _run = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;
        _before = time.GetTimestamp();
    }

    /// <inheritdoc/>
    public TrafficReading Take(TrafficVisitor visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        _cells.Clear();
        _sampling.Clear();

        // The tick that ended nearest to now: a cycle begins right after the end of one, and clocks are set now and then.
        _tick = AlignedCycles.TickOf(_time.GetUtcNow() + (_config.Decision.Cycle / 4), _config.Decision.Cycle);
        return _reading = _inner.Take((in TrafficCell cell) =>
        {
            // The data path gives a cell once; after prefixes have gone, several of its cells are of none.
            ref (long Packets, long Bytes) kept = ref CollectionsMarshal.GetValueRefOrAddDefault(_cells, (cell.Link, cell.Prefix), out _);
            kept = (kept.Packets + cell.Packets, kept.Bytes + cell.IpBytes);
            ref (double Packets, double Seen) sampled = ref CollectionsMarshal.GetValueRefOrAddDefault(_sampling, cell.Link, out _);
            sampled = (sampled.Packets + cell.Packets, sampled.Seen + cell.Seen);
            visit(cell);
        });
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Follow(IReadOnlyList<InterfaceState> interfaces) => _inner.Follow(interfaces);

    /// <inheritdoc/>
    public string Describe(int link) => _inner.Describe(link);

    /// <inheritdoc/>
    public bool MayShow(string source, int link) => _inner.MayShow(source, link);

    /// <summary>Sends what the cycle read.</summary>
    /// <param name="inputs">All that was read in it.</param>
    public void Publish(CycleInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (_reading is not { } reading)
        {
            return;
        }

        _reading = null;
        InputHealth health = inputs.Input.Health;
        PipelineStatistics statistics = reading.Statistics;
        TrafficDelta delta = new()
        {
            Site = _config.Site,
            Box = _config.Box,
            Run = _run,
            Sequence = ++_sequence,
            Tick = _tick,
            Period = _config.Decision.Cycle,
            Length = _time.GetElapsedTime(_before, reading.Timestamp),
            ConfigHash = _hash,
            Links = Links(),
            Counters = new CollectorCounters
            {
                Frames = statistics.Frames,
                Packets = statistics.Packets,
                IpBytes = statistics.IpBytes,
                NonIp = statistics.NonIp,
                Ignored = statistics.Ignored,
                Undecodable = statistics.Undecodable.Values.Sum(),
                PoolExhausted = statistics.PoolExhausted,
                KernelDropped = statistics.Sources.Values.Sum(s => s.DroppedFrames),
                UnroutedPackets = statistics.UnroutedPackets,
                UnroutedIpBytes = statistics.UnroutedIpBytes,
                DeltasDropped = _dropped(),
            },
            Health = new CollectorHealth
            {
                TableComplete = health.RouteFeedUp && health.RibComplete,
                Prefixes = inputs.Peers.Sum(p => (long)p.RoutesIPv4 + p.RoutesIPv6),
                LossRatio = health.CaptureLoss,
                CaptureAge = health.CaptureAge,
                Problems = inputs.Problems,
                Version = StateBuilder.Version,
            },
        };
        _before = reading.Timestamp;
        _publish(delta);
    }

    private List<LinkDelta> Links()
    {
        List<LinkDelta> links = [];
        foreach (IGrouping<LinkId, KeyValuePair<(LinkId Link, IpPrefix Prefix), (long Packets, long Bytes)>> link in _cells.GroupBy(c => c.Key.Link))
        {
            KeyValuePair<(LinkId Link, IpPrefix Prefix), (long Packets, long Bytes)>[] cells = [.. link];
            Array.Sort(cells, (a, b) => a.Key.Prefix.CompareTo(b.Key.Prefix));
            (double packets, double seen) = _sampling[link.Key];
            links.Add(new LinkDelta
            {
                Link = link.Key.IsSome ? _config.Links[link.Key.Value - 1].Name : "",
                Prefixes = Array.ConvertAll(cells, c => c.Key.Prefix),
                Packets = Array.ConvertAll(cells, c => c.Value.Packets),
                IpBytes = Array.ConvertAll(cells, c => c.Value.Bytes),
                Sampling = seen > 0 ? Math.Max(1, packets / seen) : 1,
            });
        }

        return links;
    }
}
