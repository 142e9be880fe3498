using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>
/// The appliance: the very controller and the very estimator of demands that run at a router, behind instruments that show what a mirror and interface counters
/// would show, and in front of a router that does what its speaker would tell it.
/// </summary>
public sealed class ApplianceModel : IContestant
{
    // What a cycle leaves of the loss seen before it, as the collector of the host has it.
    private const double Remains = 0.7;

    private readonly TrafficWorld _world;
    private readonly EdgeRouter _router;
    private readonly ControllerOptions _options;
    private readonly Instruments _instruments;
    private readonly int _number;
    private readonly int _phase;
    private readonly int _heartbeat;
    private readonly string[][] _paths;
    private readonly PrefixPolicy?[] _policyOf;
    private readonly PolicyTable _policies;
    private readonly List<(int Second, Verdict Verdict)> _verdicts = [];
    private readonly List<SimulationBelief> _beliefs = [];
    private DecisionController _controller;
    private int _routingVersion;
    private int _lastCycle;
    private bool _dead;
    private bool _sessionUp = true;
    private bool _pressed;
    private double _loss;

    /// <summary>An appliance in inject mode.</summary>
    /// <param name="world">The truth.</param>
    /// <param name="router">Its router.</param>
    /// <param name="options">Options of the controller.</param>
    /// <param name="number">Which announcer of the router it is, from 0; a second one is half a cycle behind.</param>
    public ApplianceModel(TrafficWorld world, EdgeRouter router, ControllerOptions options, int number = 0)
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentNullException.ThrowIfNull(router);
        _world = world;
        _router = router;
        _options = options;
        _number = number;
        ScenarioAppliance appliance = world.Scenario.Appliance;
        Cycle = Math.Max(1, (int)appliance.Cycle.TotalSeconds);
        _phase = number * Cycle / 2;
        _heartbeat = Math.Max(3, 3 * Cycle);
        _paths = new string[world.Rate.Length][];
        _policyOf = new PrefixPolicy?[world.Rate.Length];
        _policies = new PolicyTable(world.Scenario.Policies);
        _instruments = new Instruments(world, router, number);
        _controller = Start();
        _router.Lost += OnLost;
    }

    /// <summary>Its cycle, seconds.</summary>
    public int Cycle { get; }

    /// <summary>What its cycles and commands came to, by the second in which that began.</summary>
    public IReadOnlyList<(int Second, Verdict Verdict)> Verdicts => _verdicts;

    /// <summary>What it took its links' rates for, one entry for each change.</summary>
    public IReadOnlyList<SimulationBelief> Beliefs => _beliefs;

    /// <inheritdoc/>
    public void Step()
    {
        _instruments.Second();
        int now = _world.Second;
        if (_world.Find(ScenarioEventKind.ProcessDead, _number + 1) is not null)
        {
            if (!_dead)
            {
                // The kernel closes its session.
                _dead = true;
                _router.Clear(_number);
            }

            return;
        }

        if (_dead)
        {
            _dead = false;
            _controller = Start();
            _instruments.Restart();
            _lastCycle = now;
        }

        FollowSession(now);
        ExpireLeases(now);
        Operate(now);
        if (_world.Find(ScenarioEventKind.LoopStuck, _number + 1) is null && now >= _phase && (now - _phase) % Cycle == 0)
        {
            RunCycle(now);
        }
    }

    private static DateTimeOffset TimeOf(int second) => DateTimeOffset.UnixEpoch.AddSeconds(second);

    private DecisionController Start() => new(_options, DecisionMode.Inject);

    /// <summary>Down by the event, or because the speaker sends no keepalives when the loop has been silent for long.</summary>
    private void FollowSession(int now)
    {
        bool up = _world.Find(ScenarioEventKind.SessionDown, _number + 1) is null && now - _lastCycle <= _heartbeat + Cycle;
        if (_sessionUp && !up)
        {
            foreach (int prefix in _router.OverridesOf(_number).Keys.ToArray())
            {
                _router.Withdraw(_number, prefix);
                _controller.Lost(_world.Prefixes[prefix]);
            }
        }

        _sessionUp = up;
    }

    /// <summary>The watchdog of leases.</summary>
    private void ExpireLeases(int now)
    {
        if (_controller.Mode == DecisionMode.Inject)
        {
            foreach (OverrideEntry entry in OverrideLedger.Expired(_controller.Overrides, TimeOf(now)))
            {
                _router.Withdraw(_number, IndexOf(entry.Prefix));
            }
        }
    }

    private void Operate(int now)
    {
        if (_world.Find(ScenarioEventKind.WithdrawAll, _number + 1) is not null)
        {
            if (!_pressed)
            {
                _pressed = true;
                Carry(_controller.WithdrawAll(TimeOf(now)), now);
            }
        }
        else
        {
            _pressed = false;
        }

        if (_world.Find(ScenarioEventKind.Inject, _number + 1) is { } inject && inject.At.TotalSeconds == now)
        {
            Carry(_controller.SetMode(DecisionMode.Inject, TimeOf(now)), now);
        }

        if (_world.Find(ScenarioEventKind.Observe, _number + 1) is { } observe && observe.At.TotalSeconds == now)
        {
            Carry(_controller.SetMode(DecisionMode.Observe, TimeOf(now)), now);
        }
    }

    private void RunCycle(int now)
    {
        // Overrides that the watchdog withdrew meanwhile leave the ledger first, as in the host's loop.
        if (_controller.Mode == DecisionMode.Inject)
        {
            foreach (OverrideEntry entry in _controller.Overrides)
            {
                if (!_router.OverridesOf(_number).ContainsKey(IndexOf(entry.Prefix)))
                {
                    _controller.Lost(entry.Prefix);
                }
            }
        }

        CycleOutcome outcome = _controller.Cycle(Collect(now));
        _lastCycle = now;
        Carry(outcome, now);
    }

    private void Carry(CycleOutcome outcome, int now)
    {
        if (_verdicts.Count == 0 || _verdicts[^1].Verdict != outcome.Verdict)
        {
            _verdicts.Add((now, outcome.Verdict));
        }

        foreach (OverrideEntry entry in outcome.Announce)
        {
            bool ok = _sessionUp && _router.Announce(_number, IndexOf(entry.Prefix), LinkIndex(entry.To));
            _controller.Announced(entry.Prefix, ok, TimeOf(now));
        }

        foreach (OverrideWithdrawal withdrawal in outcome.Withdraw)
        {
            _router.Withdraw(_number, IndexOf(withdrawal.Prefix));
        }
    }

    private CycleInput Collect(int now)
    {
        DemandPicture<int> picture = _instruments.EndTick(_options.MaxCountersAge);
        NoteBelief(now);
        long[] residual = new long[_world.LinkUp.Length + 1];
        foreach ((LinkId link, long rate) in picture.RestBps)
        {
            residual[link.Value] += rate;
        }

        if (_routingVersion != _world.RoutingVersion)
        {
            _routingVersion = _world.RoutingVersion;
            for (int i = 0; i < _paths.Length; i++)
            {
                _paths[i] = [.. _world.Paths[i].Select(l => _world.Scenario.Links[l].Name)];
                _policyOf[i] = _policies.Match(new RouteFacts(_world.Prefixes[i], _paths[i].FirstOrDefault()));
            }
        }

        List<PrefixDemand> demands = new(picture.Top.Count);
        Dictionary<IpPrefix, string> observed = [];
        HashSet<int> given = [];
        foreach (DemandRate<int> rate in picture.Top)
        {
            if (_paths[rate.Key].Length == 0)
            {
                // All its paths went a moment ago: all that is known is where it was seen.
                residual[rate.Link.Value] += rate.RateBps;
                continue;
            }

            Add(rate.Key, rate);
            if (rate is { LinkMajority: true } && rate.Link != LinkId.None && _instruments.WasSeen(rate.Key))
            {
                observed[_world.Prefixes[rate.Key]] = _world.Scenario.Links[rate.Link.Value - 1].Name;
            }
        }

        foreach (OverrideEntry entry in _controller.Overrides)
        {
            int prefix = IndexOf(entry.Prefix);
            if (!given.Contains(prefix))
            {
                Add(prefix, null);
            }
        }

        double share = _world.Find(ScenarioEventKind.MirrorLoss, _number + 1)?.Value ?? 0;
        _loss += (1 - Remains) * ((share < 1 ? share : 0) - _loss);
        return new CycleInput
        {
            Now = TimeOf(now),
            Links = [.. _world.Scenario.Links.Select((l, i) => LinkOf(l, i, residual[i + 1] + _instruments.Unseen(i)))],
            Prefixes = demands,
            ObservedLinks = observed,
            Health = new InputHealth
            {
                CaptureAge = TimeSpan.FromSeconds(now - _instruments.LastFrame),
                CaptureLoss = _loss,
                RouteFeedUp = _sessionUp,
                Doubts = _instruments.Doubts,
                UnseenRatio = _world.Scenario.Links.Select((l, i) => (double)_instruments.Unseen(i) / l.CapacityBps).Max(),
                CountersAge = TimeSpan.FromSeconds(now - _instruments.LastPoll),
            },
        };

        void Add(int prefix, DemandRate<int>? rate)
        {
            given.Add(prefix);
            demands.Add(new PrefixDemand(_world.Prefixes[prefix], rate?.RateBps ?? 0, _paths[prefix], ErrorOf(rate), rate?.MeanBps ?? 0) { Policy = _policyOf[prefix] });
        }
    }

    private double? ErrorOf(DemandRate<int>? rate)
    {
        if (rate is not { } known)
        {
            return null;
        }

        double loss = known.Link == LinkId.None ? 0 : _instruments.Belief(known.Link.Value - 1).LossRatio;
        return ErrorBars.Sum(0, ErrorBars.Loss(Math.Max(loss, _loss)), known.AgeError) is > 0.0001 and var error ? error : null;
    }

    private void NoteBelief(int now)
    {
        SimulationBelief belief = new(now, [.. _world.Scenario.Links.Select((_, l) => _instruments.Belief(l).Cause)], _instruments.Covered);
        if (_beliefs.Count == 0 || _beliefs[^1].Covered != belief.Covered || !_beliefs[^1].Causes.SequenceEqual(belief.Causes))
        {
            _beliefs.Add(belief);
        }
    }

    private LinkState LinkOf(ScenarioLink link, int index, long residual) => new()
    {
        Name = link.Name,
        CapacityBps = link.CapacityBps,
        Up = _world.LinkUp[index],
        Threshold = link.Threshold,
        Ceiling = link.Ceiling,
        Release = link.Release,
        MeasuredBps = _instruments.Counter(index),
        ErrorRatio = _loss > 0.0001 ? Math.Min(_loss, 1) : null,
        Drain = _world.Find(ScenarioEventKind.Drain, _number + 1, index) is not null,
        ResidualBps = residual,
    };

    private void OnLost(int announcer, int prefix)
    {
        if (announcer == _number)
        {
            _controller.Lost(_world.Prefixes[prefix]);
        }
    }

    private int IndexOf(IpPrefix prefix) => (int)((prefix.Address.IPv4Value - _world.Prefixes[0].Address.IPv4Value) >> 8);

    private int LinkIndex(string name)
    {
        for (int l = 0; l < _world.Scenario.Links.Count; l++)
        {
            if (_world.Scenario.Links[l].Name == name)
            {
                return l;
            }
        }

        return -1;
    }
}
