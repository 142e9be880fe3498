using System.Diagnostics;

namespace EgressAppliance.Tests.Snmp;

/// <summary>A clock that moves only when a test says so; timers that fall due run inside <see cref="Advance"/>.</summary>
internal sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _now.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ManualTimer timer = new(this, () => callback(state));
        lock (_lock)
        {
            _timers.Add(timer);
        }

        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        TimeSpan end;
        lock (_lock)
        {
            end = _now + by;
        }

        while (true)
        {
            ManualTimer? due;
            lock (_lock)
            {
                due = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                if (due is null)
                {
                    // Another thread may have moved on while a timer of this one ran.
                    _now = end > _now ? end : _now;
                    return;
                }

                _now = due.Due!.Value > _now ? due.Due.Value : _now;
                due.Due = due.Period > TimeSpan.Zero ? _now + due.Period : null;
            }

            due.Run();
        }
    }

    /// <summary>Waits until somebody waits for this clock.</summary>
    public async Task UntilTimerAsync()
    {
        for (Stopwatch limit = Stopwatch.StartNew(); !Armed(); await Task.Delay(1))
        {
            Assert.True(limit.Elapsed < ScriptedResponder.Patience, "nobody set a timer");
        }

        bool Armed()
        {
            lock (_lock)
            {
                return _timers.Exists(timer => timer.Due is not null);
            }
        }
    }

    private sealed class ManualTimer(ManualTimeProvider owner, Action run) : ITimer
    {
        public TimeSpan? Due { get; set; }

        public TimeSpan Period { get; private set; }

        public Action Run => run;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._lock)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : owner._now + dueTime;
                Period = period;
                return true;
            }
        }

        public void Dispose()
        {
            lock (owner._lock)
            {
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
