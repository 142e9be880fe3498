namespace EgressAppliance.Decision.Cost;

/// <summary>
/// The total demand of the links for the rest of the month, as multiples of the present one. A sample to come is expected to be like those of the same time in the
/// weeks before, corrected by how the last week compares with the weeks before it. Where no week before is known, the same time of the days before
/// stands in, and where no such day is known, the mean of everything that is.
/// </summary>
/// <remarks>
/// Not their mean but all of them, each with its share of the weight: what is billed is a question of how the samples are distributed, and a mean has no peaks.
/// </remarks>
internal sealed class DemandForecast
{
    private const int Weeks = 5;
    private const int Days = 7;

    // Of the samples to come, evenly spaced ones stand for all if there are more.
    private const int MaxSteps = 1500;
    private const int MaxBins = 500;
    private readonly double[] _totals;
    private readonly int _now;
    private readonly int _perDay;

    /// <summary>Reads the samples.</summary>
    /// <param name="months">The months of all links that take part; equal intervals.</param>
    /// <param name="time">Now.</param>
    public DemandForecast(IReadOnlyList<BillingMonth> months, DateTimeOffset time)
    {
        TimeSpan interval = months[0].Options.Interval;
        DateTimeOffset since = months.Max(m => m.KeptSince);
        _perDay = (int)(TimeSpan.TicksPerDay / interval.Ticks);
        _now = (int)Math.Max(0, (time - since).Ticks / interval.Ticks);
        _totals = new double[_now];
        for (int i = 0; i < _now; i++)
        {
            DateTimeOffset at = since + (i * interval);
            foreach (BillingMonth month in months)
            {
                _totals[i] = month.SampleAt(at) is { } sample ? _totals[i] + sample : double.NaN;
            }

            Known += double.IsNaN(_totals[i]) ? 0 : 1;
        }

        Level = LevelOfLastWeek();
    }

    /// <summary>How many samples of the past are known of all links.</summary>
    public int Known { get; }

    /// <summary>Whether a day's worth of samples is known.</summary>
    public bool HasDay => Known >= _perDay;

    /// <summary>The last week's demand over that of the same times in the weeks before, the median of it, so that a burst is not taken for growth; 1 if there are none.</summary>
    public double Level { get; }

    /// <summary>The samples to come, largest first; the present one is not among them.</summary>
    /// <param name="presentBps">Present total demand, bit/s; not 0.</param>
    /// <param name="count">How many samples are to come.</param>
    public List<DemandBin> Bins(long presentBps, int count)
    {
        List<DemandBin> bins = [];
        int step = (count / MaxSteps) + 1;
        List<double> like = [];
        for (int ahead = 1; ahead <= count; ahead += step)
        {
            Like(_now + ahead, like);
            double weight = (double)Math.Min(step, count - ahead + 1) / like.Count;
            bins.AddRange(like.Select(total => new DemandBin(total * Level / presentBps, weight)));
        }

        bins.Sort((a, b) => b.Scale.CompareTo(a.Scale));
        return Merge(bins);
    }

    /// <summary>Puts neighbours together, at their mean, until there are not too many.</summary>
    private static List<DemandBin> Merge(List<DemandBin> bins)
    {
        int together = (bins.Count / MaxBins) + 1;
        return together == 1 ? bins : [.. bins.Chunk(together).Select(some =>
        {
            double weight = some.Sum(b => b.Weight);
            return new DemandBin(some.Sum(b => b.Scale * b.Weight) / weight, weight);
        })];
    }

    /// <summary>The largest demand expected within the next samples, as a multiple of what is expected of the present one; at least 1.</summary>
    /// <param name="samples">How far to look.</param>
    public double Growth(int samples)
    {
        double present = Mean(_now);
        double most = present;
        for (int ahead = 1; ahead <= samples; ahead++)
        {
            most = Math.Max(most, Mean(_now + ahead));
        }

        return present > 0 ? most / present : 1;
    }

    private double Mean(int index)
    {
        List<double> like = [];
        Like(index, like);
        return like.Average();
    }

    /// <summary>The samples that one is expected to be like; never empty if any is known.</summary>
    private void Like(int index, List<double> like)
    {
        like.Clear();
        Add(index, 7 * _perDay, Weeks, _now, like);
        if (like.Count == 0)
        {
            Add(index, _perDay, Days, _now, like);
        }

        if (like.Count == 0)
        {
            like.Add(_totals.Where(t => !double.IsNaN(t)).DefaultIfEmpty(0).Average());
        }
    }

    /// <summary>Adds, of the samples that are whole multiples of a time before one, the latest so many before what is known.</summary>
    private void Add(int index, int back, int times, int known, List<double> like)
    {
        int first = Math.Max(1, ((index - known) / back) + 1);
        for (int i = first; i < first + times; i++)
        {
            int at = index - (i * back);
            if (at >= 0 && !double.IsNaN(_totals[at]))
            {
                like.Add(_totals[at]);
            }
        }
    }

    private double LevelOfLastWeek()
    {
        List<double> ratios = [];
        List<double> like = [];
        for (int i = Math.Max(0, _now - (7 * _perDay)); i < _now; i++)
        {
            like.Clear();
            Add(i, 7 * _perDay, Weeks, i, like);
            if (!double.IsNaN(_totals[i]) && like.Count > 0 && like.Average() > 0)
            {
                ratios.Add(_totals[i] / like.Average());
            }
        }

        ratios.Sort();
        return ratios.Count > 0 ? Math.Clamp(ratios[ratios.Count / 2], 0.5, 2) : 1;
    }
}
