namespace EgressAppliance.Host.Steering;

/// <summary>The rates that an interface counter showed of late. Bounded.</summary>
internal sealed class CounterPast
{
    /// <summary>Polls kept: half an hour, the longest active timeout, of one in ten seconds.</summary>
    private const int Most = 180;

    private readonly Queue<(long Timestamp, double? Bps)> _polls = new();

    /// <summary>Adds a poll.</summary>
    /// <param name="timestamp">When it was seen.</param>
    /// <param name="bps">The rate, bit/s, or null.</param>
    public void Add(long timestamp, double? bps)
    {
        if (_polls.Count == Most)
        {
            _polls.Dequeue();
        }

        _polls.Enqueue((timestamp, bps));
    }

    /// <summary>The rate so long ago, by the first poll since then; null if there was none, or if it is too long ago to know.</summary>
    /// <param name="timestamp">Now.</param>
    /// <param name="ago">How long ago.</param>
    /// <param name="time">The clock of the timestamps.</param>
    public double? At(long timestamp, TimeSpan ago, TimeProvider time)
    {
        bool known = ago <= TimeSpan.Zero;
        double? latest = null;
        foreach ((long at, double? bps) in _polls)
        {
            latest = bps;
            if (time.GetElapsedTime(at, timestamp) > ago)
            {
                known = true;
            }
            else if (ago > TimeSpan.Zero)
            {
                return known ? bps : null;
            }
        }

        return known ? latest : null;
    }
}
