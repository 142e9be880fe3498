namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// Until when this box may announce. It counts from before the grant was asked for, by a clock that nobody sets and that runs on while the process is stopped; so the answer is right
/// whenever it is asked for, also as the first thing after a stop of an hour. Any thread, without waiting.
/// </summary>
/// <param name="options">What governs it.</param>
/// <param name="time">The clock.</param>
public sealed class LeaseTerm(LeaseOptions options, TimeProvider time)
{
    private readonly long _voice = (long)(options.Voice.TotalSeconds * time.TimestampFrequency);

    // A timestamp, never; so that one read tells it all.
    private long _until = long.MinValue;

    /// <summary>Whether it may.</summary>
    public bool MayAnnounce => time.GetTimestamp() < Interlocked.Read(ref _until);

    /// <summary>How long it may still; not negative.</summary>
    public TimeSpan Remaining => Interlocked.Read(ref _until) is var until && time.GetTimestamp() is var now && until > now ? time.GetElapsedTime(now, until) : TimeSpan.Zero;

    /// <summary>A grant came.</summary>
    /// <param name="asked">When it was asked for, before anything was sent; <see cref="TimeProvider.GetTimestamp"/>.</param>
    public void Granted(long asked)
    {
        // Replies may overtake each other: the latest question counts.
        long until = asked + _voice;
        long before = Interlocked.Read(ref _until);
        while (until > before && Interlocked.CompareExchange(ref _until, until, before) is var seen && seen != before)
        {
            before = seen;
        }
    }

    /// <summary>It may not any more.</summary>
    public void Revoke() => Interlocked.Exchange(ref _until, long.MinValue);
}
