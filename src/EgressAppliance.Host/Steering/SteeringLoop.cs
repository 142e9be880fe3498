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
/// Of the controllers of a site one leads (<see cref="ILeadership"/>). The others, and collectors, run the same cycles with the same inputs and decide nothing. A loop that may no longer announce
/// withdraws everything within a tenth of a second, whatever else it is busy with, and goes back to that; one that is told to lead goes on with the state of the one before.
///
/// If a cycle throws, that is a bug: everything is withdrawn, and the appliance ends with an error so that the service manager
/// starts it anew. Going on with a half-finished state would be steering blind.
/// </remarks>
public sealed class SteeringLoop : IAsyncDisposable
{
    private readonly IJournalSink? _journal;
    private readonly ILeadership _leadership;
    private readonly ICycleTimer _timer;
    private readonly InputCollector _inputs;
    private readonly RouteInstaller _installer;
    private readonly IBgpSpeaker _speaker;
    private readonly LinkDirectory _links;
    private readonly SteadyClock _time;
    private readonly ILogger<SteeringLoop> _logger;
    private readonly TimeSpan _period;
    private readonly Lock _gate = new();

    // For _idle alone, which is written under both: a watchdog must not wait for a cycle.
    private readonly Lock _standing = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly LeaseWatchdog _watchdog;
    private readonly LeadershipWatchdog _leadershipWatchdog;
    private volatile RecordingController _controller;
    private volatile IReadOnlyList<BillingStatus> _billing = [];
    private Task _running = Task.CompletedTask;
    private Verdict? _lastVerdict;
    private Verdict? _idle;

    // Of the latest outcome, so that those without a decision are no older.
    private long _latestId;
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
    /// <param name="leadership">Whether this box decides; null: it does.</param>
    /// <param name="timer">Says when cycles run, disposed with the loop; null: by the configured period.</param>
    public SteeringLoop(
        ApplianceConfig config, InputCollector inputs, RouteInstaller installer, IBgpSpeaker speaker, LinkDirectory links,
        SteadyClock time, ILogger<SteeringLoop> logger, IJournalSink? journal = null, CostModeState? cost = null,
        ILeadership? leadership = null, ICycleTimer? timer = null)
    {
        _journal = journal;
        _leadership = leadership ?? SoleLeadership.Instance;
        _idle = _leadership.Idle;
        _inputs = inputs;
        _installer = installer;
        _speaker = speaker;
        _links = links;
        _time = time;
        _logger = logger;
        _period = config.Decision.Cycle;
        _timer = timer ?? new PeriodicCycles(_period, config.Decision.CycleJitter, time);
        _controller = new RecordingController(
            new DecisionController(
                SteeringOptions.ForController(config), config.Mode == ApplianceMode.Inject ? DecisionMode.Inject : DecisionMode.Observe, cost: cost),
            journal);
        _speaker.OverrideLost += OnOverrideLost;
        _watchdog = new LeaseWatchdog(
            () => _controller.Mode == DecisionMode.Inject ? _controller.Overrides : [], _installer.WithdrawExpired, time);
        _leadershipWatchdog = new LeadershipWatchdog(() => Leads, () => _leadership.MayAnnounce, () => _installer.WithdrawAll(), time);
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

    /// <summary>Whether this box decides. Any thread.</summary>
    public bool Leads
    {
        get
        {
            lock (_standing)
            {
                return _idle is null;
            }
        }
    }

    /// <summary>Who decides, in words. Any thread.</summary>
    public string Leader => _leadership.Leader;

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

    /// <summary>From now on this box decides.</summary>
    /// <param name="saved">What the one before it saved, <see cref="SavedController"/>; null: there was none.</param>
    /// <param name="mode">The mode if there was none; and observe, if it is that, in any case.</param>
    /// <returns>False if it may not any more, or <paramref name="saved"/> cannot be read.</returns>
    public bool Lead(string? saved, DecisionMode mode)
    {
        CycleOutcome outcome;
        lock (_gate)
        {
            ControllerOptions options = _controller.Options;
            ControllerState? state = saved is null ? null : SavedController.Read(saved, _time.Offset);
            if (!_leadership.MayAnnounce || (saved is not null && state is null))
            {
                return false;
            }

            DecisionController controller = state is null
                ? new DecisionController(options, mode, cost: _controller.ExportCost())
                : DecisionController.FromState(options, mode == DecisionMode.Observe ? state with { Mode = mode } : state);

            // A file of its own: the calls from here on are not those of the controller before.
            _journal?.Start(options, controller.ExportState());
            _controller = new RecordingController(controller, _journal);
            SetIdle(null);
            Reconcile(stray: true);
            outcome = _controller.TakeOver(_time.GetUtcNow());
            Carry(outcome);
            outcome = Shown(outcome);
            SteeringLog.Leads(_logger, outcome.Overrides.Count);
        }

        CommandDone?.Invoke(outcome);
        return true;
    }

    /// <summary>From now on this box decides nothing; what it announced is withdrawn.</summary>
    public void StandBy()
    {
        // At once, in case a cycle hangs.
        _installer.WithdrawAll();
        lock (_gate)
        {
            StandByLocked();
        }
    }

    /// <summary>Sets the mode.</summary>
    /// <returns>False if this box does not decide, and nothing was done.</returns>
    public bool SetMode(DecisionMode mode)
    {
        SteeringLog.ModeChanged(_logger, mode == DecisionMode.Inject ? "inject" : "observe");
        return TryCommand(now => _controller.SetMode(mode, now));
    }

    /// <summary>Goes to observe, and lets no other box go on injecting that takes over before this one's state is saved.</summary>
    public Task<StopNotice> ObserveAsync(CancellationToken cancellationToken) => _leadership.StopAsync(() => (0, SetMode(DecisionMode.Observe)), cancellationToken);

    /// <summary>The red button, for the whole site: at this box first, and at whoever decides.</summary>
    public Task<StopNotice> StopAsync(CancellationToken cancellationToken) => _leadership.StopAsync(() => (WithdrawAll(out bool decided), decided), cancellationToken);

    /// <summary>The red button of this box.</summary>
    /// <param name="decided">Whether this box decided, so that its state says from now on that everything was withdrawn.</param>
    /// <returns>How many overrides were announced.</returns>
    public int WithdrawAll(out bool decided)
    {
        // A cycle that takes its turn between the two steps announces nothing.
        Interlocked.Increment(ref _withdrawing);
        try
        {
            int count = _installer.WithdrawAll();
            decided = TryCommand(_controller.WithdrawAll);
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
        await _leadershipWatchdog.DisposeAsync();
        (_timer as IDisposable)?.Dispose();
        _speaker.OverrideLost -= OnOverrideLost;
        _installer.WithdrawAll();
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            _timer.Start();
            while (true)
            {
                Cycle(stop);
                await _timer.WaitAsync(stop);
            }
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

    private void Cycle(CancellationToken stop)
    {
        long start = _time.GetTimestamp();
        CycleInputs inputs = _inputs.Collect(_controller.Overrides, Leads);
        CycleOutcome outcome;
        lock (_gate)
        {
            stop.ThrowIfCancellationRequested();
            if (_idle is null && !_leadership.MayAnnounce)
            {
                _installer.WithdrawAll();
                StandByLocked();
            }

            if (_idle is { } idle)
            {
                outcome = Idle(inputs.Input, idle);
            }
            else
            {
                Reconcile();
                outcome = _controller.Cycle(inputs.Input);
                Carry(outcome);
                outcome = Shown(outcome);
                _billing = _controller.Billing;
            }
        }

        _leadership.Report(Readiness.Problem(inputs), inputs.Peers);

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

    /// <summary>Carries a command out.</summary>
    /// <returns>False if this box does not decide, and nothing was done.</returns>
    private bool TryCommand(Func<DateTimeOffset, CycleOutcome> command)
    {
        bool decided = false;
        Command(now =>
        {
            decided = true;
            return command(now);
        });
        return decided;
    }

    private IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Command(Func<DateTimeOffset, CycleOutcome> command)
    {
        CycleOutcome outcome;
        IReadOnlyList<(IpPrefix, OverrideRefusal)> refused;
        lock (_gate)
        {
            Reconcile();
            if (_idle is { } idle)
            {
                // Those who ask are told by Leads; this is for one that asked when that was just about to change.
                outcome = IdleOutcome(idle, []);
                return [];
            }

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
    /// <param name="stray">Only what the ledger does not know is looked for: it is about to be announced for the first time.</param>
    private void Reconcile(bool stray = false)
    {
        HashSet<IpPrefix> announced = [.. _speaker.GetOverrides().Select(o => o.Prefix)];
        if (_idle is null && _controller.Mode == DecisionMode.Inject && !stray)
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

    /// <summary>The outcome of a cycle without a decision: what is wrong with the inputs is told, since this box may have to decide soon.</summary>
    private CycleOutcome Idle(CycleInput input, Verdict idle)
    {
        Reconcile();
        return IdleOutcome(idle, idle == Verdict.Standby ? DecisionController.Problems(input.Health, _controller.Options) : []);
    }

    private CycleOutcome IdleOutcome(Verdict idle, IReadOnlyList<string> problems) => new()
    {
        Id = _latestId,
        Time = _time.GetUtcNow() + _time.Offset,
        Mode = _controller.Mode,
        Verdict = idle,
        Healthy = problems.Count == 0,
        Problems = problems,
    };

    private void StandByLocked()
    {
        if (_idle is not null)
        {
            return;
        }

        SetIdle(_leadership.Idle ?? Verdict.Standby);
        _installer.WithdrawAll();
        SteeringLog.StandsBy(_logger);
    }

    private void SetIdle(Verdict? idle)
    {
        lock (_standing)
        {
            _idle = idle;
        }
    }

    /// <summary>The outcome with what became of it, its times as the time of day; and another box is told of the state that it left.</summary>
    private CycleOutcome Shown(CycleOutcome outcome)
    {
        TimeSpan offset = _time.Offset;
        _latestId = Math.Max(_latestId, outcome.Id);
        if (_leadership is not SoleLeadership)
        {
            _leadership.Decided(outcome, _controller.ExportState(), offset);
        }

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
            // Before the next cycle, which may be seconds away: another box may be able to lead.
            if (_speaker.GetPeers() is var peers && peers.Any(p => p.State != SessionState.Established))
            {
                _leadership.Report(Readiness.SessionDown, peers);
            }

            lock (_gate)
            {
                Reconcile();
            }
        });
    }
}
