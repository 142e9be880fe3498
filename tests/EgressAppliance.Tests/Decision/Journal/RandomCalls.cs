using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision.Journal;

/// <summary>Random calls of a controller as a control loop makes them, a function of their seed: good and bad inputs, operators, routers that refuse and lose.</summary>
internal sealed class RandomCalls
{
    private readonly Random _random;
    private readonly RecordingController _controller;
    private DecisionSnapshot _site;
    private DateTimeOffset _now = Lab.Start;

    public RandomCalls(int seed, IJournalSink? sink)
    {
        _random = new Random(seed);
        (_site, PlannerOptions options) = RandomSnapshots.Any(seed);
        _controller = new RecordingController(
            new DecisionController(
                new ControllerOptions
                {
                    Planner = _random.Next(2) == 0 ? options : new PlannerOptions { Hold = TimeSpan.FromSeconds(10) },
                    Grace = TimeSpan.FromSeconds(15),
                    GiveBackPerCycle = 1,
                    MaxQuarantined = 3,
                    ConfirmWithin = TimeSpan.FromSeconds(10),
                },
                (DecisionMode)_random.Next(2)),
            sink);
    }

    /// <summary>Makes calls: whole turns, so a few more than asked for.</summary>
    /// <returns>The outcomes.</returns>
    public IReadOnlyList<CycleOutcome> Run(int turns)
    {
        List<CycleOutcome> outcomes = [];
        for (int i = 0; i < turns; i++)
        {
            _now = _now.AddMilliseconds(_random.Next(20) == 0 ? 40_000 : _random.Next(4_000, 6_000));
            if (_random.Next(12) == 0)
            {
                (_site, _) = RandomSnapshots.Any(_random.Next(1000));
            }

            CycleOutcome outcome = Turn();
            outcomes.Add(outcome);
            foreach (OverrideEntry entry in outcome.Announce)
            {
                _controller.Announced(entry.Prefix, _random.Next(8) > 0, _now.AddTicks(_random.Next(100)));
            }
        }

        return outcomes;
    }

    private CycleOutcome Turn()
    {
        IpPrefix prefix = _random.Next(2) == 0 && _controller.Overrides.Count > 0
            ? _controller.Overrides[_random.Next(_controller.Overrides.Count)].Prefix
            : Lab.Prefix(_random.Next(60));
        switch (_random.Next(40))
        {
            case 0:
                return _controller.WithdrawAll(_now);
            case 1 or 2 or 3:
                return _controller.SetMode(_random.Next(3) == 0 ? DecisionMode.Observe : DecisionMode.Inject, _now);
            case 4 or 5 or 6:
                PrefixDemand? demand = _site.Prefixes.FirstOrDefault(p => p.Prefix == prefix);
                return _controller.AddOverride(prefix, "link-" + (char)('a' + _random.Next(6)), demand?.Paths ?? [], _now, demand?.RateBps ?? 0).Outcome;
            case 7 or 8:
                return _controller.ReleaseOverride(prefix, _now).Outcome;
            case 9:
                _controller.Lost(prefix);
                break;
            case 10:
                return _controller.TakeOver(_now);
            default:
                break;
        }

        return _controller.Cycle(new CycleInput
        {
            Now = _now,
            Links = _site.Links,
            Prefixes = [.. _site.Prefixes.Select(p => p with
            {
                RateBps = (long)(p.RateBps * (0.5 + _random.NextDouble())),
                ErrorRatio = _random.Next(10) == 0 ? _random.NextDouble() : null,
                MeanBps = _random.Next(4) == 0 ? _random.NextInt64(2 * p.RateBps + 1) : 0,
            })],
            Health = Health(),
            ObservedLinks = Observed(),
        });
    }

    /// <summary>Most prefixes on their first path, some elsewhere or not at all, and overridden ones as likely on the new link as on the old.</summary>
    private Dictionary<IpPrefix, string> Observed()
    {
        Dictionary<IpPrefix, string> observed = [];
        foreach (PrefixDemand demand in _random.Next(3) > 0 ? _site.Prefixes : [])
        {
            if (demand.Paths.Count > 0 && _random.Next(6) > 0)
            {
                observed[demand.Prefix] = _random.Next(6) > 0 ? demand.Paths[0] : demand.Paths[^1];
            }
        }

        foreach (OverrideEntry entry in _controller.Overrides.Where(_ => _random.Next(3) > 0))
        {
            observed[entry.Prefix] = _random.Next(4) > 0 ? entry.To : entry.From;
        }

        return observed;
    }

    private InputHealth Health() => _random.Next(12) switch
    {
        0 => new InputHealth { CaptureLoss = double.NaN },
        1 => new InputHealth { CaptureAge = TimeSpan.FromTicks(_random.NextInt64(1_000_000_000)) },
        2 => new InputHealth { RouteFeedUp = _random.Next(2) == 0, RibComplete = false },
        4 => new InputHealth { Doubts = [new RateDoubt("link-a", (RateCause)_random.Next(12), _random.NextDouble(), _random.Next(3))] },
        3 => new InputHealth { CountersAge = TimeSpan.FromSeconds(_random.Next(100)), AttributionRatio = _random.NextDouble() },
        _ => new InputHealth { CaptureLoss = _random.NextDouble() / 30 },
    };
}
