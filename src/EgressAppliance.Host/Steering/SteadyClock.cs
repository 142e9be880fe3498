namespace EgressAppliance.Host.Steering;

/// <summary>
/// A clock that starts at the time of day and from then on only ever runs: leases, holds and ages measured by it are not shortened,
/// lengthened or turned round when someone sets the time of day.
/// </summary>
/// <param name="inner">The time of day and the timers.</param>
public sealed class SteadyClock(TimeProvider inner) : TimeProvider
{
    private readonly DateTimeOffset _start = inner.GetUtcNow();
    private readonly long _timestamp = inner.GetTimestamp();

    /// <inheritdoc/>
    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    /// <summary>How far the time of day is ahead of this clock, whole seconds: what was added by setting it since the start.</summary>
    public TimeSpan Offset => TimeSpan.FromSeconds(Math.Round((inner.GetUtcNow() - GetUtcNow()).TotalSeconds));

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start + inner.GetElapsedTime(_timestamp);

    /// <inheritdoc/>
    public override long GetTimestamp() => inner.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);
}
