using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Cluster.Leases;
using EgressAppliance.Cluster.Store;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Steering;

namespace EgressAppliance.Host.Leadership;

/// <summary>
/// A controller's part in the leadership of its site: it asks for the lease, tells the control loop when to lead, and leaves what the next leader needs in the database after each cycle.
/// </summary>
/// <remarks>
/// <code>
/// SiteLease ──begins──► load the state of the one before ──► SteeringLoop.Lead ──► cycles ──► Decided ──► save, in the background
///     └──────ends────► SteeringLoop.StandBy
/// </code>
/// Saving never holds a cycle up: the latest state waits, and one that is older is left out. Everything that is saved carries the token of the leadership, and the database refuses it once
/// another has a higher one.
///
/// The mode that the site was in goes on, unless the configuration of the new leader says observe: the more cautious of the two counts.
/// </remarks>
public sealed class SiteLeadership : ILeadership, IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan SaveWithin = TimeSpan.FromSeconds(3);
    private const int MaxLines = 1000;

    private readonly ApplianceConfig _config;
    private readonly SiteLease _lease;
    private readonly SiteStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<SiteLeadership> _logger;
    private readonly Lock _gate = new();
    private readonly Queue<SiteJournalLine> _lines = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _saving;
    private readonly RouterSilence _silence;
    private readonly SiteStops _stops;
    private SteeringLoop? _loop;
    private (ControllerState State, TimeSpan Offset, long Token)? _waiting;
    private Verdict? _lastVerdict;
    private DateOnly _trimmed;
    private volatile string? _problem;

    /// <summary>A part that is ready to start.</summary>
    /// <param name="config">The configuration of a controller.</param>
    /// <param name="lease">The lease; not disposed with this.</param>
    /// <param name="store">What leaders leave to each other.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public SiteLeadership(ApplianceConfig config, SiteLease lease, SiteStore store, TimeProvider time, ILogger<SiteLeadership> logger)
    {
        ArgumentNullException.ThrowIfNull(lease);
        _config = config;
        _lease = lease;
        _store = store;
        _time = time;
        _logger = logger;
        TimeSpan hold = config.Routers.Max(r => r.Bgp.HoldTime);
        _silence = new RouterSilence(hold, ClusterChecks.Silence(hold), time);
        _stops = new SiteStops(store, () => lease.MayAnnounce ? lease.Token : 0, () => WithdrawAll().Decided, time, logger);
        lease.Owed = () => _silence.Owed;
        lease.Report("not started yet", "{}");
        _saving = Task.Run(SaveAsync);
    }

    /// <inheritdoc/>
    public Verdict? Idle => Verdict.Standby;

    /// <inheritdoc/>
    public bool MayAnnounce => _lease.MayAnnounce;

    /// <inheritdoc/>
    public string Leader => _lease.View.Leader is { Length: > 0 } leader ? leader : "the controller that leads; none does now";

    /// <summary>What is known of the controllers. Any thread.</summary>
    public LeaseView View => _lease.View;

    /// <summary>Why the state of this leader is not saved, in words; null: it is, or there is none to save. Any thread.</summary>
    public string? Problem => _problem;

    /// <summary>Why an order given at this box has not reached the one that leads, in words; null: none waits. Any thread.</summary>
    public string? StopProblem => _stops.Problem;

    /// <summary>Begins to ask for the lease.</summary>
    /// <param name="loop">Leads when this box does.</param>
    public void Start(SteeringLoop loop)
    {
        _loop = loop;
        _lease.Changed = OnChanged;
        _lease.Start();
        _stops.Start();
    }

    /// <inheritdoc/>
    public void Decided(CycleOutcome outcome, ControllerState state, TimeSpan offset)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        long token = _lease.Token;
        lock (_gate)
        {
            if (outcome.Verdict != Verdict.WithdrawnRouteFeedLost)
            {
                // Else it has withdrawn all for what only its own sessions may suffer from: the plan before is the one that another box goes on with.
                _waiting = (state, offset, token);
            }

            if (outcome.Announce.Count > 0 || outcome.Withdraw.Count > 0 || outcome.Verdict != _lastVerdict)
            {
                _lastVerdict = outcome.Verdict;
                if (_lines.Count == MaxLines)
                {
                    _lines.Dequeue();
                }

                CycleOutcome shown = outcome with { Time = outcome.Time + offset, Snapshot = null, Plan = null, Cost = null, Overrides = [] };
                _lines.Enqueue(new SiteJournalLine(shown.Time, outcome.Id, Reasons.Code(outcome.Verdict), System.Text.Encoding.UTF8.GetString(DecisionJson.Write(shown))));
            }
        }

        Signal();
    }

    /// <inheritdoc/>
    public void Report(string? problem, IReadOnlyList<PeerStatus> peers)
    {
        _silence.Note(peers);
        _lease.Report(problem, "{}");
    }

    /// <inheritdoc/>
    public async Task<StopNotice> StopAsync(Func<(int Count, bool Decided)> withdraw, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(withdraw);
        _stops.Press();
        long token = _lease.Token;
        (int count, bool decided) = withdraw();
        if (decided)
        {
            _stops.Obeyed(token);
            return new StopNotice(count, StopReach.Here);
        }

        string leader = _lease.View.Leader;
        return await _stops.TellAsync(cancellationToken) is { } problem
            ? new StopNotice(count, StopReach.Waiting, $"No other controller can be told: the database of the site does not take the order ({problem}). This box tells it as soon as it does. Press the button at the other controllers too.")
            : new StopNotice(count, StopReach.Told, leader.Length > 0 ? $"{leader} leads and was told: it withdraws everything within two seconds." : "Nobody leads, and nothing is announced. Whoever comes to lead observes.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _stops.DisposeAsync();
        Signal();
        await _saving.WaitAsync(SaveWithin).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private void OnChanged(bool leads)
    {
        if (leads)
        {
            // Not on the lease's own time: it must be renewed meanwhile.
            long token = _lease.Token;
            _ = Task.Run(() => LeadAsync(token));
        }
        else
        {
            _loop!.StandBy();
        }
    }

    private async Task LeadAsync(long token)
    {
        while (_lease.Token == token && _lease.MayAnnounce && !_stop.IsCancellationRequested)
        {
            try
            {
                SavedState? saved = await _store.LoadAsync(_stop.Token);
                IReadOnlyList<SiteStop>? stops = await _stops.ReadAsync(_stop.Token);
                DecisionMode mode = stops is null && _config.Mode == ApplianceMode.Inject ? DecisionMode.Inject : DecisionMode.Observe;
                if (saved is not null && SavedController.Read(saved.State, TimeSpan.Zero) is null)
                {
                    // What another version wrote: its overrides are planned anew, and nothing is announced that someone may have stopped.
                    LeadershipLog.Unreadable(_logger);
                    (saved, mode) = (null, DecisionMode.Observe);
                }

                if (_loop!.Lead(saved?.State, mode) && stops is not null && WithdrawAll().Decided)
                {
                    _stops.Noted(stops, token);
                }

                return;
            }
            catch (SiteDatabaseException e)
            {
                LeadershipLog.NotLoaded(_logger, e.Message);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // A bug. This box has the lease, and nobody else can lead instead.
                LeadershipLog.Failed(_logger, "lead", e);
            }

            await Task.Delay(RetryPause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private (int Count, bool Decided) WithdrawAll() => (_loop!.WithdrawAll(out bool decided), decided);

    private async Task SaveAsync()
    {
        while (true)
        {
            await _signal.WaitAsync();
            (ControllerState State, TimeSpan Offset, long Token)? waiting;
            SiteJournalLine[] lines;
            IReadOnlyList<Guid> stops = [];
            lock (_gate)
            {
                waiting = _waiting;
                stops = waiting is { } chosen ? _stops.Mark(chosen.Token) : [];
                _waiting = null;
                lines = [.. _lines];
            }

            if (waiting is { } latest)
            {
                await SaveAsync(latest.State, latest.Offset, latest.Token, lines, stops);
            }
            else if (_stop.IsCancellationRequested)
            {
                return;
            }

            if (_stop.IsCancellationRequested)
            {
                Signal();
            }
        }
    }

    private async Task SaveAsync(ControllerState state, TimeSpan offset, long token, SiteJournalLine[] lines, IReadOnlyList<Guid> stops)
    {
        try
        {
            using CancellationTokenSource limit = new(SaveWithin);
            string mode = state.Mode == DecisionMode.Inject ? "inject" : "observe";
            bool saved = await _store.SaveAsync(token, state.Id, mode, SavedController.Write(state, offset), limit.Token) && await _store.AppendAsync(token, lines, limit.Token);
            _problem = saved ? null : "another controller has taken the leadership";
            if (saved)
            {
                await _stops.SavedAsync(stops, limit.Token);
            }

            lock (_gate)
            {
                for (int i = 0; i < lines.Length && _lines.Count > 0 && ReferenceEquals(_lines.Peek(), lines[i]); i++)
                {
                    _lines.Dequeue();
                }
            }

            DateOnly today = DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);
            if (saved && today != _trimmed)
            {
                _trimmed = today;
                await _store.DropJournalBeforeAsync(DateOnly.FromDateTime((_time.GetUtcNow() - _config.History.Retention.Events).UtcDateTime), limit.Token);
            }
        }
        catch (Exception e) when (e is SiteDatabaseException or OperationCanceledException)
        {
            string words = e is OperationCanceledException ? "no answer in time" : e.Message;
            if (_problem != words)
            {
                LeadershipLog.NotSaved(_logger, words);
            }

            _problem = words;
        }
        catch (Exception e)
        {
            // A bug: the next state must be saved all the same.
            LeadershipLog.Failed(_logger, "save the state of this leader", e);
            _problem = e.Message;
        }
    }

    private void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // The loop has not seen the one before yet.
        }
    }
}
