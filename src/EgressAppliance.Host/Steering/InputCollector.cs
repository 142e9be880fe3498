using System.Runtime.InteropServices;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Traffic;
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

    /// <summary>What a link whose speed is not known yet is taken for when it is asked whether it is idle.</summary>
    private const long CautiousCapacityBps = 1_000_000_000;

    /// <summary>What a cycle of full length leaves of the ratios before it.</summary>
    private const double Remains = 0.7;

    /// <summary>Smaller relative errors are none.</summary>
    private const double LeastError = 0.0001;

    private readonly ITrafficSource _traffic;
    private readonly Func<IReadOnlyList<InterfaceState>> _interfaces;
    private readonly Func<IReadOnlyList<RouterState>> _agents;
    private readonly IBgpSpeaker _speaker;
    private readonly LinkDirectory _links;
    private readonly SteadyClock _time;
    private readonly FlowWatch _watch;
    private readonly Func<FlowReading>? _flow;
    private readonly DemandEstimator<IpPrefix> _demand;
    private readonly LinkMeters _meters;
    private readonly TimeSpan _cycle;
    private readonly bool _decides;
    private bool _leads;
    private readonly InputAges _ages;
    private readonly Dictionary<IpPrefix, double> _packets = [];
    private double _packetSeconds = 1;
    private readonly PreferenceWatch _preferences = new();
    private readonly RouterChoices _choices;
    private readonly RoutePolicies _policies;
    private PipelineStatistics _before = new();
    private FlowReading? _exported;
    private (double Packets, double Bytes) _cycleTotal;
    private long _timestampBefore;
    private long _tickBegan;
    private long _droppedBefore;
    private long _unattributed;
    private double _loss;
    private double _attributedBps;
    private double _countedBps;

    /// <summary>Ready for the first cycle.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="traffic">Where the counts come from.</param>
    /// <param name="interfaces">Gives the links' interfaces in order of configuration.</param>
    /// <param name="agents">Gives the routers' SNMP agents.</param>
    /// <param name="speaker">The paths and sessions.</param>
    /// <param name="links">The links.</param>
    /// <param name="time">A clock that nobody sets: ages and leases go by it.</param>
    /// <param name="flow">Gives the counters of flow export, where there is any; its cells come with those of the data path.</param>
    public InputCollector(
        ApplianceConfig config, ITrafficSource traffic, Func<IReadOnlyList<InterfaceState>> interfaces, Func<IReadOnlyList<RouterState>> agents,
        IBgpSpeaker speaker, LinkDirectory links, SteadyClock time, Func<FlowReading>? flow = null)
    {
        _traffic = traffic;
        _interfaces = interfaces;
        _agents = agents;
        _speaker = speaker;
        _links = links;
        _choices = new RouterChoices(speaker, links, config.Decision.MarkerCommunity);
        _policies = new RoutePolicies(config.Decision.Policies, links);
        _time = time;
        int sampling = LocalTraffic.SamplingOf(config);
        _demand = new DemandEstimator<IpPrefix>(new DemandOptions { Window = config.Decision.Window, Sampling = sampling }, time);
        _flow = flow;
        _watch = new FlowWatch(config, time);
        _meters = new LinkMeters(links.Links, config.Decision.Window, sampling, _watch, time);
        _cycle = config.Decision.Cycle;
        _decides = config.Role != ApplianceRole.Collector;
        _ages = new InputAges(config, _watch, traffic.MayShow, time);
        _timestampBefore = time.GetTimestamp();
        _tickBegan = _timestampBefore;
    }

    /// <summary>The inputs of the latest cycle, or null before the first. Any thread.</summary>
    public CycleInputs? Latest { get; private set; }

    /// <summary>Reads everything.</summary>
    /// <param name="overrides">Overrides in force or proposed, whose prefixes are given however small they are.</param>
    /// <param name="leads">This box decides, so that these are all that stand at the routers: where others' stand, traffic leaves by other links than plain BGP would send it by.</param>
    public CycleInputs Collect(IReadOnlyList<OverrideEntry> overrides, bool leads = true)
    {
        _leads = leads;
        TrafficReading counters = Count(out double seconds);
        IReadOnlyList<InterfaceState> interfaces = _interfaces();
        DemandPicture<IpPrefix> picture = _demand.Picture(MaxPrefixes);
        long[] loads = LoadsOf(picture);
        _meters.Compare(
            interfaces, state => _ages.IsMissing(state, counters.Timestamp), _demand.GrownShare, link => loads[link.Value], counters.Timestamp);
        IReadOnlyList<PeerStatus> peers = _speaker.GetPeers();
        List<string> problems = [.. _traffic.Follow(interfaces), .. counters.Problems];
        long[] residual = new long[_links.Links.Count + 1];
        foreach ((LinkId link, long rate) in picture.RestBps)
        {
            residual[link.Value] += rate;
        }

        ChoiceCounts choices = new(peers.Count);
        List<PrefixDemand> prefixes = Demands(picture, overrides, residual, peers.Any(p => p.LocRib is not null) ? choices : null);
        if (_preferences.EndCycle() is { } elsewhere)
        {
            problems.Add(elsewhere);
        }

        List<LinkState> links = [.. _links.Links.Select((l, i) => LinkOf(l, interfaces[i], residual[l.Id.Value] + _meters.Unseen(i), loads[l.Id.Value], problems))];
        LinkBelief[] beliefs = [.. _links.Links.Select((_, i) => _meters.Belief(i, LossOf(i)))];
        for (int i = 0; i < beliefs.Length; i++)
        {
            string link = _links.Links[i].Name;
            if (beliefs[i].Judgement is { Cause: RateCause.MirrorLoss or RateCause.MirrorExcess } judgement)
            {
                problems.Add($"On {link}, {RateCauses.Text(link, judgement.Cause, judgement.Ratio, judgement.Factor, SourceOf(i))}.");
            }
        }

        PipelineStatistics statistics = counters.Statistics;

        // The last thing read is the clock: had anything before it hung, then what it gave is as old as that.
        InputHealth health = Health(_time.GetTimestamp(), counters, interfaces, peers, links, problems);
        CycleInputs inputs = new()
        {
            Input = new CycleInput
            {
                Now = _time.GetUtcNow(),
                TimeOfDay = _time.GetUtcNow() + _time.Offset,
                Links = links,
                Prefixes = prefixes,
                Health = health,
                ObservedLinks = Observed(prefixes, overrides),
            },
            Rates = new RateView(picture.Top, prefix => _packets.GetValueOrDefault(prefix) / _packetSeconds, ShownErrorOf),
            MirrorBps = _meters.MirrorBps,
            Totals = _meters.Totals,
            Beliefs = beliefs,
            Interfaces = interfaces,
            Matches = [.. _links.Links.Select((_, i) => _watch.IsFed(i) ? "flow export" : _traffic.Describe(i))],
            Agents = _agents(),
            Peers = peers,
            Choices = choices,
            Statistics = statistics,
            UnattributedPackets = _unattributed,
            Timestamp = counters.Timestamp,
            PacketsPerSecond = _cycleTotal.Packets,
            BitsPerSecond = _cycleTotal.Bytes * 8,
            Flow = _exported,
            FlowFed = [.. Enumerable.Range(0, links.Count).Select(_watch.IsFed)],
            Problems = problems,
        };
        _before = statistics;
        _timestampBefore = counters.Timestamp;
        Latest = inputs;
        return inputs;
    }

    private TrafficReading Count(out double seconds)
    {
        _packets.Clear();
        double attributed = 0;
        double counted = 0;
        double total = 0;
        TrafficReading counters = _traffic.Take((in TrafficCell cell) =>
        {
            LinkConfig? link = _links[cell.Link];
            long bytes = cell.IpBytes + (cell.Packets * (link?.OverheadBytes ?? 0));
            if (link is not null)
            {
                _meters.AddTotal(link.Id.Value - 1, bytes, cell.Packets);
            }
            else
            {
                _unattributed += (long)cell.Seen;
            }

            if (!(cell.RateFactor > 0))
            {
                return;
            }

            long packets = cell.Packets;
            double seen = cell.Seen;
            double ipBytes = cell.IpBytes;
            if (cell.RateFactor != 1)
            {
                (bytes, packets, seen, ipBytes) = ((long)(bytes * cell.RateFactor), (long)(packets * cell.RateFactor), seen * cell.RateFactor, ipBytes * cell.RateFactor);
            }

            counted += ipBytes;
            total += packets;
            if (link is not null)
            {
                attributed += ipBytes;
                _meters.Add(link.Id.Value - 1, bytes, packets, seen);
            }

            if (cell.Prefix.IsDefault)
            {
                _demand.AddScaledUntracked(cell.Link, bytes);
            }
            else
            {
                _demand.AddScaled(cell.Prefix, cell.Link, bytes, packets, seen);
                CollectionsMarshal.GetValueRefOrAddDefault(_packets, cell.Prefix, out _) += packets;
            }
        });
        seconds = Math.Max(_time.GetElapsedTime(_timestampBefore, counters.Timestamp).TotalSeconds, 1e-3);

        // Cells of several boxes stand for the time that they say, whenever they came.
        double covered = counters.CoveredSeconds.Count > 0 && counters.CoveredSeconds.Max() is > 0 and var most ? most : seconds;
        _packetSeconds = covered;
        _cycleTotal = (total / covered, counted / covered);
        EndTick(counters);

        // Ratios over some cycles: a single late frame must neither look like a fault nor hide one. A cycle that follows hard upon another, as
        // after a stall, counts by its length.
        double weight = 1 - Math.Pow(Remains, seconds / _cycle.TotalSeconds);
        _attributedBps += weight * ((attributed * 8.0 / covered) - _attributedBps);
        _countedBps += weight * ((counted * 8.0 / covered) - _countedBps);

        // Frames given up for want of a batch are among the frames; those that the kernel dropped never came.
        PipelineStatistics statistics = counters.Statistics;
        long kernel = statistics.Sources.Values.Sum(s => s.DroppedFrames);
        long dropped = kernel - _droppedBefore;
        long lost = dropped + statistics.PoolExhausted - _before.PoolExhausted;
        if (Latest is null)
        {
            // What was lost while everything started says nothing about what is counted from here on.
            dropped = lost = 0;
        }

        long frames = dropped + statistics.Frames - _before.Frames;
        _loss += weight * ((frames > 0 ? (double)lost / frames : 0) - _loss);
        _droppedBefore = kernel;
        _exported = _flow is null ? null : _watch.Note(_flow(), counters.Timestamp, weight, Latest is null);
        _ages.Listen(counters.Statistics, counters.Timestamp);
        return counters;
    }

    /// <summary>
    /// Ends the tick of the rates, unless it would be a short one: a cycle that follows hard upon a late one sees little more than the grain in which
    /// frames arrive, so what it counted is joined to the next.
    /// </summary>
    private void EndTick(TrafficReading counters)
    {
        TimeSpan length = _time.GetElapsedTime(_tickBegan, counters.Timestamp);
        if (Latest is not null && length < _cycle / 2 && counters.CoveredSeconds.Count == 0)
        {
            return;
        }

        _demand.EndTick(counters.Timestamp, [.. counters.CoveredSeconds]);
        _meters.EndTick(length, counters.CoveredSeconds);
        _tickBegan = counters.Timestamp;
    }

    /// <param name="picture">Rates.</param>
    /// <param name="overrides">Overrides in force.</param>
    /// <param name="residual">Takes the rates that are no prefix's, by link.</param>
    /// <param name="choices">Counts the routers' own choices; null where none shows them.</param>
    private List<PrefixDemand> Demands(DemandPicture<IpPrefix> picture, IReadOnlyList<OverrideEntry> overrides, long[] residual, ChoiceCounts? choices)
    {
        List<PrefixDemand> prefixes = new(picture.Top.Count + overrides.Count);
        HashSet<IpPrefix> given = new(picture.Top.Count);
        HashSet<IpPrefix> overridden = [.. overrides.Select(o => o.Prefix)];
        foreach (DemandRate<IpPrefix> rate in picture.Top)
        {
            IReadOnlyList<RibPath> learned = _speaker.GetPaths(rate.Key);
            if (choices is not null)
            {
                _choices.Count(rate.Key, learned, choices);
            }

            IReadOnlyList<string> paths = _links.LinksOf(learned);
            if (paths.Count == 0 || !_links.PrefersConfigured(learned))
            {
                // Its path went a moment ago, or plain BGP sends it by no configured link: all that is known is where it was seen.
                residual[rate.Link.Value] += rate.RateBps;
                continue;
            }

            prefixes.Add(DemandOf(rate, paths, overridden.Contains(rate.Key)) with { Policy = _policies.First(rate.Key, learned)?.Policy });
            given.Add(rate.Key);
            if (_leads && rate.LinkMajority && rate.Link != LinkId.None && !overridden.Contains(rate.Key))
            {
                _preferences.Add(rate.RateBps, _links.Of(learned[0])?.Id == rate.Link);
            }
        }

        foreach (OverrideEntry entry in overrides)
        {
            if (given.Add(entry.Prefix))
            {
                IReadOnlyList<RibPath> learned = _speaker.GetPaths(entry.Prefix);
                IReadOnlyList<string> paths = _links.LinksOf(learned);
                PrefixDemand demand = new(entry.Prefix, 0, paths);
                if (_demand.TryGet(entry.Prefix, out DemandRate<IpPrefix> small))
                {
                    residual[small.Link.Value] = Math.Max(0, residual[small.Link.Value] - small.RateBps);
                    demand = DemandOf(small, paths, overridden: true);
                }

                prefixes.Add(demand with { Policy = _policies.First(entry.Prefix, learned)?.Policy });
            }
        }

        return prefixes;
    }

    /// <summary>A demand; its mean, which only releases ask for, where there is something to release.</summary>
    private PrefixDemand DemandOf(DemandRate<IpPrefix> rate, IReadOnlyList<string> paths, bool overridden)
    {
        double error = ErrorOf(rate);
        return new PrefixDemand(rate.Key, rate.RateBps, paths, error > LeastError ? error : null, overridden ? rate.MeanBps : 0);
    }

    private double ErrorOf(DemandRate<IpPrefix> rate) => ErrorBars.Sum(
        rate.SamplingError, rate.Link == LinkId.None ? ErrorBars.Loss(_loss) : _meters.LossError(rate.Link.Value - 1, LossOf(rate.Link.Value - 1)), rate.AgeError);

    /// <summary>Share lost on the way here of what a link carries, 0–1.</summary>
    private double LossOf(int link) => _watch.IsFed(link) ? _watch.LossOf(link) : _loss;

    private string SourceOf(int link) => _watch.IsFed(link) ? "flow export" : "the mirror";

    /// <summary>The error that is shown. What makes a link's rates wrong beyond loss is none that plans are made with: it freezes them.</summary>
    private double ShownErrorOf(DemandRate<IpPrefix> rate) => rate.Link == LinkId.None
        ? ErrorOf(rate)
        : Math.Max(ErrorOf(rate), rate.SamplingError + _meters.DoubtOf(rate.Link.Value - 1, rate) + rate.AgeError);

    /// <summary>Load by the demands, by link.</summary>
    private long[] LoadsOf(DemandPicture<IpPrefix> picture)
    {
        long[] loads = new long[_links.Links.Count + 1];
        foreach (DemandRate<IpPrefix> rate in picture.Top)
        {
            loads[rate.Link.Value] += rate.RateBps;
        }

        foreach ((LinkId link, long rate) in picture.RestBps)
        {
            loads[link.Value] += rate;
        }

        return loads;
    }

    private LinkState LinkOf(LinkConfig link, InterfaceState state, long residual, long load, List<string> problems)
    {
        long capacity = link.CapacityBps ?? state.CapacityBps ?? 0;
        if (capacity == 0 && _decides)
        {
            problems.Add($"The capacity of {link.Name} is not known yet{(state.Error is null ? "" : $" ({state.Error})")}: it is neither relieved nor used for relief.");
        }

        double error = _meters.LimitError(link.Id.Value - 1, LossOf(link.Id.Value - 1), load, link.Threshold * capacity);
        double reserve = capacity == 0 ? 0 : (double)_meters.Reserve(link.Id.Value - 1, (long)(link.Ceiling * capacity)) / capacity;
        return new LinkState
        {
            Name = link.Name,
            CapacityBps = capacity == 0 ? UnknownCapacityBps : capacity,
            Up = LinkMeters.IsUp(state),
            Threshold = link.Threshold,
            Ceiling = reserve > 0 ? Math.Max(0, link.Ceiling - reserve) : link.Ceiling,
            Release = link.Release,
            MeasuredBps = (long?)state.OutBps,
            ErrorRatio = error > LeastError ? error : null,
            PricePerMbps = link.PricePerMbit,
            CommitBps = link.CommitBps,
            Drain = link.Drain || capacity == 0,
            ResidualBps = residual,
        };
    }

    /// <summary>Where prefixes go by the mirror; and those under an override that it does not show, by the routers' Loc-RIB where they show that.</summary>
    private Dictionary<IpPrefix, string> Observed(List<PrefixDemand> prefixes, IReadOnlyList<OverrideEntry> overrides)
    {
        Dictionary<IpPrefix, string> observed = new(prefixes.Count);
        foreach (PrefixDemand demand in prefixes)
        {
            if (_packets.ContainsKey(demand.Prefix) && _demand.TryGet(demand.Prefix, out DemandRate<IpPrefix> rate)
                && rate.LinkMajority && _links[rate.Link] is { } link)
            {
                observed[demand.Prefix] = link.Name;
            }
        }

        foreach (OverrideEntry entry in overrides)
        {
            if (!observed.ContainsKey(entry.Prefix) && _choices.LinkOf(entry.Prefix) is { } chosen)
            {
                observed[entry.Prefix] = chosen;
            }
        }

        return observed;
    }

    private InputHealth Health(
        long now, TrafficReading counters, IReadOnlyList<InterfaceState> interfaces, IReadOnlyList<PeerStatus> peers, List<LinkState> links, List<string> problems)
    {
        double capacity = links.Sum(l => l.CapacityBps == UnknownCapacityBps ? 0.0 : l.CapacityBps);
        return new InputHealth
        {
            CaptureAge = _ages.OfCapture(now, counters.Statistics.Sources, i => IsIdle(links[i]), problems),
            CaptureLoss = Math.Clamp(Math.Max(_loss, _watch.WorstLoss), 0, 1),
            RouteFeedUp = peers.All(p => p.State == SessionState.Established),
            RibComplete = peers.All(p => p.TableComplete) && counters.TablesComplete,
            MissingCollectors = counters.Missing.Count > 0 ? counters.Missing : null,
            AllPathsKnown = peers.All(p => p.AllPathsKnown),
            CountersAge = _ages.OfCounters(now, interfaces),
            UnseenRatio = links.Count == 0 ? null : links.Select((l, i) => (double)_meters.Unseen(i) / l.CapacityBps).Max(),
            Doubts = _meters.Doubts,

            // The router's own few packets say nothing about a mirror that is idle otherwise.
            AttributionRatio = _countedBps > IdleRatio * capacity && capacity > 0 ? _attributedBps / _countedBps : null,
        };
    }

    private static bool IsIdle(LinkState link) =>
        link.MeasuredBps is { } measured && measured < IdleRatio * (link.CapacityBps == UnknownCapacityBps ? CautiousCapacityBps : link.CapacityBps);
}
