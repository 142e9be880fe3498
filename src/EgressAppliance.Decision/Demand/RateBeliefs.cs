namespace EgressAppliance.Decision.Demand;

/// <summary>
/// The beliefs of all links of a site. Beyond what each link's comparisons say in the course of a minute, it tells at once when a mirror jumps away from the counters:
/// doubling a mirror looks like a sudden overload, and cutting it like an empty link, and both would be acted on within seconds.
/// </summary>
/// <remarks>
/// A jump is a mirror rate of 1.8 times the counter or more, or of 0.55 times or less, by a tenth of the capacity at least, that the mirrors of the other links do not
/// make up for: traffic that merely changed links, as after a failure, is none; nor is a link whose counter says that it is full, since that needs relief whatever the
/// mirror says; nor a rise that only some of the prefixes have part in, since a mirror doubles all of them. It lasts until counter and mirror are nearer, which takes a real surge a poll or two, and goes by the cause's name once that is known.
///
/// The tick in which a mirror begins to double shows a part of it. So a rise that all prefixes have part in and the counter does not know of, by a tenth of the capacity and to
/// less than 1.8 times, is doubted for that one tick.
///
/// Plans are made with averages, which a mirror that was wrong leaves wrong for as long as they take to follow. So where it was the mirror that came back to the counter, and
/// not the counter that followed, the doubt lasts until they have come to what the mirror shows.
///
/// Before a counter has given its first rate there is nothing to jump away from: until then a link that the mirror shows half full or more is not decided on.
/// </remarks>
/// <param name="links">Number of links.</param>
public sealed class RateBeliefs(int links)
{
    private const double Far = 1.8;
    private const double Near = 0.55;
    private const double LeastShare = 0.1;
    private const double Full = 0.95;
    private const double Most = 0.7;
    private const double HalfFull = 0.5;

    // How near averages must have come to what the mirror shows: this share of it, and that of the capacity.
    private const double Settled = 0.05;
    private const double SettledShare = 0.02;

    // What a mirror rate moves by from tick to tick without coming back, as a share of how far it was off.
    private const double Jitter = 0.1;
    private readonly RateBelief[] _beliefs = [.. Enumerable.Range(0, links).Select(_ => new RateBelief())];
    private readonly long[] _suddenBps = new long[links];

    // Mirror and counter were near each other once, so that what they grew from is known.
    private readonly bool[] _agreed = new bool[links];

    // The counter has given a rate.
    private readonly bool[] _known = new bool[links];
    private readonly bool[] _unconfirmed = new bool[links];
    private readonly bool[] _forbidden = new bool[links];
    private readonly bool[] _rising = new bool[links];

    // What the two showed when they were last far from each other, and that the mirror has come back since and the averages have not.
    private readonly (long MirrorBps, long CounterBps)[] _apart = new (long, long)[links];
    private readonly bool[] _returning = new bool[links];

    /// <summary>The judgement of a link, in order of configuration.</summary>
    public RateJudgement this[int link]
    {
        get
        {
            RateJudgement judgement = _beliefs[link].Judgement;
            return RateCauses.IsFault(judgement.Cause) ? judgement
                : _suddenBps[link] > 0 ? judgement with { Cause = RateCause.Sudden, DifferenceBps = _suddenBps[link] }
                : _unconfirmed[link] ? judgement with { Cause = RateCause.Unconfirmed }
                : judgement;
        }
    }

    /// <summary>
    /// What a link carries beyond its mirror, by the share that is known to be lost, bit/s. It follows the mirror at once, where differences of counters take polls.
    /// </summary>
    /// <param name="link">The link.</param>
    /// <param name="mirrorBps">Its mirror rate, bit/s.</param>
    public long LostBps(int link, long mirrorBps) =>
        _beliefs[link].Judgement is { LossRatio: > 0 and { } loss } ? (long)(mirrorBps * ((1 / (1 - loss)) - 1)) : 0;

    /// <summary>Takes a comparison of a link; see <see cref="RateBelief.Compare"/>.</summary>
    public void Compare(int link, RateComparison comparison, long capacityBps, int overheadBytes = 0) => _beliefs[link].Compare(comparison, capacityBps, overheadBytes);

    /// <summary>Ends a tick.</summary>
    /// <param name="rates">For each link what it carries by mirror and counter now.</param>
    public void EndTick(IReadOnlyList<LinkRates> rates)
    {
        ArgumentNullException.ThrowIfNull(rates);
        double total = 0;
        foreach (LinkRates rate in rates)
        {
            total += rate.CounterBps is { } counter ? rate.MirrorBps - counter : 0;
        }

        for (int i = 0; i < _beliefs.Length; i++)
        {
            _beliefs[i].Missing(rates[i].CounterMissing);
            bool far = IsFar(rates[i], total, Far);
            bool asWhole = rates[i].MirrorBps < rates[i].CounterBps || !_agreed[i] || rates[i].GrownShare >= Most;
            _agreed[i] |= !far && rates[i].CounterBps is not null;
            bool wasRising = _rising[i];
            _rising[i] = !far && IsFar(rates[i], total, 1) && rates[i].MirrorBps > rates[i].CounterBps;
            bool begins = _rising[i] && !wasRising && _suddenBps[i] == 0 && asWhole;
            _suddenBps[i] = (far && (asWhole || _suddenBps[i] > 0)) || begins ? Jump(i, rates[i]) : Return(i, rates[i]);
            _known[i] |= rates[i].CounterBps is not null;
            _unconfirmed[i] = !_known[i] && rates[i] is { CounterAwaited: true, Up: true, CapacityBps: > 0 and var capacity }
                && Math.Max(rates[i].MirrorBps, rates[i].LoadBps ?? 0) >= HalfFull * capacity;
            _forbidden[i] = RateCauses.Forbids(_beliefs[i].Judgement);
        }
    }

    /// <summary>The links that must not be decided on, in order of configuration; null if there are none.</summary>
    /// <param name="nameOf">Gives the name of a link.</param>
    public IReadOnlyList<RateDoubt>? Doubts(Func<int, string> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        List<RateDoubt> doubts = [];
        for (int i = 0; i < _beliefs.Length; i++)
        {
            RateJudgement judgement = this[i];
            if (_suddenBps[i] > 0 || RateCauses.Forbids(judgement))
            {
                doubts.Add(new RateDoubt(nameOf(i), judgement.Cause, judgement.Ratio, judgement.Factor));
            }
        }

        return doubts.Count > 0 ? doubts : null;
    }

    /// <summary>They are far from each other, by so much.</summary>
    private long Jump(int link, LinkRates rate)
    {
        _apart[link] = (rate.MirrorBps, rate.CounterBps!.Value);
        _returning[link] = false;
        return Math.Abs(rate.MirrorBps - rate.CounterBps.Value);
    }

    /// <summary>They are not, or no longer; by how much the averages still are from what the mirror shows, 0 if that is no matter.</summary>
    private long Return(int link, LinkRates rate)
    {
        if (_suddenBps[link] > 0 && !_returning[link])
        {
            (long mirror, long counter) = _apart[link];
            _returning[link] = rate.CounterBps is not { } now || Math.Abs(rate.MirrorBps - mirror) > Math.Abs(now - counter) + (Jitter * Math.Abs(mirror - counter));
        }
        else if (_forbidden[link] && !RateCauses.Forbids(_beliefs[link].Judgement))
        {
            _returning[link] = true;
        }

        _returning[link] &= !IsSettled(rate);
        return _returning[link] ? Math.Abs(rate.LoadBps!.Value - rate.MirrorBps) : 0;
    }

    private static bool IsSettled(LinkRates rate) =>
        rate.LoadBps is not { } load || Math.Abs(load - rate.MirrorBps) <= (Settled * rate.MirrorBps) + (SettledShare * rate.CapacityBps);

    /// <param name="rate">The rates.</param>
    /// <param name="total">By how much the mirrors of all links show more than their counters, bit/s.</param>
    /// <param name="upwards">How many times as much a mirror must show.</param>
    private static bool IsFar(LinkRates rate, double total, double upwards)
    {
        if (rate is not { CounterBps: { } counter, CounterMissing: false, Up: true, CapacityBps: > 0 })
        {
            return false;
        }

        double off = rate.MirrorBps - counter;
        return Math.Abs(off) >= LeastShare * rate.CapacityBps
            && (off > 0 ? rate.MirrorBps >= upwards * counter && counter < Full * rate.CapacityBps && total >= off / 2 : rate.MirrorBps <= Near * counter && total <= off / 2);
    }
}
