namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// Until when this box may announce. It counts from before the grant was asked for, by a clock that nobody sets and that runs on while the process is stopped; so the answer is right
/// whenever it is asked for, also as the first thing after a stop of an hour. Reading: any thread, without waiting.
/// </summary>
/// <param name="options">What governs it.</param>
/// <param name="time">The clock.</param>
public sealed class LeaseTerm(LeaseOptions options, TimeProvider time)
{
    private readonly Lock _writing = new();
    private readonly long _voice = (long)Math.Floor(options.Voice.TotalSeconds * time.TimestampFrequency);
    private long _revoked = long.MinValue;

    // One value that tells it all, so that one read does: a timestamp, or never.
    private long _until = long.MinValue;

    /// <summary>Whether it may.</summary>
    public bool MayAnnounce => time.GetTimestamp() < Interlocked.Read(ref _until);

    /// <summary>How long it may still; not negative.</summary>
    public TimeSpan Remaining => Interlocked.Read(ref _until) is var until && time.GetTimestamp() is var now && until > now ? time.GetElapsedTime(now, until) : TimeSpan.Zero;

    /// <summary>A grant came.</summary>
    /// <param name="asked">When it was asked for, before anything was sent; <see cref="TimeProvider.GetTimestamp"/>.</param>
    public void Grant(long asked)
    {
        lock (_writing)
        {
            // What was asked for before it was revoked is void. Replies may overtake each other: the latest question counts.
            if (asked > _revoked)
            {
                Interlocked.Exchange(ref _until, Math.Max(_until, asked + _voice));
            }
        }
    }

    /// <summary>It may not any more, whatever reply is still on its way.</summary>
    public void Revoke()
    {
        lock (_writing)
        {
            _revoked = time.GetTimestamp();
            Interlocked.Exchange(ref _until, long.MinValue);
        }
    }
}
