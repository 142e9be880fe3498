using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// The control loop. Once a cycle, in this order: read the counters and all other inputs, let the decision maker decide, announce, withdraw,
/// publish the state, tell the speaker that the loop lives. The service manager is told by <see cref="Systemd.WatchdogFeeder"/>, which looks at the data path, too.
/// </summary>
/// <remarks>
/// The loop is sequential on purpose: everything shown for a cycle comes from one moment, and a loop that hangs stops all signs of
/// life at once. The speaker then sends no keepalives and the routers drop its routes; before that, the leases run out.
///
/// Three things act outside the loop because they must not wait for it: the speaker withdraws an override whose path went; the lease
/// watchdog withdraws what no cycle renewed; and operators' commands act at once. Commands and cycles take turns by a lock around
/// the decision and its carrying out, which queues messages and never waits for a router; withdraw-all tells the speaker first and the
/// controller second, so that nothing in the controller can keep the red button from working.
///
/// What the speaker announces is the truth, and the ledger follows it: each turn begins by comparing the two. An entry that the speaker
/// lost or the watchdog withdrew leaves the ledger, however late the loop hears of it, and an announcement without an entry, which
/// would have no lease, is withdrawn.
///
/// If a cycle throws, that is a bug: everything is withdrawn, and the appliance ends with an error so that the service manager
/// starts it anew. Going on with a half-finished state would be steering blind.
/// </remarks>
public sealed class SteeringLoop : IAsyncDisposable
{
    private readonly RecordingController _controller;
    private readonly InputCollector _inputs;
    private readonly RouteInstaller _installer;
    private readonly IBgpSpeaker _speaker;
    private readonly LinkDirectory _links;
    private readonly SteadyClock _time;
    private readonly ILogger<SteeringLoop> _logger;
    private readonly TimeSpan _period;
    private readonly double _jitter;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly LeaseWatchdog _watchdog;
    private volatile IReadOnlyList<BillingStatus> _billing = [];
    private Task _running = Task.CompletedTask;
    private Verdict? _lastVerdict;
    private int _withdrawing;
    private long _cycles;

    /// <summary>A loop that is ready to start.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="inputs">Reads the inputs of a cycle.</param>
    /// <param name="installer">Carries outcomes out.</param>
    /// <param name="speaker">Told that the loop lives, and asked what it announces.</param>
    /// <param name="links">The links.</param>
    /// <param name="time">A clock that nobody sets.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="journal">Takes every call of the decision maker; null for no journal.</param>
    /// <param name="cost">What cost mode remembered when the appliance last ran; null if nothing is known.</param>
    public SteeringLoop(
        ApplianceConfig config, InputCollector inputs, RouteInstaller installer, IBgpSpeaker speaker, LinkDirectory links,
        SteadyClock time, ILogger<SteeringLoop> logger, IJournalSink? journal = null, CostModeState? cost = null)
    {
        _inputs = inputs;
        _installer = installer;
        _speaker = speaker;
        _links = links;
        _time = time;
        _logger = logger;
        _period = config.Decision.Cycle;
        _jitter = config.Decision.CycleJitter;
        _controller = new RecordingController(
            new DecisionController(
                SteeringOptions.ForController(config), config.Mode == ApplianceMode.Inject ? DecisionMode.Inject : DecisionMode.Observe, cost: cost),
            journal);
        _speaker.OverrideLost += OnOverrideLost;
        _watchdog = new LeaseWatchdog(
            () => _controller.Mode == DecisionMode.Inject ? _controller.Overrides : [], _installer.WithdrawExpired, time);
    }

    /// <summary>Called at the end of each cycle with its inputs and outcome, on the loop's thread.</summary>
    public event Action<CycleInputs, CycleOutcome, TimeSpan>? CycleDone;

    /// <summary>Called after an operator's command changed something, with what is in force now.</summary>
    public event Action<CycleOutcome>? CommandDone;

    /// <summary>Completes when the loop was stopped; faults if a cycle failed.</summary>
    public Task Completion => _running;

    /// <summary>Configured period of the cycles.</summary>
    public TimeSpan Period => _period;

    /// <summary>Cycles that came to their end: the sign of life of the loop. Any thread; waits for no cycle.</summary>
    public long Cycles => Volatile.Read(ref _cycles);

    /// <summary>The mode in force.</summary>
    public DecisionMode Mode => _controller.Mode;

    /// <summary>The options of planning in force.</summary>
    public PlannerOptions PlannerOptions => _controller.Options.Planner;

    /// <summary>How the months of the links with a price stood after the latest cycle. Any thread; waits for no cycle.</summary>
    public IReadOnlyList<BillingStatus> Billing => _billing;

    /// <summary>What cost mode remembers, to be written down.</summary>
    public CostModeState ExportCost()
    {
        lock (_gate)
        {
            return _controller.ExportCost();
        }
    }

    /// <summary>Starts cycling.</summary>
    public void Start() => _running = Task.Run(() => RunAsync(_stop.Token));

    /// <summary>Sets the mode.</summary>
    public void SetMode(DecisionMode mode)
    {
        SteeringLog.ModeChanged(_logger, mode == DecisionMode.Inject ? "inject" : "observe");
        Command(now => _controller.SetMode(mode, now));
    }

    /// <summary>The red button.</summary>
    /// <returns>How many overrides were announced.</returns>
    public int WithdrawAll()
    {
        // A cycle that takes its turn between the two steps announces nothing.
        Interlocked.Increment(ref _withdrawing);
        try
        {
            int count = _installer.WithdrawAll();
            Command(_controller.WithdrawAll);
            return count;
        }
        finally
        {
            Interlocked.Decrement(ref _withdrawing);
        }
    }

    /// <summary>An operator's override.</summary>
    /// <returns>The result, and when it is done why the speaker would not announce it, if so.</returns>
    public (OperatorResult Result, OverrideRefusal Refusal) AddOverride(IpPrefix prefix, string link)
    {
        SteeringLog.Operator(_logger, $"override add {prefix} {link}");
        OperatorResult result = OperatorResult.NotReady;
        IReadOnlyList<string> paths = _links.LinksOf(_speaker.GetPaths(prefix));
        long rate = _inputs.Latest?.Rates.Find(prefix)?.RateBps ?? 0;
        IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> refused = Command(now =>
        {
            (result, CycleOutcome outcome) = _controller.AddOverride(prefix, link, paths, now, rate);
            return outcome;
        });
        return (result, refused.FirstOrDefault(r => r.Prefix == prefix).Refusal);
    }

    /// <summary>An operator ends an override.</summary>
    public OperatorResult ReleaseOverride(IpPrefix prefix)
    {
        SteeringLog.Operator(_logger, $"override release {prefix}");
        OperatorResult result = OperatorResult.NoOverride;
        Command(now =>
        {
            (result, CycleOutcome outcome) = _controller.ReleaseOverride(prefix, now);
            return outcome;
        });
        return result;
    }

    /// <summary>Until when a prefix is left as it is, as times of day.</summary>
    public PrefixTimers TimersOf(IpPrefix prefix)
    {
        PrefixTimers timers;
        lock (_gate)
        {
            timers = _controller.TimersOf(prefix, _time.GetUtcNow());
        }

        TimeSpan offset = _time.Offset;
        return new PrefixTimers(timers.HoldUntil + offset, timers.DampedUntil + offset, timers.QuarantinedUntil + offset, timers.LeaseExpires + offset);
    }

    /// <summary>Stops the loop and withdraws everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();

        // At once, in case a cycle hangs; and again when no cycle can announce any more.
        _installer.WithdrawAll();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _watchdog.DisposeAsync();
        _speaker.OverrideLost -= OnOverrideLost;
        _installer.WithdrawAll();
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            using PeriodicTimer timer = new(_period, _time);
            do
            {
                Cycle(stop);
                if (_jitter > 0)
                {
                    timer.Period = NextPeriod();
                }
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
        catch (Exception e)
        {
            SteeringLog.LoopFailed(_logger, e);
            _installer.WithdrawAll();
            throw;
        }
    }

    /// <summary>A little more or less than the cycle, so that two appliances, or a cycle and a counter's poll, do not stay in step.</summary>
    private TimeSpan NextPeriod() => _period * (1 + (_jitter * ((2 * Random.Shared.NextDouble()) - 1)));

    private void Cycle(CancellationToken stop)
    {
        long start = _time.GetTimestamp();
        CycleInputs inputs = _inputs.Collect(_controller.Overrides);
        CycleOutcome outcome;
        lock (_gate)
        {
            stop.ThrowIfCancellationRequested();
            Reconcile();
            outcome = _controller.Cycle(inputs.Input);
            Carry(outcome);
            outcome = Shown(outcome);
            _billing = _controller.Billing;
        }

        TimeSpan elapsed = _time.GetElapsedTime(start);
        if (outcome.Verdict != _lastVerdict)
        {
            _lastVerdict = outcome.Verdict;
            SteeringLog.VerdictChanged(_logger, Reasons.Code(outcome.Verdict), outcome.Reason);
        }

        CycleDone?.Invoke(inputs, outcome, elapsed);
        _speaker.Heartbeat();
        Volatile.Write(ref _cycles, _cycles + 1);
    }

    private IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Command(Func<DateTimeOffset, CycleOutcome> command)
    {
        CycleOutcome outcome;
        IReadOnlyList<(IpPrefix, OverrideRefusal)> refused;
        lock (_gate)
        {
            Reconcile();
            outcome = command(_time.GetUtcNow());
            refused = Carry(outcome);
            outcome = Shown(outcome);
        }

        CommandDone?.Invoke(outcome);
        return refused;
    }

    private IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Carry(CycleOutcome outcome) => _installer.Apply(
        Volatile.Read(ref _withdrawing) > 0 ? outcome with { Announce = [] } : outcome,
        (prefix, ok) => _controller.Announced(prefix, ok, _time.GetUtcNow()));

    /// <summary>Makes ledger and speaker tell the same. Everything is announced under the lock, so what differs was ended by others.</summary>
    private void Reconcile()
    {
        HashSet<IpPrefix> announced = [.. _speaker.GetOverrides().Select(o => o.Prefix)];
        if (_controller.Mode == DecisionMode.Inject)
        {
            foreach (OverrideEntry entry in _controller.Overrides)
            {
                if (!announced.Remove(entry.Prefix))
                {
                    _controller.Lost(entry.Prefix);
                }
            }
        }

        if (announced.Count > 0)
        {
            _installer.WithdrawStray(announced);
        }
    }

    /// <summary>The outcome with what became of it, its times as the time of day.</summary>
    private CycleOutcome Shown(CycleOutcome outcome)
    {
        TimeSpan offset = _time.Offset;
        return outcome with
        {
            Time = outcome.Time + offset,
            Overrides =
            [
                .. _controller.Overrides.Select(e => e with
                {
                    Since = e.Since + offset,
                    LeaseExpires = e.LeaseExpires + offset,
                    LastConfirmed = e.LastConfirmed + offset,
                }),
            ],
        };
    }

    private void OnOverrideLost(IpPrefix prefix, string reason)
    {
        // Raised on the speaker's thread, perhaps while a cycle holds the lock and waits for the speaker: take the lock elsewhere.
        _installer.NoteLost(prefix, reason);
        _ = Task.Run(() =>
        {
            lock (_gate)
            {
                Reconcile();
            }
        });
    }
}
