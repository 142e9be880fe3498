namespace EgressAppliance.Host.Http;

/// <summary>What a <see cref="DurationHistogram"/> holds at a moment.</summary>
/// <param name="Bounds">Upper bounds of the buckets, seconds, ascending; the last bucket has none.</param>
/// <param name="Counts">Observations in each bucket, one more than there are bounds.</param>
/// <param name="SumSeconds">Sum of all observations, seconds.</param>
public sealed record DurationReading(IReadOnlyList<double> Bounds, IReadOnlyList<long> Counts, double SumSeconds);

/// <summary>Counts durations in buckets of fixed bounds, for a Prometheus histogram. Thread-safe.</summary>
/// <param name="bounds">Upper bounds in seconds, ascending.</param>
public sealed class DurationHistogram(params double[] bounds)
{
    private readonly Lock _gate = new();
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    /// <summary>Bounds for what is to take milliseconds in a cycle of seconds: a cycle of a full table, and one that does not keep up, are told apart.</summary>
    public static double[] OfCycles => [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>Adds a duration.</summary>
    public void Observe(TimeSpan duration)
    {
        double seconds = duration.TotalSeconds;
        int bucket = 0;
        while (bucket < bounds.Length && seconds > bounds[bucket])
        {
            bucket++;
        }

        lock (_gate)
        {
            _counts[bucket]++;
            _sum += seconds;
        }
    }

    /// <summary>What it holds now.</summary>
    public DurationReading Read()
    {
        lock (_gate)
        {
            return new DurationReading(bounds, [.. _counts], _sum);
        }
    }
}
