namespace EgressAppliance.Host.Systemd;

/// <summary>
/// Feeds the service manager's watchdog as long as both the control loop and every thread of the data path live, and keeps the line that
/// <c>systemctl status</c> shows.
/// </summary>
/// <remarks>
/// One part alone is no sign of life: a loop that goes on without a data path steers by rates of nothing, and a data path without a loop
/// counts for nobody. When a part hangs, the feeding stops and the log says which part it is. If it comes back in time, the feeding goes on;
/// else the service manager ends the process and starts it anew, and in the meantime plain BGP is in charge.
/// </remarks>
public sealed partial class WatchdogFeeder : IAsyncDisposable
{
    /// <summary>How often the status line is renewed where the service manager has no watchdog.</summary>
    private static readonly TimeSpan StatusPeriod = TimeSpan.FromSeconds(5);

    private readonly SystemdNotifier _systemd;
    private readonly Func<IReadOnlyList<VitalSign>> _read;
    private readonly Func<string> _status;
    private readonly VitalSigns _signs;
    private readonly ILogger<WatchdogFeeder> _logger;
    private readonly PeriodicTimer _timer;
    private Task _running = Task.CompletedTask;
    private bool _hanging;

    /// <summary>A feeder that is ready to start.</summary>
    /// <param name="systemd">The service manager, with its watchdog's time.</param>
    /// <param name="read">Reads the signs of life of all parts; must wait for none of them.</param>
    /// <param name="status">The line of health to show; must not wait either.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public WatchdogFeeder(SystemdNotifier systemd, Func<IReadOnlyList<VitalSign>> read, Func<string> status, TimeProvider time, ILogger<WatchdogFeeder> logger)
    {
        ArgumentNullException.ThrowIfNull(systemd);
        _systemd = systemd;
        _read = read;
        _status = status;
        _signs = new VitalSigns(time);
        _logger = logger;

        // Half of its time is what sd_watchdog_enabled(3) recommends; a quarter leaves room for a machine that is busy.
        _timer = new PeriodicTimer(systemd.WatchdogTimeout is { } timeout ? timeout / 4 : StatusPeriod, time);
    }

    /// <summary>Starts to feed.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Looks at all parts once, and feeds if none of them hangs.</summary>
    public void Look()
    {
        IReadOnlyList<(string Part, TimeSpan For)> hanging = _signs.Judge(_read());
        if (hanging.Count == 0)
        {
            if (_hanging)
            {
                _hanging = false;
                LogAlive(_logger);
            }

            _systemd.Alive(_status());
            return;
        }

        string parts = string.Join(", ", hanging.Select(h => $"{h.Part} for {h.For.TotalSeconds:0} s"));
        if (!_hanging)
        {
            _hanging = true;
            LogHanging(_logger, parts);
        }

        _systemd.Status("hanging: " + parts);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(8001, LogLevel.Critical, "no progress: {parts}; the service manager's watchdog is not fed until it goes on, and restarts the service if it does not")]
    private static partial void LogHanging(ILogger logger, string parts);

    [LoggerMessage(8002, LogLevel.Warning, "progress again: the service manager's watchdog is fed")]
    private static partial void LogAlive(ILogger logger);

    [LoggerMessage(8003, LogLevel.Critical, "the signs of life cannot be read: the service manager's watchdog is not fed any more")]
    private static partial void LogFailed(ILogger logger, Exception e);

    private async Task RunAsync()
    {
        try
        {
            do
            {
                Look();
            }
            while (await _timer.WaitForNextTickAsync());
        }
        catch (Exception e)
        {
            // A bug. Whether the appliance lives is not known, so nobody says that it does.
            LogFailed(_logger, e);
            throw;
        }
    }
}
