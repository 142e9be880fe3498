namespace EgressAppliance.Decision.Demand;

/// <summary>Says what a window of comparisons looks like, without memory.</summary>
internal static class RateClassifier
{
    // Below this share of the capacity, the router's own packets and rounding weigh too much.
    private const double IdleRatio = 0.01;
    private const double IdleBps = 1e6;

    // One frame in more than this is as good as none.
    private const int MostSampling = 2000;

    // How near a whole number a ratio must be, beside its scatter.
    private const double Nearness = 0.02;

    // What an offered load exceeds a capacity by for long, at most; senders slow down.
    private const double MostShaped = 1.8;
    private const double Settled = 0.05;
    private const double LeastOverhead = 0.003;
    private const double OverheadBytesOff = 0.75;

    // Ethernet as counted by routers: nothing; header; with FCS; with one and two tags; with preamble and gap, and a tag.
    private static readonly int[] Overheads = [0, 14, 18, 22, 26, 38, 42];

    // What switches are set to; others are told as they are measured.
    private static readonly int[] UsualRates = [16, 20, 25, 32, 50, 64, 100, 128, 200, 250, 256, 400, 500, 512, 1000, 1024, 2000];

    /// <summary>The figures without a cause.</summary>
    public static RateJudgement Measure(ReadOnlySpan<RateComparison> window)
    {
        (double? ratio, double error) = RateBelief.RatioOf(window);
        double difference = 0;
        foreach (RateComparison c in window)
        {
            difference = Math.Max(difference, Math.Abs(c.CounterBps - c.MirrorBps));
        }

        return new RateJudgement { Ratio = ratio, RatioError = error, DifferenceBps = (long)difference };
    }

    /// <summary>The cause that all of a window speaks for; null if it speaks for none.</summary>
    public static RateJudgement? Classify(ReadOnlySpan<RateComparison> window, long capacityBps, int overheadBytes)
    {
        double floor = Math.Max(IdleBps, IdleRatio * capacityBps);
        int idle = 0;
        foreach (RateComparison c in window)
        {
            idle += Math.Max(c.CounterBps, c.MirrorBps) < floor ? 1 : 0;
        }

        RateJudgement measured = Measure(window);
        if (idle > 0)
        {
            return idle == window.Length ? new RateJudgement(RateCause.Unknown) : null;
        }

        if (All(window, c => c.CounterBps * MostSampling <= c.MirrorBps))
        {
            return measured with { Cause = RateCause.CounterStalled };
        }

        if (measured.Ratio is not { } ratio)
        {
            return null;
        }

        if (All(window, c => c.MirrorBps * MostSampling < c.CounterBps))
        {
            return measured with { Cause = RateCause.MirrorSilent };
        }

        if (capacityBps > 0 && ratio is > 1.01 and < MostShaped && All(window, c => c.MirrorBps > capacityBps && c.CounterBps >= 0.9 * capacityBps && c.CounterBps <= 1.02 * capacityBps))
        {
            return measured with { Cause = RateCause.Shaped };
        }

        return Multiple(window, measured, ratio) ?? Overhead(window, measured, ratio, overheadBytes) ?? Share(window, measured, ratio);
    }

    private static RateJudgement? Multiple(ReadOnlySpan<RateComparison> window, RateJudgement measured, double ratio)
    {
        double tolerance = Nearness + Math.Min(0.05, measured.RatioError / ratio);
        if (All(window, c => c.Ratio > 1.5))
        {
            int times = (int)Math.Round(Math.Min(ratio, 1e6));
            return Math.Abs((ratio / times) - 1) <= tolerance ? measured with { Cause = RateCause.Duplicated, Factor = times } : null;
        }

        if (!All(window, c => c.Ratio < 0.6) || !IsSteady(window, ratio))
        {
            return null;
        }

        double oneIn = 1 / ratio;
        int nearest = (int)Math.Round(oneIn);
        foreach (int usual in UsualRates)
        {
            if (Math.Abs((usual / oneIn) - 1) <= tolerance && (nearest == (int)Math.Round(oneIn) || Math.Abs(usual - oneIn) < Math.Abs(nearest - oneIn)))
            {
                nearest = usual;
            }
        }

        return nearest >= 2 && Math.Abs((nearest / oneIn) - 1) <= tolerance ? measured with { Cause = RateCause.Sampling, Factor = nearest } : null;
    }

    /// <summary>Sampling keeps its share whatever the load; a mirror port that is full does not. What the few packets of an interval scatter by is allowed for.</summary>
    private static bool IsSteady(ReadOnlySpan<RateComparison> window, double ratio)
    {
        foreach (RateComparison c in window)
        {
            double packets = Math.Max(1, c.PacketsPerSecond * c.Seconds);
            if (Math.Abs((c.Ratio / ratio) - 1) > 0.1 + (4 * Math.Sqrt(2 / packets)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The same number of bytes lacks at every packet, and with them the overhead is one that routers count by.</summary>
    private static RateJudgement? Overhead(ReadOnlySpan<RateComparison> window, RateJudgement measured, double ratio, int overheadBytes)
    {
        double packets = 0;
        double lacking = 0;
        foreach (RateComparison c in window)
        {
            packets += c.PacketsPerSecond;
            lacking += (c.CounterBps - c.MirrorBps) / 8;
        }

        if (Math.Abs(ratio - 1) is < LeastOverhead or > 0.25 || Math.Abs(ratio - 1) < measured.RatioError || !(packets > 0))
        {
            return null;
        }

        double each = lacking / packets;
        if (measured.RatioError * window[0].MirrorBps / 8 / Math.Max(1, window[0].PacketsPerSecond) > OverheadBytesOff)
        {
            return null;
        }

        int right = -1;
        foreach (int usual in Overheads)
        {
            if (usual != overheadBytes && Math.Abs(overheadBytes + each - usual) <= OverheadBytesOff)
            {
                right = usual;
            }
        }

        // Where the size of packets changes, a share that is lost and bytes that are not counted tell themselves apart.
        double byPacket = 0;
        double byShare = 0;
        foreach (RateComparison c in window)
        {
            byPacket += Math.Pow(c.MirrorBps + (8 * each * c.PacketsPerSecond) - c.CounterBps, 2);
            byShare += Math.Pow((c.MirrorBps / ratio) - c.CounterBps, 2);
        }

        return right >= 0 && byPacket <= 1.5 * byShare + 1 ? measured with { Cause = RateCause.Overhead, OverheadBytes = right } : null;
    }

    private static RateJudgement? Share(ReadOnlySpan<RateComparison> window, RateJudgement measured, double ratio) => ratio switch
    {
        < 0.95 => IsSettled(window, ratio) && All(window, c => c.Ratio < 0.98) ? measured with { Cause = RateCause.MirrorLoss } : null,
        > 1.05 => IsSettled(window, ratio) && All(window, c => c.Ratio > 1.02) ? measured with { Cause = RateCause.MirrorExcess } : null,
        _ => measured with { Cause = RateCause.Agree },
    };

    /// <summary>The latter half says what the whole does: a window that begins before the change says too little of it.</summary>
    private static bool IsSettled(ReadOnlySpan<RateComparison> window, double ratio) =>
        RateBelief.RatioOf(window[(window.Length / 2)..]).Ratio is { } latter && Math.Abs((latter / ratio) - 1) <= Settled;

    private static bool All(ReadOnlySpan<RateComparison> window, Func<RateComparison, bool> holds)
    {
        foreach (RateComparison c in window)
        {
            if (!holds(c))
            {
                return false;
            }
        }

        return true;
    }
}
