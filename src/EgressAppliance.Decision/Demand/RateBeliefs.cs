namespace EgressAppliance.Decision.Demand;

/// <summary>
/// The beliefs of all links of a site. Beyond what each link's comparisons say in the course of a minute, it tells at once when a mirror jumps away from the counters:
/// doubling a mirror looks like a sudden overload, and cutting it like an empty link, and both would be acted on within seconds.
/// </summary>
/// <remarks>
/// A jump is a mirror rate of 1.8 times the counter or more, or of 0.55 times or less, by a tenth of the capacity at least, that the mirrors of the other links do not
/// make up for: traffic that merely changed links, as after a failure, is none; nor is a link whose counter says that it is full, since that needs relief whatever the
/// mirror says; nor a rise that only some of the prefixes have part in, since a mirror doubles all of them. It lasts until counter and mirror are nearer, which takes a real surge a poll or two, and goes by the cause's name once that is known.
/// </remarks>
/// <param name="links">Number of links.</param>
public sealed class RateBeliefs(int links)
{
    private const double Far = 1.8;
    private const double Near = 0.55;
    private const double LeastShare = 0.1;
    private const double Full = 0.95;
    private const double Most = 0.7;
    private readonly RateBelief[] _beliefs = [.. Enumerable.Range(0, links).Select(_ => new RateBelief())];
    private readonly long[] _suddenBps = new long[links];

    // Mirror and counter were near each other once, so that what they grew from is known.
    private readonly bool[] _agreed = new bool[links];

    /// <summary>The judgement of a link, in order of configuration.</summary>
    public RateJudgement this[int link] => _beliefs[link].Judgement is var judgement && _suddenBps[link] > 0 && !RateCauses.IsFault(judgement.Cause)
        ? judgement with { Cause = RateCause.Sudden, DifferenceBps = _suddenBps[link] } : judgement;

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
            bool far = IsFar(rates[i], total);
            bool asWhole = rates[i].MirrorBps < rates[i].CounterBps || !_agreed[i] || rates[i].GrownShare >= Most;
            _agreed[i] |= !far && rates[i].CounterBps is not null;
            _suddenBps[i] = far && (asWhole || _suddenBps[i] > 0) ? Math.Abs(rates[i].MirrorBps - rates[i].CounterBps!.Value) : 0;
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
            if (RateCauses.Forbids(judgement) || _suddenBps[i] > 0)
            {
                doubts.Add(new RateDoubt(nameOf(i), judgement.Cause, judgement.Ratio, judgement.Factor));
            }
        }

        return doubts.Count > 0 ? doubts : null;
    }

    private static bool IsFar(LinkRates rate, double total)
    {
        if (rate is not { CounterBps: { } counter, CounterMissing: false, Up: true, CapacityBps: > 0 })
        {
            return false;
        }

        double off = rate.MirrorBps - counter;
        return Math.Abs(off) >= LeastShare * rate.CapacityBps
            && (off > 0 ? rate.MirrorBps >= Far * counter && counter < Full * rate.CapacityBps && total >= off / 2 : rate.MirrorBps <= Near * counter && total <= off / 2);
    }
}
