using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// Reads all inputs of a cycle and turns them into what the decision maker wants: rates per prefix from the counters, paths per prefix from
/// the routers, links from configuration and SNMP, and how far all of it can be believed.
/// </summary>
/// <remarks>
/// Prefixes that are large enough to be moved, and those under an override, are given one by one with their links in the
/// router's order of preference; what the rest amounts to is given as one residual per link, by the link it was seen on, which is its
/// native one because small prefixes are never moved.
///
/// Rates are compared with interface counters and capacities, which count whole frames: each packet is given its link's layer-2 overhead.
/// One caller at a time.
/// </remarks>
public sealed class InputCollector
{
    /// <summary>Prefixes held one by one; the rest is a residual.</summary>
    public const int MaxPrefixes = 10_000;

    /// <summary>Stands for the capacity of a link whose speed is not known yet: never overloaded; and being drained, never a target.</summary>
    private const long UnknownCapacityBps = 1L << 50;

    /// <summary>A link that sends less than this share of its capacity counts as idle.</summary>
    private const double IdleRatio = 0.001;

    private readonly ICapturePipeline _pipeline;
    private readonly InterfaceCollector _interfaces;
    private readonly IBgpSpeaker _speaker;
    private readonly RouteFeed.RouteFeed _feed;
    private readonly PrefixTable _table;
    private readonly LinkDirectory _links;
    private readonly TimeProvider _time;
    private readonly int _sampling;
    private readonly HashSet<string> _polledRouters;
    private readonly DemandEstimator<IpPrefix> _demand;
    private readonly RateMeter[] _mirror;
    private readonly DateTimeOffset _start;
    private readonly Dictionary<IpPrefix, double> _packets = [];
    private PipelineStatistics _before = new();
    private long _timestampBefore;
    private long? _lostBefore;
    private DateTimeOffset _lastFrame;
    private long _unattributed;
    private double _loss;
    private double _attributedBps;
    private double _countedBps;

    /// <summary>Ready for the first cycle.</summary>
    public InputCollector(
        ApplianceConfig config, ICapturePipeline pipeline, InterfaceCollector interfaces, IBgpSpeaker speaker, RouteFeed.RouteFeed feed, PrefixTable table,
        LinkDirectory links, TimeProvider time)
    {
        _pipeline = pipeline;
        _interfaces = interfaces;
        _speaker = speaker;
        _feed = feed;
        _table = table;
        _links = links;
        _time = time;
        _sampling = config.Capture.Sources.Select(s => s.Sampling).DefaultIfEmpty(1).Max();
        _polledRouters = [.. config.Routers.Where(r => r.Snmp is not null).Select(r => r.Name)];
        _demand = new DemandEstimator<IpPrefix>(new DemandOptions { Window = config.Decision.Window, Sampling = _sampling }, time);
        _mirror = [.. links.Links.Select(_ => new RateMeter(config.Decision.Window))];
        _start = time.GetUtcNow();
        _lastFrame = _start;
        _timestampBefore = time.GetTimestamp();
    }

    /// <summary>The inputs of the latest cycle, or null before the first. Any thread.</summary>
    public CycleInputs? Latest { get; private set; }

    /// <summary>Reads everything.</summary>
    /// <param name="overrides">Overrides in force, whose prefixes are given however small they are.</param>
    /// <param name="mode">The mode in force; proposals of observe mode are not looked for on the mirror.</param>
    public CycleInputs Collect(IReadOnlyList<OverrideEntry> overrides, DecisionMode mode)
    {
        CounterSnapshot counters = _pipeline.TakeSnapshot();
        _feed.Tick();
        DateTimeOffset now = _time.GetUtcNow();
        TimeSpan elapsed = _time.GetElapsedTime(_timestampBefore, counters.Timestamp);
        double seconds = Math.Max(elapsed.TotalSeconds, 1e-3);
        Count(counters, elapsed, seconds);

        IReadOnlyList<InterfaceState> interfaces = _interfaces.GetLinks();
        IReadOnlyList<PeerStatus> peers = _speaker.GetPeers();
        List<string> problems = [];
        DemandPicture<IpPrefix> picture = _demand.Picture(MaxPrefixes);
        long[] residual = new long[_links.Links.Count + 1];
        foreach ((LinkId link, long rate) in picture.RestBps)
        {
            residual[link.Value] += rate;
        }

        List<PrefixDemand> prefixes = Demands(picture, overrides, residual);
        List<LinkState> links = [.. _links.Links.Select((l, i) => LinkOf(l, interfaces[i], residual[l.Id.Value], problems))];
        PipelineStatistics statistics = counters.Statistics;
        InputHealth health = Health(now, statistics, interfaces, peers, links);
        CycleInputs inputs = new()
        {
            Input = new CycleInput
            {
                Now = now,
                Links = links,
                Prefixes = prefixes,
                Health = health,
                ObservedLinks = mode == DecisionMode.Inject ? Observed(overrides) : new Dictionary<IpPrefix, string>(),
            },
            Rates = new RateView(picture.Top, _packets),
            MirrorBps = [.. _mirror.Select(m => m.RateBps)],
            Interfaces = interfaces,
            Agents = _interfaces.GetRouters(),
            Peers = peers,
            Statistics = statistics,
            UnattributedPackets = _unattributed,
            PacketsPerSecond = (statistics.Packets - _before.Packets) / seconds,
            BitsPerSecond = (statistics.IpBytes - _before.IpBytes) * 8 / seconds,
            Problems = problems,
        };
        _before = statistics;
        _timestampBefore = counters.Timestamp;
        Latest = inputs;
        return inputs;
    }

    private void Count(CounterSnapshot counters, TimeSpan elapsed, double seconds)
    {
        _packets.Clear();
        long attributed = 0;
        long counted = 0;
        foreach (CounterCell cell in counters.Cells)
        {
            LinkConfig? link = _links[cell.Link];
            long bytes = cell.IpBytes + (cell.Packets * (link?.OverheadBytes ?? 0));
            counted += cell.IpBytes;
            if (link is not null)
            {
                attributed += cell.IpBytes;
                _mirror[link.Id.Value - 1].Add(bytes * _sampling);
            }
            else
            {
                _unattributed += cell.Packets;
            }

            IpPrefix prefix = cell.PrefixId == 0 ? default : _table.PrefixOf(cell.PrefixId);
            if (prefix.IsDefault)
            {
                _demand.AddUntracked(cell.Link, bytes);
            }
            else
            {
                _demand.Add(prefix, cell.Link, bytes);
                _packets[prefix] = _packets.GetValueOrDefault(prefix) + (cell.Packets * _sampling / seconds);
            }
        }

        _demand.EndTick(counters.Timestamp);
        foreach (RateMeter meter in _mirror)
        {
            meter.EndTick(elapsed);
        }

        // Ratios over some cycles: a single late frame must neither look like a fault nor hide one.
        const double Weight = 0.3;
        _attributedBps += Weight * ((attributed * 8.0 * _sampling / seconds) - _attributedBps);
        _countedBps += Weight * ((counted * 8.0 * _sampling / seconds) - _countedBps);
        PipelineStatistics statistics = counters.Statistics;
        long lost = statistics.PoolExhausted + statistics.Sources.Values.Sum(s => s.DroppedFrames);

        // What was lost before the first cycle, while everything started, says nothing about what is counted from here on.
        long newlyLost = lost - (_lostBefore ?? lost);
        long frames = statistics.Frames - _before.Frames + newlyLost;
        double loss = frames > 0 ? (double)newlyLost / frames : 0;
        _loss += Weight * (loss - _loss);
        _lostBefore = lost;
        if (statistics.Frames > _before.Frames)
        {
            _lastFrame = _time.GetUtcNow();
        }
    }

    private List<PrefixDemand> Demands(DemandPicture<IpPrefix> picture, IReadOnlyList<OverrideEntry> overrides, long[] residual)
    {
        List<PrefixDemand> prefixes = new(picture.Top.Count + overrides.Count);
        HashSet<IpPrefix> given = new(picture.Top.Count);
        foreach (DemandRate<IpPrefix> rate in picture.Top)
        {
            IReadOnlyList<string> paths = _links.LinksOf(_speaker.GetPaths(rate.Key));
            if (paths.Count == 0)
            {
                // Its path went a moment ago, or leaves by no configured link: all that is known is where it was seen.
                residual[rate.Link.Value] += rate.RateBps;
                continue;
            }

            prefixes.Add(new PrefixDemand(rate.Key, rate.RateBps, paths));
            given.Add(rate.Key);
        }

        foreach (OverrideEntry entry in overrides)
        {
            if (given.Add(entry.Prefix))
            {
                IReadOnlyList<string> paths = _links.LinksOf(_speaker.GetPaths(entry.Prefix));
                long rate = 0;
                if (_demand.TryGet(entry.Prefix, out DemandRate<IpPrefix> small))
                {
                    rate = small.RateBps;
                    residual[small.Link.Value] = Math.Max(0, residual[small.Link.Value] - rate);
                }

                prefixes.Add(new PrefixDemand(entry.Prefix, rate, paths));
            }
        }

        return prefixes;
    }

    private LinkState LinkOf(LinkConfig link, InterfaceState state, long residual, List<string> problems)
    {
        long capacity = link.CapacityBps ?? state.CapacityBps ?? 0;
        if (capacity == 0)
        {
            problems.Add($"The capacity of {link.Name} is not known yet{(state.Error is null ? "" : $" ({state.Error})")}: it is neither relieved nor used for relief.");
        }

        return new LinkState
        {
            Name = link.Name,
            CapacityBps = capacity == 0 ? UnknownCapacityBps : capacity,
            Up = state.OperStatus is not (OperStatus.Down or OperStatus.NotPresent or OperStatus.LowerLayerDown),
            Threshold = link.Threshold,
            Ceiling = link.Ceiling,
            Release = link.Release,
            MeasuredBps = (long?)state.OutBps,
            ErrorRatio = _loss > 0.0001 ? Math.Min(_loss, 1) : null,
            PricePerMbps = link.PricePerMbit,
            CommitBps = link.CommitBps,
            Drain = link.Drain || capacity == 0,
            ResidualBps = residual,
        };
    }

    private Dictionary<IpPrefix, string> Observed(IReadOnlyList<OverrideEntry> overrides)
    {
        Dictionary<IpPrefix, string> observed = [];
        foreach (OverrideEntry entry in overrides)
        {
            if (_packets.ContainsKey(entry.Prefix) && _demand.TryGet(entry.Prefix, out DemandRate<IpPrefix> rate)
                && rate.LinkMajority && _links[rate.Link] is { } link)
            {
                observed[entry.Prefix] = link.Name;
            }
        }

        return observed;
    }

    private InputHealth Health(
        DateTimeOffset now, PipelineStatistics statistics, IReadOnlyList<InterfaceState> interfaces, IReadOnlyList<PeerStatus> peers, List<LinkState> links)
    {
        // Silence on the mirror is no fault while the interface counters say that there is nothing to see.
        bool idle = statistics.Sources.Values.All(s => s.Message is null)
            && links.All(l => l.MeasuredBps is { } measured && measured < IdleRatio * l.CapacityBps);
        double capacity = links.Sum(l => l.CapacityBps == UnknownCapacityBps ? 0.0 : l.CapacityBps);
        InterfaceState[] polled = [.. interfaces.Where(i => _polledRouters.Contains(i.Router))];
        return new InputHealth
        {
            CaptureAge = idle ? TimeSpan.Zero : now - _lastFrame,
            CaptureLoss = Math.Clamp(_loss, 0, 1),
            RouteFeedUp = peers.All(p => p.State == SessionState.Established),
            RibComplete = peers.All(p => p.TableComplete),
            AllPathsKnown = peers.All(p => p.AddPath),
            CountersAge = polled.Length > 0 ? polled.Max(i => now - (i.LastPoll ?? _start)) : null,

            // The router's own few packets say nothing about a mirror that is idle otherwise.
            AttributionRatio = _countedBps > IdleRatio * capacity && capacity > 0 ? _attributedBps / _countedBps : null,
        };
    }
}
