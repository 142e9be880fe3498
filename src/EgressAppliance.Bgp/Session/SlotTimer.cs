namespace EgressAppliance.Bgp.Session;

/// <summary>
/// A timer that is restarted far more often than it expires: a restart only moves the deadline, and the underlying timer finds out
/// when it fires. All members are called under the owner's lock, which <c>expired</c> is given the chance to take.
/// </summary>
internal sealed class SlotTimer : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Lock _gate;
    private readonly Action _expired;
    private readonly ITimer _timer;
    private long _deadline;
    private bool _running;
    private bool _armed;

    /// <summary>A stopped timer. <paramref name="expired"/> is called without the lock.</summary>
    public SlotTimer(TimeProvider time, Lock gate, Action expired)
    {
        _time = time;
        _gate = gate;
        _expired = expired;
        _timer = time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Runs, or runs anew.</summary>
    public void Start(TimeSpan due)
    {
        long deadline = _time.GetTimestamp() + (long)(due.TotalSeconds * _time.TimestampFrequency);
        bool sooner = deadline < _deadline;
        _deadline = deadline;
        _running = true;
        if (!_armed || sooner)
        {
            _armed = true;
            _timer.Change(due, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Stops.</summary>
    public void Stop() => _running = false;

    /// <inheritdoc/>
    public void Dispose()
    {
        _running = false;
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
        }

        _expired();
    }
}
