using EgressAppliance.Decision.Demand;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// What the mirror shows of each link, beside what its interface counter says, and how far the one can be believed for the other. Links are numbered in order of
/// configuration from 0. One caller at a time.
/// </summary>
internal sealed class LinkMeters
{
    // Mirror and counter may differ by this without either being wrong.
    private const double LeastLost = 0.05;

    private readonly IReadOnlyList<LinkConfig> _links;
    private readonly RateMeter[] _mirror;
    private readonly long[] _tick;
    private readonly LinkTotal[] _totals;
    private readonly double[] _silentSeconds;
    private readonly UnseenTraffic _unseen;
    private readonly RateBeliefs _beliefs;
    private readonly double[] _sampling;
    private readonly double[] _tickPackets;
    private readonly double[] _tickSeen;
    private readonly double[] _covered;
    private readonly FlowWatch _flow;
    private readonly TimeSpan _window;
    private double _length;

    /// <param name="links">The links.</param>
    /// <param name="window">Averaging window.</param>
    /// <param name="sampling">The switch mirrors one frame in this many.</param>
    /// <param name="flow">Tells which links are not mirrored but exported.</param>
    /// <param name="time">The clock of the timestamps.</param>
    public LinkMeters(IReadOnlyList<LinkConfig> links, TimeSpan window, int sampling, FlowWatch flow, TimeProvider time)
    {
        _links = links;
        _mirror = [.. links.Select(_ => new RateMeter(window))];
        _tick = new long[links.Count];
        _totals = new LinkTotal[links.Count];
        _silentSeconds = new double[links.Count];
        _beliefs = new RateBeliefs(links.Count);
        _unseen = new UnseenTraffic(links, _beliefs, time);
        _sampling = [.. links.Select(_ => (double)sampling)];
        _tickPackets = new double[links.Count];
        _tickSeen = new double[links.Count];
        _covered = new double[links.Count];
        _flow = flow;
        _window = window;
    }

    /// <summary>Mirror rate of each link, bit/s.</summary>
    public IReadOnlyList<long> MirrorBps => [.. _mirror.Select(m => m.RateBps)];

    /// <summary>What the mirror has shown of each link since start.</summary>
    public IReadOnlyList<LinkTotal> Totals => [.. _totals];

    /// <summary>The links whose rates must not be decided on; null if there are none.</summary>
    public IReadOnlyList<RateDoubt>? Doubts => _beliefs.Doubts(i => _links[i].Name);

    /// <summary>Load of a link beyond the mirror, bit/s: what lacked in all of the last polls, or the share that is known to be lost.</summary>
    public long Unseen(int link) => Math.Max(_unseen[link], _beliefs.LostBps(link, _mirror[link].RateBps));

    /// <summary>Adds what the mirror, or flow export, showed of a link.</summary>
    /// <param name="link">The link.</param>
    /// <param name="bytes">Bytes with layer-2 overhead, scaled up by the sampling.</param>
    /// <param name="packets">Packets, scaled up.</param>
    /// <param name="seen">Packets that were looked at.</param>
    public void Add(int link, long bytes, long packets, double seen)
    {
        _mirror[link].Add(bytes, seen);
        _unseen.Add(link, bytes, packets);
        _tick[link] += bytes;
        _tickPackets[link] += packets;
        _tickSeen[link] += seen;
    }

    /// <summary>Adds to what has been seen of a link since start.</summary>
    public void AddTotal(int link, long bytes, long packets) => _totals[link] = new(_totals[link].Packets + packets, _totals[link].Bytes + bytes);

    /// <summary>Ends a tick of the rates.</summary>
    /// <param name="length">Time since the tick before.</param>
    /// <param name="coveredSeconds">By link id, the time that what was added stands for, 0 where nothing is known; empty: the whole length for all.</param>
    public void EndTick(TimeSpan length, IReadOnlyList<double> coveredSeconds)
    {
        _length = length.TotalSeconds;
        for (int i = 0; i < _mirror.Length; i++)
        {
            _covered[i] = coveredSeconds.Count == 0 ? _length : coveredSeconds[i + 1];
            if (!(_covered[i] > 0))
            {
                _silentSeconds[i] += _length;
                _unseen.Gap(i);
                continue;
            }

            _mirror[i].EndTick(coveredSeconds.Count == 0 ? length : TimeSpan.FromSeconds(_covered[i]));
            _silentSeconds[i] = _tick[i] > 0 ? 0 : _silentSeconds[i] + _length;
            _sampling[i] = _tickSeen[i] > 0 ? _tickPackets[i] / _tickSeen[i] : _sampling[i];
            _tickPackets[i] = _tickSeen[i] = 0;
        }
    }

    /// <summary>Compares with the counters, after a tick or between.</summary>
    /// <param name="interfaces">The links' interfaces.</param>
    /// <param name="counterMissing">Whether the router has not answered for a link's counter for too long.</param>
    /// <param name="grownShare">How much of what a link carried has grown in the tick, see <see cref="LinkRates"/>.</param>
    /// <param name="loadBps">Load of a link by the averaged demands, bit/s.</param>
    /// <param name="timestamp">When the mirror's counters were read.</param>
    public void Compare(
        IReadOnlyList<InterfaceState> interfaces, Func<InterfaceState, bool> counterMissing, Func<LinkId, double> grownShare, Func<LinkId, long> loadBps, long timestamp)
    {
        _unseen.Note(interfaces, timestamp, _flow.DelayOf);
        if (!(_length > 0))
        {
            return;
        }

        _beliefs.EndTick([.. interfaces.Select((state, i) => new LinkRates(
            _covered[i] > 0 ? (long)(_tick[i] * 8 / _covered[i]) : _mirror[i].RateBps, !(_covered[i] > 0) ? null : (long?)(_flow.DelayOf(i) > TimeSpan.Zero ? _unseen.Then(i, timestamp, _flow.DelayOf(i)) : state.OutBps), _links[i].CapacityBps ?? state.CapacityBps ?? 0, IsUp(state), counterMissing(state),
            grownShare(_links[i].Id), loadBps(_links[i].Id), state is { IfIndex: not null, OutBps: null, Error: null }))]);
        Array.Clear(_tick);
        _length = 0;
    }

    /// <summary>How far the mirror rate of a link can be believed.</summary>
    /// <param name="link">The link.</param>
    /// <param name="loss">Share of frames lost in capture, 0–1: the counter shows it, too, so that only the larger of both counts.</param>
    public LinkBelief Belief(int link, double loss)
    {
        long mirror = _mirror[link].RateBps;
        RateJudgement judgement = _beliefs[link];
        double sampled = ErrorBars.Sampling(_mirror[link].Packets, _sampling[link], _mirror[link].AverageBytes / _sampling[link]);
        if (judgement.Cause == RateCause.Sampling)
        {
            sampled += judgement.Factor * ErrorBars.Sampling(_mirror[link].Packets, judgement.Factor, _mirror[link].AverageBytes / _sampling[link]);
        }

        return new LinkBelief(judgement, (long)(mirror * sampled) + Math.Max((long)(mirror * ErrorBars.Loss(loss)), judgement.ErrorBps(mirror)));
    }

    /// <summary>Relative error of rates on a link for frames that never came, by capture or, where it shows more, by the counter.</summary>
    public double LossError(int link, double loss) =>
        ErrorBars.Loss(Math.Max(loss, LostShare(link)));

    /// <summary>
    /// Relative error of the rate of a prefix for what the counter of its link says, not negative; more than 1 where the mirror shows less than half. What is wrong with all
    /// frames alike is so with those of the prefix; of what has just gone, all may have been its own.
    /// </summary>
    /// <param name="link">The link that it was seen on.</param>
    /// <param name="rate">Its rate.</param>
    public double DoubtOf(int link, DemandRate<IpPrefix> rate)
    {
        RateJudgement judgement = _beliefs[link];
        long mirror = _mirror[link].RateBps;
        long error = judgement.ErrorBps(mirror);
        if (error == 0)
        {
            return 0;
        }

        if (mirror == 0 || judgement is { Cause: RateCause.Sudden or RateCause.MirrorSilent } or { Ratio: < RateJudgement.Nothing })
        {
            return (double)error / Math.Max(1, rate.RateBps);
        }

        double sampled = judgement.Cause == RateCause.Sampling
            ? judgement.Factor * ErrorBars.Sampling(rate.Packets, judgement.Factor, _mirror[link].AverageBytes / _sampling[link])
            : 0;
        return ((double)error / mirror) + sampled;
    }

    /// <summary>
    /// By how much less of a link than its ceiling may be filled with prefixes of other links, bit/s: prefixes of a link of which the mirror shows a part are larger than
    /// they look, each by up to that share and all together by what lacks there.
    /// </summary>
    /// <param name="link">The link that they would enter.</param>
    /// <param name="ceilingBps">Its ceiling, bit/s.</param>
    public long Reserve(int link, long ceilingBps)
    {
        double reserve = 0;
        for (int other = 0; other < _links.Count; other++)
        {
            reserve += other == link ? 0 : Math.Min(Unseen(other), LostShare(other) * ceilingBps);
        }

        return (long)Math.Min(ceilingBps, reserve);
    }

    /// <summary>Share of a link's traffic that its counter shows and the mirror does not, 0–1; 0 if it is within what the two may differ by.</summary>
    private double LostShare(int link)
    {
        double unseen = Unseen(link);
        double share = unseen / Math.Max(1, unseen + _mirror[link].RateBps);
        return share > LeastLost ? share : 0;
    }

    /// <summary>
    /// By how much the limits of a link shrink for the error of its load. What the counter shows beyond the mirror is part of that load already, so only losses of
    /// capture count. Limits are reached at loads near the threshold: sampling sees more packets there, and a silence now would be of less of the load.
    /// </summary>
    /// <param name="link">The link.</param>
    /// <param name="loss">Share of frames lost in capture, 0–1.</param>
    /// <param name="loadBps">Load by the demands, bit/s.</param>
    /// <param name="thresholdBps">The threshold, bit/s.</param>
    public double LimitError(int link, double loss, long loadBps, double thresholdBps)
    {
        double filled = thresholdBps > 0 ? Math.Min(1, loadBps / thresholdBps) : 1;
        double sampled = filled > 0 ? ErrorBars.Sampling(_mirror[link].Packets / filled, _sampling[link], _mirror[link].AverageBytes / _sampling[link]) : 0;
        return ErrorBars.Shrink(ErrorBars.Sum(sampled, ErrorBars.Loss(loss), filled * ErrorBars.Age(_silentSeconds[link], _window)));
    }

    /// <summary>Whether a link is taken as up: unless the router says down.</summary>
    public static bool IsUp(InterfaceState state) => state.OperStatus is not (OperStatus.Down or OperStatus.NotPresent or OperStatus.LowerLayerDown);
}
