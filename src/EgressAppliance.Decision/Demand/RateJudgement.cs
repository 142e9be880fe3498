namespace EgressAppliance.Decision.Demand;

/// <summary>How far a link's mirror rate can be believed.</summary>
/// <param name="Cause">What mirror and counter say of each other.</param>
public readonly record struct RateJudgement(RateCause Cause)
{
    /// <summary>A mirror that shows a smaller share than this says nothing about how much is missing; the counter does.</summary>
    public const double Nothing = 0.001;

    // What traffic is taken to change by, at most, since the counter was read.
    private const double Change = 1.05;

    /// <summary>Mirror rate divided by counter rate over the last comparisons; null while unknown.</summary>
    public double? Ratio { get; init; }

    /// <summary>Share of the traffic that the mirror is known not to show, 0–1; 0 if it is not known to lose any.</summary>
    public double LossRatio => Cause == RateCause.MirrorLoss && Ratio is > 0 and { } ratio ? Math.Max(0, 1 - ratio) : 0;

    /// <summary>Half width of the 95 % interval of <see cref="Ratio"/>, by its scatter.</summary>
    public double RatioError { get; init; }

    /// <summary>The whole number that the cause is about: how often each frame is shown, or one in how many; 0 for other causes.</summary>
    public int Factor { get; init; }

    /// <summary>For <see cref="RateCause.Overhead"/> the overhead that makes them agree, bytes a packet.</summary>
    public int OverheadBytes { get; init; }

    /// <summary>Largest difference of counter and mirror in the last comparisons, and of now for <see cref="RateCause.Sudden"/>, bit/s, not negative.</summary>
    public long DifferenceBps { get; init; }

    /// <summary>How wrong a mirror rate may be by this comparison alone, bit/s. Where the counter is at fault or at its end, the mirror is what is believed.</summary>
    /// <param name="mirrorBps">The mirror rate, bit/s.</param>
    public long ErrorBps(long mirrorBps)
    {
        if (Cause == RateCause.Sudden)
        {
            return (long)(DifferenceBps * Change);
        }

        if (Ratio is not { } ratio || Cause is RateCause.CounterStalled or RateCause.CounterMissing or RateCause.Shaped)
        {
            return 0;
        }

        return ratio < Nothing ? (long)(DifferenceBps * Change) : (long)(mirrorBps * (Math.Abs((1 / ratio) - 1) + (RatioError / ratio / ratio)));
    }
}
