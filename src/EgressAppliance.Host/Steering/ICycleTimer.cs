namespace EgressAppliance.Host.Steering;

/// <summary>Says when the next cycle is to run. One caller.</summary>
public interface ICycleTimer
{
    /// <summary>The first cycle is about to run.</summary>
    void Start();

    /// <summary>Waits for it.</summary>
    /// <exception cref="OperationCanceledException">The loop was stopped.</exception>
    Task WaitAsync(CancellationToken cancellationToken);
}

/// <summary>A cycle every period, a little more or less by a random share of it.</summary>
/// <param name="period">The period.</param>
/// <param name="jitter">Largest share, 0–1: so that two appliances, or a cycle and a counter's poll, do not stay in step.</param>
/// <param name="time">The clock.</param>
public sealed class PeriodicCycles(TimeSpan period, double jitter, TimeProvider time) : ICycleTimer, IDisposable
{
    private PeriodicTimer? _timer;

    /// <inheritdoc/>
    public void Start() => _timer = new PeriodicTimer(period, time);

    /// <inheritdoc/>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        PeriodicTimer timer = _timer ?? throw new InvalidOperationException("The cycles were not started.");
        if (jitter > 0)
        {
            timer.Period = period * (1 + (jitter * ((2 * Random.Shared.NextDouble()) - 1)));
        }

        await timer.WaitForNextTickAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();
}

/// <summary>A cycle at every multiple of the period by the time of day, so that the boxes of a site end their ticks together.</summary>
/// <param name="period">The period.</param>
/// <param name="time">The clock.</param>
public sealed class AlignedCycles(TimeSpan period, TimeProvider time) : ICycleTimer
{
    /// <summary>Number of the tick that the latest cycle was the end of.</summary>
    public long Tick { get; private set; }

    /// <summary>The tick under way.</summary>
    /// <param name="now">The time of day.</param>
    /// <param name="period">The period.</param>
    public static long TickOf(DateTimeOffset now, TimeSpan period) => (now - DateTimeOffset.UnixEpoch).Ticks / period.Ticks;

    /// <inheritdoc/>
    public void Start()
    {
    }

    /// <inheritdoc/>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        // A wait that ends a little early, or a clock set back by a little, must not make a second end of one tick; one set back by more begins anew.
        DateTimeOffset now = time.GetUtcNow();
        long next = TickOf(now, period) + 1;
        next = next <= Tick && Tick - next < 2 ? Tick + 1 : next;
        DateTimeOffset end = DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(next * period.Ticks);
        while ((end - time.GetUtcNow()) is { Ticks: > 0 } left)
        {
            // In steps: a clock that is set while we wait is noticed.
            await Task.Delay(left < period ? left + TimeSpan.FromMilliseconds(1) : period, time, cancellationToken);
            if (end - time.GetUtcNow() > 2 * period)
            {
                break;
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        Tick = next;
    }
}
