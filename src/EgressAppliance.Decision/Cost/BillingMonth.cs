using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Cost;

/// <summary>
/// The samples of one link in the billing month, what they come to, and the month before for forecasts. Bounded: two months of one long a sample.
/// </summary>
/// <remarks>
/// The definition, which is the usual one of transit contracts: the month is cut into samples of 5 minutes, each the average rate in it. All N samples of the
/// whole month are sorted in descending order, the first floor(ratio × N) are dropped, and the next one is billed. For 5 % that is the nearest-rank 95th
/// percentile, the ⌈0.95 × N⌉-th in ascending order. N is the number of samples the month has, measured or not: one that was not measured counts
/// as 0. A month in which the clock changes is an hour shorter or longer, and N with it. Only what is sent is counted.
/// Not safe for use by several threads at once.
/// </remarks>
public sealed class BillingMonth
{
    private const long Unmeasured = -1;

    // The measured samples that are over, ascending.
    private readonly List<long> _sorted = [];
    private long[] _samples = [];
    private long[] _previous = [];
    private int _last = -1;
    private int _lastCount;

    // Sum of the rates of the last sample; 128 bits, because a rate may be 60 of them.
    private Int128 _lastSum;

    /// <summary>A month without samples.</summary>
    /// <param name="link">The link's name.</param>
    /// <param name="options">How it is billed.</param>
    /// <param name="time">A time in the month.</param>
    /// <exception cref="ArgumentException">The options or the time are out of range.</exception>
    public BillingMonth(string link, BillingOptions options, DateTimeOffset time)
    {
        ArgumentException.ThrowIfNullOrEmpty(link);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Link = link;
        Options = options;
        if (!IsSane(time))
        {
            throw new ArgumentException($"{time} is out of range", nameof(time));
        }

        Begin(time);
    }

    /// <summary>The link's name.</summary>
    public string Link { get; }

    /// <summary>How it is billed.</summary>
    public BillingOptions Options { get; }

    /// <summary>Begin of the month, UTC.</summary>
    public DateTimeOffset Start { get; private set; }

    /// <summary>Begin of the next month, UTC.</summary>
    public DateTimeOffset End { get; private set; }

    /// <summary>How many samples the whole month has.</summary>
    public int SampleCount => _samples.Length;

    /// <summary>How many of them are free: floor(ratio × <see cref="SampleCount"/>).</summary>
    public int FreeSamples { get; private set; }

    /// <summary>The measured samples that are over.</summary>
    public int Measured => _sorted.Count;

    /// <summary>
    /// The level that will be billed in any case, bit/s: the (free + 1)-th largest sample so far, 0 if there are not that many yet. It never falls within a month, and at its end it is the bill.
    /// </summary>
    public long StandingBps => Largest(FreeSamples);

    /// <summary>What would be billed if the rest of the month were like the part so far, bit/s: the percentile of the samples measured until now.</summary>
    public long PercentileSoFarBps => Largest((int)LinkLimits.Part(_sorted.Count, Options.FreeRatio));

    /// <summary>Reads a month back.</summary>
    /// <param name="record">The data.</param>
    /// <param name="options">How the link is billed; what does not fit them any more is refused.</param>
    /// <param name="month">The month, or null.</param>
    /// <returns>False if the data contradict themselves or are of another interval, zone or billing day.</returns>
    public static bool TryRestore(BillingRecord record, BillingOptions options, out BillingMonth? month)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(options);
        month = null;
        if (string.IsNullOrEmpty(record.Link) || !IsSane(record.Start))
        {
            return false;
        }

        BillingMonth read = new(record.Link, options, record.Start);
        (DateTimeOffset previous, _) = options.MonthOf(read.Start - TimeSpan.FromTicks(1));
        bool fits = read.Start == record.Start && record.Samples.Count <= read.SampleCount
            && (record.Previous.Count == 0 || record.Previous.Count == read.CountOf(previous, read.Start))
            && record.Samples.Concat(record.Previous).All(s => s is >= Unmeasured and <= SnapshotCheck.MaxBps)
            && record.LastRest >= 0 && record.LastRest < Math.Max(1, record.LastCount)
            && (record.LastCount >= 1 || record.Samples.LastOrDefault(Unmeasured) == Unmeasured);
        if (!fits)
        {
            return false;
        }

        read._previous = [.. record.Previous];
        read._last = record.Samples.Count - 1;
        for (int i = 0; i <= read._last; i++)
        {
            read._samples[i] = record.Samples[i];
            if (i < read._last && record.Samples[i] != Unmeasured)
            {
                read._sorted.Add(record.Samples[i]);
            }
        }

        // Once rather than one by one: a month has thousands.
        read._sorted.Sort();
        if (read._last >= 0 && read._samples[read._last] != Unmeasured)
        {
            read._lastCount = record.LastCount;
            read._lastSum = ((Int128)read._samples[read._last] * record.LastCount) + record.LastRest;
        }

        month = read;
        return true;
    }

    /// <summary>Adds a rate. The sample it falls into is the average of all that are added to it, each with the same weight.</summary>
    /// <param name="time">When it was measured.</param>
    /// <param name="bps">The rate, bit/s.</param>
    public BillingAddResult Add(DateTimeOffset time, long bps)
    {
        if (bps < 0 || bps > SnapshotCheck.MaxBps || !IsSane(time))
        {
            return BillingAddResult.OutOfRange;
        }

        BillingAddResult result = BillingAddResult.Added;
        if (time >= End)
        {
            RollOver(time);
            result = BillingAddResult.RolledOver;
        }

        if (time < Start || IndexOf(time) < _last)
        {
            return BillingAddResult.TooOld;
        }

        Advance(IndexOf(time));
        _lastCount++;
        _lastSum += bps;
        _samples[_last] = (long)(_lastSum / _lastCount);
        return result;
    }

    /// <summary>Says what time it is, so that samples before it are over and a new month begins on time, measured or not.</summary>
    /// <param name="now">The time; one before the last sample changes nothing.</param>
    /// <returns>True if a new month began.</returns>
    public bool AdvanceTo(DateTimeOffset now)
    {
        bool rolls = now >= End && IsSane(now);
        if (rolls)
        {
            RollOver(now);
        }

        if (now >= Start && now < End && IndexOf(now) > _last)
        {
            Advance(IndexOf(now));
        }

        return rolls;
    }

    /// <summary>The month as plain data.</summary>
    public BillingRecord ToRecord() => new()
    {
        Link = Link,
        Start = Start,
        Samples = [.. _samples.Take(_last + 1)],
        LastCount = _lastCount,
        LastRest = _lastCount == 0 ? 0 : (int)(_lastSum % _lastCount),
        Previous = [.. _previous],
    };

    /// <summary>
    /// How many more samples may exceed a level before it is no longer the billed one: the free ones less those that exceed it already. Negative if the level is under <see cref="StandingBps"/>.
    /// </summary>
    /// <param name="levelBps">The level, bit/s.</param>
    public int FreeLeft(long levelBps)
    {
        int low = 0;
        int high = _sorted.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_sorted[middle] > levelBps)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return FreeSamples - (_sorted.Count - low);
    }

    /// <summary>The sample that a time falls into if it is over, bit/s; null if it is not, was not measured or is no longer known.</summary>
    public long? SampleAt(DateTimeOffset time)
    {
        long sample = Unmeasured;
        if (time >= Start && time < End)
        {
            int index = IndexOf(time);
            sample = index < _last ? _samples[index] : Unmeasured;
        }
        else if (time < Start)
        {
            long back = ((Start - time).Ticks - 1) / Options.Interval.Ticks;
            sample = back < _previous.Length ? _previous[_previous.Length - 1 - back] : Unmeasured;
        }

        return sample == Unmeasured ? null : sample;
    }

    /// <summary>The earliest time that a sample is kept of.</summary>
    internal DateTimeOffset KeptSince => Start - (_previous.Length * Options.Interval);

    /// <summary>Samples of the month that are not over at a time in it, the one it falls into included.</summary>
    internal int Remaining(DateTimeOffset time) => SampleCount - IndexOf(time);

    /// <summary>Far enough from the ends of the calendar to add and subtract months.</summary>
    private static bool IsSane(DateTimeOffset time) => time.Year is > 1900 and < 9000;

    private int IndexOf(DateTimeOffset time) => (int)((time - Start).Ticks / Options.Interval.Ticks);

    private int CountOf(DateTimeOffset start, DateTimeOffset end) => (int)(((end - start).Ticks + Options.Interval.Ticks - 1) / Options.Interval.Ticks);

    private long Largest(int dropped) => dropped < _sorted.Count ? _sorted[_sorted.Count - 1 - dropped] : 0;

    private void Begin(DateTimeOffset time)
    {
        (Start, End) = Options.MonthOf(time);
        _samples = new long[CountOf(Start, End)];
        Array.Fill(_samples, Unmeasured);
        FreeSamples = (int)LinkLimits.Part(_samples.Length, Options.FreeRatio);
        _sorted.Clear();
        _last = -1;
        _lastCount = 0;
        _lastSum = 0;
    }

    private void RollOver(DateTimeOffset time)
    {
        (long[] over, DateTimeOffset end) = (_samples, End);
        Begin(time);
        _previous = end == Start ? over : [];
    }

    /// <summary>Makes a sample the current one and closes what was.</summary>
    private void Advance(int index)
    {
        if (index == _last)
        {
            return;
        }

        if (_last >= 0 && _samples[_last] != Unmeasured)
        {
            int at = _sorted.BinarySearch(_samples[_last]);
            _sorted.Insert(at < 0 ? ~at : at, _samples[_last]);
        }

        _last = index;
        _lastCount = 0;
        _lastSum = 0;
    }
}
