using EgressAppliance.Decision.Cost;

namespace EgressAppliance.Host.History.Store;

/// <summary>One sample of a month: a row of the five-minute table.</summary>
/// <param name="Time">Its begin.</param>
/// <param name="Seconds">Seconds of it that were measured.</param>
/// <param name="MirrorBps">Rate by the mirror.</param>
/// <param name="CounterBps">Rate by the interface counter, or null.</param>
/// <param name="NativeBps">Native load, or null.</param>
/// <param name="OverloadSeconds">Seconds over the threshold.</param>
/// <param name="NativeOverloadSeconds">The same of the native load.</param>
internal readonly record struct MonthSample(
    DateTimeOffset Time, long Seconds, long MirrorBps, long? CounterBps, long? NativeBps, long OverloadSeconds, long NativeOverloadSeconds);

/// <summary>
/// The billing month of one link as it grows. Months, samples and the percentile are those of <see cref="BillingMonth"/> and docs/cost.md: of all samples of the whole month the largest
/// floor(ratio × N) are free and the next one is billed; one that was not measured counts as 0. Where there is no interface counter at all, the mirror is taken instead.
/// </summary>
internal sealed class MonthAccount
{
    private readonly LinkTerms _terms;
    private readonly BillingMonth _month;
    private readonly List<long> _counter = [];
    private readonly List<long> _mirror = [];
    private readonly List<long> _native = [];
    private Int128 _bits;
    private long _peak;
    private long _nativePeak;
    private long _overload;
    private long _nativeOverload;

    /// <summary>A month without samples.</summary>
    /// <param name="terms">How the link is billed.</param>
    /// <param name="time">A time in the month.</param>
    public MonthAccount(LinkTerms terms, DateTimeOffset time)
    {
        _terms = terms;
        _month = new BillingMonth(terms.Link, terms.Billing, time);
    }

    /// <summary>Begin of the month.</summary>
    public DateTimeOffset Start => _month.Start;

    /// <summary>Begin of the next one.</summary>
    public DateTimeOffset End => _month.End;

    /// <summary>Adds a sample that is over.</summary>
    public void Add(MonthSample sample)
    {
        Insert(_mirror, sample.MirrorBps);
        if (sample.CounterBps is { } counter)
        {
            Insert(_counter, counter);
        }

        if (sample.NativeBps is { } native)
        {
            Insert(_native, native);
            _nativePeak = Math.Max(_nativePeak, native);
        }

        long load = sample.CounterBps ?? sample.MirrorBps;
        _bits += (Int128)load * sample.Seconds;
        _peak = Math.Max(_peak, load);
        _overload += sample.OverloadSeconds;
        _nativeOverload += sample.NativeOverloadSeconds;
    }

    /// <summary>How it stands.</summary>
    public LinkMonth Describe()
    {
        List<long> billed = _counter.Count > 0 ? _counter : _mirror;
        DateTime first = TimeZoneInfo.ConvertTime(_month.Start, _terms.Billing.TimeZone).DateTime;
        return new LinkMonth(_terms.Link, _month.Start, _month.End, (first.Year * 100) + first.Month)
        {
            FromCounter = _counter.Count > 0,
            Percentile = _terms.Percentile,
            Samples = _month.SampleCount,
            Measured = billed.Count,
            StandingBps = Largest(billed, _month.FreeSamples),
            PercentileBps = Largest(billed, FreeOf(billed.Count)),
            NativeStandingBps = Largest(_native, _month.FreeSamples),
            NativePercentileBps = Largest(_native, FreeOf(_native.Count)),
            CommitBps = _terms.CommitBps,
            PricePerMbit = _terms.PricePerMbit,
            VolumeBytes = (long)(_bits / 8),
            PeakBps = _peak,
            NativePeakBps = _nativePeak,
            OverloadSeconds = _overload,
            NativeOverloadSeconds = _nativeOverload,
        };
    }

    private static void Insert(List<long> sorted, long value)
    {
        int at = sorted.BinarySearch(value);
        sorted.Insert(at < 0 ? ~at : at, value);
    }

    private static long Largest(List<long> sorted, int dropped) => dropped < sorted.Count ? sorted[sorted.Count - 1 - dropped] : 0;

    // In decimal, as the billing months reckon: 0.05 in binary floating point need not give whole numbers.
    private int FreeOf(int samples) => (int)decimal.Floor(samples * (decimal)_terms.Billing.FreeRatio);
}
