using System.Globalization;
using System.Text;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>
/// A random history of a controller and its router, a function of its seed: changes of routes, demands, links and health, operators, cycles early and late,
/// announcements that fail, overrides that are lost or never show on the mirror. After each step the router, which this class plays with a dictionary, is held
/// against what must be true of it.
/// </summary>
internal sealed class ControllerSequence
{
    private static readonly string[] Names = ["link-a", "link-b", "link-c", "link-d"];
    private static readonly BillingOptions Quarterly = new() { Interval = TimeSpan.FromMinutes(15) };
    private static readonly DateTimeOffset Third = Lab.Start.AddDays(2);
    private static readonly CostModeState TwoDays = Measured();

    private readonly Random _random;
    private DecisionController _controller;
    private readonly ControllerOptions _options;
    private readonly LinkState[] _links;
    private readonly string[][] _allPaths;
    private readonly HashSet<(int Prefix, string Link)> _withdrawn = [];
    private readonly long[] _rates;
    private readonly PrefixPolicy?[] _policies;
    private readonly SortedDictionary<IpPrefix, string> _router = [];
    private readonly StringBuilder _log = new();
    private DateTimeOffset _now = Lab.Start;
    private InputHealth _health = new();

    public ControllerSequence(int seed)
    {
        _random = new Random(seed);
        int links = _random.Next(2, 5);
        _links = [.. Names.Take(links).Select(n => new LinkState { Name = n, CapacityBps = _random.Next(5, 15) * 100 * Lab.M, ResidualBps = _random.Next(0, 3) * 50 * Lab.M })];
        int prefixes = _random.Next(1, 13);
        _allPaths = [.. Enumerable.Range(0, prefixes).Select(_ => Names.Take(links).OrderBy(_ => _random.Next()).Take(_random.Next(1, links + 1)).ToArray())];
        _rates = [.. Enumerable.Range(0, prefixes).Select(_ => _random.Next(0, 500) * Lab.M)];
        _policies = [.. Enumerable.Range(0, prefixes).Select(_ => AnyPolicy())];
        _options = new ControllerOptions
        {
            Planner = new PlannerOptions
            {
                Hold = TimeSpan.FromSeconds(_random.Next(0, 60)),
                MaxMovesPerCycle = _random.Next(1, 6),
                MaxOverrides = _random.Next(1, 8),
                MaxSharePerCycle = 0.1 + (_random.NextDouble() * 0.5),
                MaxShare = 0.2 + (_random.NextDouble() * 0.6),
                ReliefMargin = _random.Next(2) * 0.03,
            },
            Grace = TimeSpan.FromSeconds(_random.Next(5, 40)),
            Quarantine = TimeSpan.FromSeconds(_random.Next(5, 40)),
            ConfirmWithin = TimeSpan.FromSeconds(_random.Next(5, 40)),
            ConfirmCycles = _random.Next(1, 3),
            ConfirmOf = 3,
            PeakWindow = TimeSpan.FromSeconds(_random.Next(0, 60)),
            FlapSuppress = _random.Next(2) == 0 ? 1.5 : 0,
            MisprojectionCycles = _random.Next(2, 12),
        };
        DecisionMode mode = _random.Next(4) == 0 ? DecisionMode.Observe : DecisionMode.Inject;
        if (seed % 3 == 0)
        {
            // By a generator of its own, so that what else a seed gives does not depend on cost mode.
            Random money = new(seed);
            _options = _options with { Cost = Cost(money), Billing = Names.Take(links).ToDictionary(n => n, _ => Quarterly) };
            _links = [.. _links.Select(l => l with { PricePerMbps = money.Next(5) == 0 ? null : money.Next(0, 8), CommitBps = money.Next(0, 4) * 100 * Lab.M })];
        }

        _controller = new DecisionController(_options, mode, cost: TwoDays);
    }

    /// <summary>Verdicts and reasons met, for the test of coverage.</summary>
    public HashSet<Verdict> Verdicts { get; } = [];

    /// <summary>Reasons met.</summary>
    public HashSet<ReasonCode> Reasons { get; } = [];

    /// <summary>All outcomes as bytes, one a line.</summary>
    public string Log => _log.ToString();

    /// <summary>Runs some steps; returns what was wrong, or null.</summary>
    /// <param name="steps">How many.</param>
    /// <param name="anew">Go on with a new controller after each step, made from the state of the one before.</param>
    public string? Run(int steps, bool anew = false)
    {
        for (int step = 0; step < steps; step++)
        {
            if (anew)
            {
                _controller = DecisionController.FromState(_options, _controller.ExportState());
            }

            string? wrong = Step() ?? CheckRouter();
            if (wrong is not null)
            {
                return string.Create(CultureInfo.InvariantCulture, $"step {step}: {wrong}");
            }
        }

        return null;
    }

    private static CostOptions Cost(Random random) => new()
    {
        Enabled = true,
        MinSavingPerMonth = random.Next(2) * 50,
        Hold = TimeSpan.FromSeconds(random.Next(0, 60)),
        MaxMoves = random.Next(1, 6),
        MaxOverrides = random.Next(1, 8),
        MaxShareAtOnce = random.NextDouble(),
        MaxShare = random.NextDouble(),
        MinPrefixShare = 0,
        LevelInterval = TimeSpan.FromMinutes(random.Next(0, 60)),
        LevelSmoothing = TimeSpan.FromHours(random.Next(0, 24)),
    };

    /// <summary>Months in which each link has carried something for two days.</summary>
    private static CostModeState Measured()
    {
        Random random = new(7);
        return new CostModeState
        {
            Months =
            [
                .. Names.Select(name => new BillingRecord
                {
                    Link = name,
                    Start = Lab.Start,
                    Samples = [.. Enumerable.Range(0, 2 * 96).Select(_ => random.Next(0, 500) * Lab.M)],
                }),
            ],
        };
    }

    private string? Step()
    {
        _now += TimeSpan.FromSeconds(_random.Next(20) == 0 ? _random.Next(20, 60) : 5);
        ExpireLeases();
        switch (_random.Next(20))
        {
            case 0:
                int link = _random.Next(_links.Length);
                _links[link] = _links[link] with { Up = !_links[link].Up };
                LosePaths();
                return null;
            case 1:
                link = _random.Next(_links.Length);
                _links[link] = _links[link] with { Drain = !_links[link].Drain };
                return null;
            case 2:
                (int Prefix, string Link) path = (_random.Next(_allPaths.Length), Names[_random.Next(_links.Length)]);
                if (!_withdrawn.Remove(path))
                {
                    _withdrawn.Add(path);
                }

                LosePaths();
                return null;
            case 3:
                return Carry(_controller.SetMode(_random.Next(3) == 0 ? DecisionMode.Observe : DecisionMode.Inject, _now), command: true);
            case 4 when _random.Next(4) == 0:
                CycleOutcome pressed = _controller.WithdrawAll(_now);
                return Carry(pressed, command: true) ?? (_router.Count > 0 || _controller.Overrides.Count > 0 ? "overrides are left after the red button" : null);
            case 5:
                int prefix = _random.Next(_allPaths.Length);
                (OperatorResult result, CycleOutcome added) = _controller.AddOverride(Lab.Prefix(prefix), Names[_random.Next(_links.Length)], PathsOf(prefix), _now, _rates[prefix]);
                return result != OperatorResult.Done && added.Announce.Count > 0 ? "an override was announced that was refused" : Carry(added, command: true);
            case 6:
                return Carry(_controller.ReleaseOverride(Lab.Prefix(_random.Next(_allPaths.Length)), _now).Outcome, command: true);
            case 7:
                _health = _random.Next(2) == 0 ? new InputHealth() : new InputHealth
                {
                    CaptureAge = TimeSpan.FromSeconds(_random.Next(0, 40)),
                    CaptureLoss = _random.NextDouble() * 0.1,
                    RouteFeedUp = _random.Next(4) > 0,
                    RibComplete = _random.Next(4) > 0,
                    AllPathsKnown = _random.Next(6) > 0,
                    CountersAge = _random.Next(3) == 0 ? TimeSpan.FromSeconds(_random.Next(0, 120)) : null,
                    AttributionRatio = _random.Next(3) == 0 ? _random.NextDouble() : null,
                    UnseenRatio = _random.Next(3) == 0 ? _random.NextDouble() : null,
                };
                return null;
            default:
                for (int i = 0; i < _rates.Length; i++)
                {
                    _rates[i] = _random.Next(4) == 0 ? _random.Next(0, 600) * Lab.M : _rates[i];
                }

                return Cycle();
        }
    }

    private PrefixPolicy? AnyPolicy() => _random.Next(8) switch
    {
        0 => Lab.Deny,
        1 => Lab.Pin(Names[_random.Next(_links.Length)]),
        2 => Lab.Prefer(Names[_random.Next(_links.Length)]),
        3 => Lab.Class(_random.Next(10)),
        _ => null,
    };

    private string? Cycle()
    {
        Dictionary<IpPrefix, string> observed = [];
        foreach ((IpPrefix prefix, string link) in _router)
        {
            if (_random.Next(3) > 0)
            {
                observed[prefix] = _random.Next(5) > 0 ? link : Names[_random.Next(_links.Length)];
            }
        }

        CycleInput input = new()
        {
            Now = _now,

            // A hundred times as fast, so that a history is some hours of samples.
            TimeOfDay = Third + ((_now - Lab.Start) * 100),
            Links = [.. _links.Select(l => l with { MeasuredBps = _random.Next(6) == 0 ? _random.Next(0, 1500) * Lab.M : null })],
            Prefixes = [.. Enumerable.Range(0, _rates.Length).Select(i => new PrefixDemand(Lab.Prefix(i), _rates[i], PathsOf(i)) { Policy = _policies[i] })],
            Health = _health,
            ObservedLinks = observed,
        };
        HashSet<IpPrefix> before = [.. _controller.Overrides.Select(o => o.Prefix)];
        CycleOutcome outcome = _controller.Cycle(input);
        return CheckCycle(input, outcome, before) ?? Carry(outcome, command: false);
    }

    private string? CheckCycle(CycleInput input, CycleOutcome outcome, HashSet<IpPrefix> before)
    {
        if (outcome.Verdict == Verdict.PlanRejected)
        {
            return string.Join("; ", outcome.Problems);
        }

        Plan plan = outcome.Plan!;
        bool frozen = EgressAppliance.Decision.Planner.Reasons.IsFrozen(outcome.Verdict) || outcome.Verdict is Verdict.GivingBack or Verdict.WithdrawnRouteFeedLost;
        if (frozen && outcome.Announce.Count > 0)
        {
            return $"{outcome.Verdict} announces";
        }

        if (!frozen && PlanValidator.Validate(outcome.Snapshot!, plan, _options.Planner) is [var violation, ..])
        {
            return violation.ToString();
        }

        if (plan.Moves.Count > _options.Planner.MaxMovesPerCycle)
        {
            return $"{plan.Moves.Count} moves";
        }

        if (outcome.Overrides.Count > _options.Planner.MaxOverrides && outcome.Overrides.Count > before.Count)
        {
            return $"{outcome.Overrides.Count} overrides";
        }

        foreach (PlannedMove move in plan.Moves)
        {
            PrefixPolicy? policy = input.Prefixes.First(p => p.Prefix == move.Prefix).Policy;
            if (policy is { Action: PolicyAction.Deny } || (policy is { Action: PolicyAction.Pin } && policy.Links[0] != move.To))
            {
                return $"{move.Prefix} was moved to {move.To} against its policy";
            }
        }

        return outcome.Overrides.FirstOrDefault(o => o.LeaseExpires <= _now || o.LeaseExpires > _now + _options.Lease) is { } bad
            ? $"lease of {bad.Prefix} ends {bad.LeaseExpires - _now} from now"
            : CheckCeilings(input, outcome);
    }

    /// <summary>No link that a prefix enters in this cycle ends above its ceiling; loads are added up here from the overrides, not taken from the plan.</summary>
    private string? CheckCeilings(CycleInput input, CycleOutcome outcome)
    {
        Dictionary<string, long> load = _links.ToDictionary(l => l.Name, l => l.Up ? l.ResidualBps : 0);
        Dictionary<IpPrefix, string> by = outcome.Overrides.ToDictionary(o => o.Prefix, o => o.To);
        for (int i = 0; i < _rates.Length; i++)
        {
            string? link = by.GetValueOrDefault(Lab.Prefix(i)) ?? PathsOf(i).FirstOrDefault();
            if (link is not null)
            {
                load[link] += _rates[i];
            }
        }

        foreach (string entered in outcome.Plan!.Moves.Select(m => m.To).Distinct())
        {
            LinkState link = input.Links.First(l => l.Name == entered);
            if (load[entered] > (decimal)link.CapacityBps * (decimal)link.Ceiling)
            {
                return $"{entered} was filled to {load[entered]} of {link.CapacityBps}";
            }
        }

        return null;
    }

    /// <summary>What speaker and router do with an outcome.</summary>
    private string? Carry(CycleOutcome outcome, bool command)
    {
        Note(outcome);
        if (outcome.Mode == DecisionMode.Observe && outcome.Announce.Count > 0)
        {
            return "observe mode announces";
        }

        foreach (OverrideEntry entry in outcome.Announce)
        {
            bool ok = PathsOf(Index(entry.Prefix)).Contains(entry.To) && _random.Next(12) > 0;
            if (ok)
            {
                _router[entry.Prefix] = entry.To;
            }

            _controller.Announced(entry.Prefix, ok, _now);
        }

        foreach (OverrideWithdrawal withdrawal in outcome.Withdraw)
        {
            _router.Remove(withdrawal.Prefix);
        }

        // What failed as a replacement is withdrawn with the next outcome; until then the router has what it had.
        if (_controller.Mode == DecisionMode.Inject && !command)
        {
            foreach (OverrideEntry entry in _controller.Overrides)
            {
                if (!_router.TryGetValue(entry.Prefix, out string? link) || link != entry.To)
                {
                    return $"the ledger has {entry.Prefix} by {entry.To}, the router {link ?? "nothing"}";
                }
            }
        }

        return null;
    }

    private string? CheckRouter()
    {
        foreach ((IpPrefix prefix, string link) in _router)
        {
            if (!PathsOf(Index(prefix)).Contains(link))
            {
                return $"{prefix} is announced by {link}, which has no path for it";
            }
        }

        return _controller.Mode == DecisionMode.Observe && _router.Count > 0 ? "overrides are announced in observe mode" : null;
    }

    /// <summary>The speaker withdraws an override whose path goes, and says so.</summary>
    private void LosePaths()
    {
        foreach ((IpPrefix prefix, string link) in _router.ToArray())
        {
            if (!PathsOf(Index(prefix)).Contains(link))
            {
                _router.Remove(prefix);
                _controller.Lost(prefix);
            }
        }
    }

    private void ExpireLeases()
    {
        if (_controller.Mode == DecisionMode.Inject)
        {
            foreach (OverrideEntry entry in OverrideLedger.Expired(_controller.Overrides, _now))
            {
                _router.Remove(entry.Prefix);
            }
        }
    }

    private void Note(CycleOutcome outcome)
    {
        Verdicts.Add(outcome.Verdict);
        Reasons.UnionWith(outcome.Withdraw.Select(w => w.Reason));
        Reasons.UnionWith(outcome.Announce.Select(a => a.Reason));
        if (outcome.Plan is { } plan)
        {
            Reasons.UnionWith(plan.Moves.Select(m => m.Reason));
            Reasons.UnionWith(plan.Releases.Select(r => r.Reason));
            Reasons.UnionWith(plan.Kept.Select(k => k.Reason));
            Reasons.UnionWith(plan.Rejected.Select(r => r.Reason));
            if (outcome.Snapshot is { Links.Count: > 0 } snapshot)
            {
                foreach (PrefixDemand demand in snapshot.Prefixes)
                {
                    PrefixExplanation why = PlanExplainer.Explain(snapshot, plan, _options.Planner, demand);
                    Reasons.Add(why.Reason);
                    Reasons.UnionWith(why.Paths.Select(p => p.Reason));
                }
            }
        }

        _log.Append(Encoding.UTF8.GetString(DecisionJson.Write(outcome))).Append('\n');
    }

    /// <summary>Paths that are offered now: a link that is down offers none.</summary>
    private string[] PathsOf(int prefix) => [.. _allPaths[prefix].Where(l => !_withdrawn.Contains((prefix, l)) && _links.First(s => s.Name == l).Up)];

    private static int Index(IpPrefix prefix) => (int)((prefix.Address.IPv4Value - Lab.Prefix(0).Address.IPv4Value) >> 8);
}
