namespace EgressAppliance.Host.Interfaces;

/// <summary>Tells from sysUpTime whether the agent restarted between two polls. The 32-bit wrap after 497 days is no restart.</summary>
public sealed class UptimeWatch
{
    // The agent's clock and ours may drift apart by this much between two answers, hundredths of a second.
    private const long ToleratedTicks = 60 * 100;

    private (TimeSpan Time, uint Ticks)? _last;

    /// <summary>Takes a reading. True if the agent restarted since the one before.</summary>
    /// <param name="now">Time of the answer on a monotonic clock.</param>
    /// <param name="ticks">sysUpTime, hundredths of a second.</param>
    public bool Add(TimeSpan now, uint ticks)
    {
        (TimeSpan Time, uint Ticks)? before = _last;
        _last = (now, ticks);
        if (before is not { } last)
        {
            return false;
        }

        long expected = last.Ticks + (long)((now - last.Time).TotalSeconds * 100);
        bool mayHaveWrapped = expected + ToleratedTicks > uint.MaxValue;
        if (ticks < last.Ticks && !mayHaveWrapped)
        {
            return true;
        }

        // Below what it should be by far: restarted while we could not reach it, long enough to be beyond the old value again.
        return unchecked((int)(ticks - (uint)expected)) < -ToleratedTicks;
    }
}
