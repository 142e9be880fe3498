namespace EgressAppliance.Decision.Demand;

/// <summary>
/// Compares a link's mirror rate with its interface counter, poll by poll, and names the cause when they disagree.
/// </summary>
/// <remarks>
/// One comparison proves little: the two are not read at the same moment, agents cache their counters for up to half a minute, and traffic changes meanwhile. So
/// intervals are joined until they are ten seconds long, and a cause is named only when the last six, a minute at least, all speak for it and their sum does. It stays
/// until their sum is clearly right again, and no cause lasts less than six comparisons, so that a ratio on a limit does not flap.
/// Memory is six comparisons. Not safe for concurrent use.
/// </remarks>
public sealed class RateBelief
{
    /// <summary>Comparisons that a judgement rests on.</summary>
    public const int Comparisons = 6;

    // Polls every ten seconds come a little early or late.
    private const double LeastSeconds = 8;

    // Student's t for 95 % with five degrees of freedom.
    private const double Confidence = 2.57;

    // As near as this the difference is gone; it had to exceed 5 % to be named.
    private const double Agreement = 0.03;
    private readonly Queue<RateComparison> _window = new(Comparisons);
    private RateComparison _pending;
    private RateJudgement _named;
    private RateCause _candidate;
    private int _run;
    private int _age = Comparisons;
    private bool _missing;

    /// <summary>The judgement as of the latest comparison.</summary>
    public RateJudgement Judgement => _missing ? new RateJudgement(RateCause.CounterMissing) : _named;

    /// <summary>Notes whether the router answers for the counter. After a gap the comparison begins anew.</summary>
    /// <param name="missing">It has not answered for too long.</param>
    public void Missing(bool missing)
    {
        if (missing && !_missing)
        {
            _window.Clear();
            _pending = default;
            _named = default;
            _age = Comparisons;
        }

        _missing = missing;
    }

    /// <summary>Takes a comparison.</summary>
    /// <param name="comparison">Rates over the interval between two polls.</param>
    /// <param name="capacityBps">Capacity of the link, bit/s; 0 while unknown.</param>
    /// <param name="overheadBytes">Layer-2 overhead that the mirror rate includes, bytes a packet.</param>
    public void Compare(RateComparison comparison, long capacityBps, int overheadBytes = 0)
    {
        if (!(comparison.Seconds > 0) || !double.IsFinite(comparison.CounterBps + comparison.MirrorBps) || comparison.CounterBps < 0)
        {
            return;
        }

        _pending = _pending.Seconds > 0 ? _pending.Join(comparison) : comparison;
        if (_pending.Seconds < LeastSeconds)
        {
            return;
        }

        if (_window.Count == Comparisons)
        {
            _window.Dequeue();
        }

        _window.Enqueue(_pending);
        _pending = default;
        _age++;
        if (_window.Count == Comparisons)
        {
            Judge(RateClassifier.Classify([.. _window], capacityBps, overheadBytes));
        }
    }

    private void Judge(RateJudgement? classified)
    {
        if (classified is not { } now)
        {
            _run = 0;
            Measure();
            return;
        }

        _run = now.Cause == _candidate ? _run + 1 : 1;
        _candidate = now.Cause;
        if (now.Cause == _named.Cause)
        {
            // A whole number that was named stays as long as it is the nearest but for noise.
            _named = now;
        }
        else if (_named.Cause == RateCause.Unknown || (_age >= Comparisons && MayChange(now)))
        {
            _named = now;
            _age = 0;
        }
        else
        {
            Measure();
        }
    }

    private bool MayChange(RateJudgement now) => _named.Cause switch
    {
        RateCause.Agree => true,
        RateCause.Overhead => _run >= Comparisons,
        _ when now.Cause is RateCause.Agree or RateCause.Overhead => Math.Abs(now.Ratio!.Value - 1) <= Agreement,
        _ => now.Cause == RateCause.Unknown || _run >= Comparisons,
    };

    /// <summary>The cause stays, the figures are those of now.</summary>
    private void Measure()
    {
        RateJudgement now = RateClassifier.Measure([.. _window]);
        _named = _named with { Ratio = now.Ratio, RatioError = now.RatioError, DifferenceBps = now.DifferenceBps };
    }

    /// <summary>The figures of a window without a cause.</summary>
    internal static (double? Ratio, double Error) RatioOf(ReadOnlySpan<RateComparison> window)
    {
        double counter = 0;
        double mirror = 0;
        foreach (RateComparison c in window)
        {
            counter += c.CounterBps;
            mirror += c.MirrorBps;
        }

        if (!(counter > 0))
        {
            return (null, 0);
        }

        // The standard error of a ratio estimator (W. G. Cochran, Sampling Techniques, 6.4): the scatter of what the ratio leaves unexplained.
        double ratio = mirror / counter;
        double squares = 0;
        foreach (RateComparison c in window)
        {
            double left = c.MirrorBps - (ratio * c.CounterBps);
            squares += left * left;
        }

        return (ratio, Confidence * Math.Sqrt(squares * window.Length / Math.Max(1, window.Length - 1)) / counter);
    }
}
