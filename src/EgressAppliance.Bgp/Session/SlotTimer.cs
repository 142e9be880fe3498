namespace EgressAppliance.Bgp.Session;

/// <summary>
/// A timer that is restarted far more often than it expires: a restart only moves the deadline, and the underlying timer finds out
/// when it fires. Any thread may call any member; its lock is held for a few instructions and nothing is called under it.
/// </summary>
internal sealed class SlotTimer : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Action _expired;
    private readonly ITimer _timer;
    private long _deadline;
    private bool _running;
    private bool _armed;
    private bool _hasExpired;

    /// <summary>A stopped timer. <paramref name="expired"/> is called on the time provider's thread and must not block.</summary>
    public SlotTimer(TimeProvider time, Action expired)
    {
        _time = time;
        _expired = expired;
        _timer = time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Runs, or runs anew.</summary>
    public void Start(TimeSpan due)
    {
        lock (_gate)
        {
            long deadline = _time.GetTimestamp() + (long)(due.TotalSeconds * _time.TimestampFrequency);
            bool sooner = deadline < _deadline;
            _deadline = deadline;
            _running = true;
            _hasExpired = false;
            if (!_armed || sooner)
            {
                _armed = true;
                _timer.Change(due, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Runs anew after it expired; does nothing if it was started or stopped since, by whoever knows better.</summary>
    public void Repeat(TimeSpan due)
    {
        lock (_gate)
        {
            if (_hasExpired)
            {
                Start(due);
            }
        }
    }

    /// <summary>Stops.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _running = false;
            _hasExpired = false;
        }
    }

    /// <summary>
    /// True, once, if the timer expired and was neither restarted nor stopped since: between its expiry and the moment the owner's lock is had, the
    /// message that was waited for may have come.
    /// </summary>
    public bool TakeExpiry()
    {
        lock (_gate)
        {
            bool expired = _hasExpired;
            _hasExpired = false;
            return expired;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _timer.Dispose();
    }

    private void Fire()
    {
        lock (_gate)
        {
            _armed = false;
            if (!_running)
            {
                return;
            }

            TimeSpan left = _time.GetElapsedTime(_time.GetTimestamp(), _deadline);
            if (left > TimeSpan.Zero)
            {
                // Rounded up: a timer that fires a hair early would otherwise spin on zero waits.
                _armed = true;
                _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
                return;
            }

            _running = false;
            _hasExpired = true;
        }

        _expired();
    }
}
