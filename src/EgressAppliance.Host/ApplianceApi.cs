using System.IO.Pipelines;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Host.History;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Leadership;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Host.Telemetry;
using EgressAppliance.Net;

namespace EgressAppliance.Host;

/// <summary>
/// What the HTTP endpoint sees of the appliance: reads come from the last cycle's result, changes go to the control loop.
/// </summary>
public sealed class ApplianceApi : IApplianceApi
{
    private readonly SteeringLoop _loop;
    private readonly StateBuilder _builder;
    private readonly Explainer _explainer;
    private readonly RouteInstaller _installer;
    private readonly LinkDirectory _links;
    private readonly RibView _rib;
    private readonly PrefixView _prefixes;
    private readonly CostView _cost;
    private readonly ClusterView _cluster;
    private readonly JournalWriter? _journal;
    private readonly StateFeed _feed;
    // Changes of a prefix that an explanation shows.
    private const int MostChanges = 20;

    private readonly DecisionLog _decisions = new();
    private readonly DurationHistogram _cycles = new(DurationHistogram.OfCycles);
    private readonly Lock _gate = new();
    private CycleResult _result;
    private CycleOutcome? _latest;

    /// <summary>Follows the loop from its first cycle on.</summary>
    public ApplianceApi(
        SteeringLoop loop, StateBuilder builder, Explainer explainer, RouteInstaller installer, LinkDirectory links, RibView rib, StateEventDto first,
        CostView cost, ConfigDto config, ClusterView cluster, JournalWriter? journal = null)
    {
        _loop = loop;
        _builder = builder;
        _explainer = explainer;
        _installer = installer;
        _links = links;
        _rib = rib;
        _prefixes = new PrefixView(builder, links);
        Config = config;
        _cluster = cluster;
        _cost = cost;
        _journal = journal;
        _feed = new StateFeed(first);
        _result = new CycleResult(first, RateView.Empty, [], null, null, loop.PlannerOptions);
        loop.CycleDone += OnCycle;
        loop.CommandDone += OnCommand;
    }

    /// <summary>Who changed what; asked for trouble with its file.</summary>
    public AuditLog? Audit { get; init; }

    /// <summary>Keeps what each cycle shows; null for no history.</summary>
    public HistoryRecorder? History { get; init; }

    /// <summary>Sends the metrics elsewhere; null where that is not configured.</summary>
    public OtlpExport? Otlp { get; set; }

    /// <inheritdoc/>
    public HistoryStatus? HistoryStatus => History?.Status;

    /// <inheritdoc/>
    public StateEventDto State => _feed.Current;

    /// <inheritdoc/>
    public IReadOnlyList<string> LinkNames => _links.Names;

    /// <inheritdoc/>
    public string? NotReady
    {
        get
        {
            StatusDto status = State.Status;
            BgpPeerDto? waiting = status.Bgp.FirstOrDefault(p => p.State != "Established" || !p.TableComplete);
            return State.Decision is null ? "no cycle has run yet"
                : waiting is not null ? $"{waiting.Router}: BGP {waiting.State}, table {(waiting.TableComplete ? "complete" : "incomplete")}"
                : status.Capture.Sources.FirstOrDefault(s => s.Message is not null && s.State != CaptureState.Receiving) is { } source ? $"{source.Name}: {source.Message}"
                : null;
        }
    }

    private CycleResult Result
    {
        get
        {
            lock (_gate)
            {
                return _result;
            }
        }
    }

    /// <inheritdoc/>
    public Task<StateEventDto> NextStateAsync(StateEventDto? seen, CancellationToken cancellationToken) => _feed.NextAsync(seen, cancellationToken);

    /// <inheritdoc/>
    public ConfigDto Config { get; }

    /// <inheritdoc/>
    public PrefixPage GetPrefixes(PrefixQuery query) => _prefixes.Find(Result, query);

    /// <inheritdoc/>
    public MatrixDto GetMatrix(int top) => _prefixes.Matrix(Result, top);

    /// <inheritdoc/>
    public IReadOnlyList<DecisionDto> GetDecisions(int limit, long? before = null) => _decisions.Latest(limit, before);

    /// <inheritdoc/>
    public CostDto GetCost() => _cost.Describe();

    /// <inheritdoc/>
    public ClusterDto GetCluster() => _cluster.Describe();

    /// <inheritdoc/>
    public ExplainDto? Explain(string query)
    {
        ExplainDto? answer = _explainer.Explain(query, Result);
        if (answer?.Prefix is not { } text)
        {
            return answer;
        }

        PrefixTimers timers = _loop.TimersOf(IpPrefix.Parse(text));
        return answer with
        {
            Timers = new TimersDto(timers.HoldUntil, timers.DampedUntil, timers.QuarantinedUntil, timers.LeaseExpires),
            History = _decisions.ChangesOf(text, MostChanges),
        };
    }

    /// <inheritdoc/>
    public RibDto? GetRib(string query) => _rib.Query(query);

    /// <inheritdoc/>
    public Task<bool> WriteRibAsync(PipeWriter output, CancellationToken cancellationToken) => _rib.WriteMrtAsync(output, cancellationToken);

    /// <inheritdoc/>
    public async Task<OperationResult> SetModeAsync(string mode, CancellationToken cancellationToken)
    {
        if (!_loop.Leads)
        {
            return NotHere();
        }

        switch (mode)
        {
            case "observe":
                return await _loop.ObserveAsync(cancellationToken) is { Reach: not StopReach.Here } notice ? new OperationResult(OperationStatus.Refused, notice.Detail) : OperationResult.Done;
            case "inject":
                return _loop.SetMode(DecisionMode.Inject) ? OperationResult.Done : NotHere();
            default:
                return new OperationResult(OperationStatus.NotFound, $"There is no mode '{mode}': observe or inject.");
        }
    }

    /// <inheritdoc/>
    public OperationResult AddOverride(string prefix, string link) => !_loop.Leads ? NotHere() : IpPrefix.TryParse(prefix, out IpPrefix parsed)
        ? Add(parsed, link)
        : new OperationResult(OperationStatus.NotFound, $"'{prefix}' is not a prefix (address/length, host bits zero).");

    /// <inheritdoc/>
    public OperationResult ReleaseOverride(string prefix) => !_loop.Leads ? NotHere() : IpPrefix.TryParse(prefix, out IpPrefix parsed)
        ? Answer(_loop.ReleaseOverride(parsed), prefix, "")
        : new OperationResult(OperationStatus.NotFound, $"'{prefix}' is not a prefix (address/length, host bits zero).");

    /// <inheritdoc/>
    public Task<StopNotice> StopAsync(CancellationToken cancellationToken) => _loop.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public OperationResult RefreshRoutes(string router) => _installer.RequestRefresh(router) switch
    {
        RefreshOutcome.Sent => OperationResult.Done,
        RefreshOutcome.UnknownPeer => new(OperationStatus.NotFound, $"There is no router '{router}'."),
        RefreshOutcome.NotEstablished => new(OperationStatus.Refused, $"The BGP session with {router} is not established."),
        RefreshOutcome.TooSoon => new(OperationStatus.Refused, $"{router} was asked a moment ago; wait some seconds."),
        _ => new(OperationStatus.Refused, $"{router} does not offer ROUTE-REFRESH (RFC 2918)."),
    };

    /// <inheritdoc/>
    public void WriteMetrics(MetricWriter writer)
    {
        ApplianceMetrics.Write(
            writer, State, _decisions.Verdicts, _installer.Changes, _journal?.Status, GetCost(), new LoopReading(_loop.Period, _cycles.Read()), History?.Status);
        ClusterMetrics.Write(writer, GetCluster());
        if (Otlp is { } otlp)
        {
            OtlpMetrics.Write(writer, otlp.Status);
        }
    }

    private OperationResult NotHere() => new(OperationStatus.Refused, $"This box does not decide; ask {_loop.Leader}.");

    private OperationResult Add(IpPrefix prefix, string link)
    {
        (OperatorResult result, OverrideRefusal refusal) = _loop.AddOverride(prefix, link);
        return result == OperatorResult.Done && refusal != OverrideRefusal.None
            ? new(OperationStatus.Refused, $"The BGP speaker does not announce {prefix} by {link}: {Words(refusal)}.")
            : Answer(result, prefix.ToString(), link);
    }

    private static string Words(OverrideRefusal refusal) => refusal switch
    {
        OverrideRefusal.PathNotLearned => "its path went a moment ago",
        OverrideRefusal.NextHopNotAllowed => "the path's next hop is not among the next hops of the link",
        OverrideRefusal.NextHopIsOurs => "the path's next hop is an address of this host",
        OverrideRefusal.EmptyAsPath => "the path's AS_PATH is empty",
        OverrideRefusal.BestPathOnly => "not all paths of the router are known (no ADD-PATH, and BMP does not show them, or not wholly yet)",
        OverrideRefusal.TooMany => "the cap on overrides is reached",
        OverrideRefusal.PeerLimit => "a router would have more prefixes from us than it accepts",
        OverrideRefusal.NotLeading => "another controller of the site leads",
        OverrideRefusal.TooLarge => "the path's attributes leave no room for the prefix in a BGP message",
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "Not a refusal."),
    };

    private OperationResult Answer(OperatorResult result, string prefix, string link) => result switch
    {
        OperatorResult.Done => OperationResult.Done,
        OperatorResult.UnknownLink => new(OperationStatus.NotFound, $"There is no link '{link}'. Links: {string.Join(", ", LinkNames)}."),
        OperatorResult.NoOverride => new(OperationStatus.NotFound, $"There is no override for {prefix}."),
        OperatorResult.NoPath => new(OperationStatus.NotFound, $"The routers announced no path for exactly {prefix} by {link}."),
        OperatorResult.NotReady => new(OperationStatus.Refused, "No cycle has run yet; try again in a moment."),
        OperatorResult.LinkDown => new(OperationStatus.Refused, $"{link} is down."),
        OperatorResult.AlreadyNative => new(OperationStatus.Refused, $"Plain BGP sends {prefix} by {link} already."),
        OperatorResult.TooManyOverrides => new(OperationStatus.Refused, "The cap on overrides (decision.max_overrides) is reached."),
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, "An unknown result."),
    };

    private void OnCycle(CycleInputs inputs, CycleOutcome outcome, TimeSpan elapsed)
    {
        StateEventDto state = _builder.Build(inputs, outcome, elapsed);
        _cycles.Observe(elapsed);
        History?.Note(state, inputs.Rates, outcome);
        state = WithProblems(state, [History?.Problem, JournalProblem(), Audit?.Problem is { Length: > 0 } audit ? audit : null, .. _cluster.Problems()]);
        if (outcome.Verdict is not (Decision.Planner.Verdict.Collecting or Decision.Planner.Verdict.Standby))
        {
            _decisions.Add(state.Decision!);
        }

        _cost.Note(outcome);
        lock (_gate)
        {
            // An operator's command may have come between the cycle and this: what it changed stays changed.
            if (_latest is { } command && command.Id > outcome.Id)
            {
                state = StateBuilder.After(state, command);
                _cost.Note(command);
            }
            else
            {
                _latest = outcome;
            }

            _result = new CycleResult(state, inputs.Rates, inputs.Input.Links, outcome.Snapshot, outcome.Plan, _loop.PlannerOptions);
            _feed.Publish(state);
        }
    }

    private string? JournalProblem() => _journal?.Status.Problem is { } problem ? $"The journal is not written: {problem}" : null;

    /// <summary>Adds what is wrong with what is written down. Routing goes on without it, and nobody would look for it.</summary>
    private static StateEventDto WithProblems(StateEventDto state, IEnumerable<string?> problems)
    {
        string[] told = [.. problems.OfType<string>()];
        return told.Length == 0 ? state : state with { Status = state.Status with { Healthy = false, Problems = [.. state.Status.Problems, .. told] } };
    }

    private void OnCommand(CycleOutcome outcome)
    {
        History?.Note(outcome);
        if (outcome.Withdraw.Count > 0 || outcome.Announce.Count > 0)
        {
            _decisions.Add(StateBuilder.Decision(outcome, TimeSpan.Zero));
        }

        lock (_gate)
        {
            if (_latest?.Id > outcome.Id)
            {
                return;
            }

            _latest = outcome;
            _cost.Note(outcome);
            _result = _result with { State = StateBuilder.After(_result.State, outcome) };
            _feed.Publish(_result.State);
        }
    }
}
