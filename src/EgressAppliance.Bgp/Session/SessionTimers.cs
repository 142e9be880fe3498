namespace EgressAppliance.Bgp.Session;

/// <summary>
/// The timers of all sessions of a speaker on a thread of their own, as a <see cref="TimeProvider"/>.
/// </summary>
/// <remarks>
/// <para>The system's timers call back on the thread pool. On a busy machine with one core the pool may be taken for seconds (a planner's cycle,
/// a burst of HTTP requests, the readers of a full table), and a KEEPALIVE that waits for it is late: the router drops the session although
/// nothing is wrong. This thread does nothing but wait for the next deadline and call back, so callbacks must not block; what may have to wait for
/// a lock is handed to the pool by the callback.</para>
/// <para>The thread starts with the first timer that is set and ends with <see cref="Dispose"/>.</para>
/// </remarks>
internal sealed class SessionTimers : TimeProvider, IDisposable
{
    private readonly object _gate = new();
    private readonly TimeProvider _clock;
    private readonly PriorityQueue<(Entry Timer, long Version), long> _queue = new();
    private Thread? _thread;
    private bool _stopped;

    private SessionTimers(TimeProvider clock) => _clock = clock;

    /// <inheritdoc/>
    public override long TimestampFrequency => _clock.TimestampFrequency;

    /// <summary>Timers for a speaker that lives by this clock. A clock that is not the system's (a test's) keeps its own timers, which alone know its time.</summary>
    public static TimeProvider For(TimeProvider clock) => ReferenceEquals(clock, System) ? new SessionTimers(clock) : clock;

    /// <inheritdoc/>
    public override long GetTimestamp() => _clock.GetTimestamp();

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _clock.GetUtcNow();

    /// <summary>A timer that fires once each time it is set; <paramref name="period"/> must be infinite.</summary>
    /// <exception cref="NotSupportedException">A period was asked for.</exception>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new Entry(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            _queue.Clear();
            Monitor.Pulse(_gate);
        }
    }

    private bool Set(Entry timer, TimeSpan due)
    {
        lock (_gate)
        {
            if (_stopped || timer.Disposed)
            {
                return false;
            }

            timer.Version++;
            if (due == Timeout.InfiniteTimeSpan)
            {
                return true;
            }

            long deadline = GetTimestamp() + (long)(due.TotalSeconds * TimestampFrequency);
            _queue.Enqueue((timer, timer.Version), deadline);
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "bgp-timers" };
                _thread.Start();
            }

            Monitor.Pulse(_gate);
            return true;
        }
    }

    private void Run()
    {
        while (true)
        {
            Entry due;
            lock (_gate)
            {
                if (!WaitForNext(out due))
                {
                    return;
                }
            }

            due.Fire();
        }
    }

    /// <summary>Waits under the lock until a timer is due; false when the timers are disposed of.</summary>
    private bool WaitForNext(out Entry due)
    {
        while (!_stopped)
        {
            if (!_queue.TryPeek(out (Entry Timer, long Version) next, out long deadline))
            {
                Monitor.Wait(_gate);
                continue;
            }

            TimeSpan left = GetElapsedTime(GetTimestamp(), deadline);
            if (next.Version == next.Timer.Version && left > TimeSpan.Zero)
            {
                Monitor.Wait(_gate, (int)Math.Min(int.MaxValue, Math.Ceiling(left.TotalMilliseconds)));
                continue;
            }

            _queue.Dequeue();
            if (next.Version == next.Timer.Version)
            {
                due = next.Timer;
                return true;
            }
        }

        due = null!;
        return false;
    }

    private sealed class Entry(SessionTimers owner, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>Tells a setting that was replaced; guarded by the owner's lock.</summary>
        public long Version { get; set; }

        public bool Disposed { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period) =>
            period == Timeout.InfiniteTimeSpan ? owner.Set(this, dueTime) : throw new NotSupportedException("Session timers fire once.");

        public void Dispose()
        {
            owner.Set(this, Timeout.InfiniteTimeSpan);
            Disposed = true;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
