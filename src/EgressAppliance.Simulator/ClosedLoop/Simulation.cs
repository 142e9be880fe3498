using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>Runs a scenario.</summary>
public sealed class Simulation
{
    private readonly Scenario _scenario;
    private readonly TrafficWorld _world;
    private readonly EdgeRouter _plain;
    private readonly EdgeRouter _greedy;
    private readonly EdgeRouter _own;
    private readonly GreedyController _greedyController;
    private readonly ApplianceModel[] _appliances;
    private readonly List<SimulationMoment> _course = [];
    private readonly Dictionary<(TimeSpan At, IpPrefix Prefix), string?> _places = [];
    private readonly int _cycle;
    private double _unavoidable;

    /// <summary>A run that is ready to begin.</summary>
    /// <param name="scenario">The story.</param>
    /// <param name="options">Options of the controller.</param>
    public Simulation(Scenario scenario, ControllerOptions options)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        _scenario = scenario;
        _world = new TrafficWorld(scenario);
        _plain = new EdgeRouter(_world);
        _greedy = new EdgeRouter(_world);
        _own = new EdgeRouter(_world, scenario.Appliance.Count);
        _greedyController = new GreedyController(_world, _greedy, scenario.Appliance.Cycle);
        _appliances = [.. Enumerable.Range(0, scenario.Appliance.Count).Select(n => new ApplianceModel(_world, _own, options, n))];
        _cycle = _appliances[0].Cycle;
    }

    /// <summary>Runs a scenario from beginning to end.</summary>
    public static SimulationResult Run(Scenario scenario, ControllerOptions options, CancellationToken cancellation = default) =>
        new Simulation(scenario, options).Run(cancellation);

    /// <summary>Runs to the end.</summary>
    public SimulationResult Run(CancellationToken cancellation = default)
    {
        int seconds = (int)_scenario.Duration.TotalSeconds;
        for (int second = 0; second < seconds; second++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (second > 0)
            {
                _world.Advance(second);
            }

            _plain.Forward();
            _greedy.Forward();
            _own.Forward();
            _greedyController.Step();
            foreach (ApplianceModel appliance in _appliances)
            {
                appliance.Step();
            }

            Note(second);
            if (second % _cycle == 0)
            {
                _unavoidable += Unavoidable() * _cycle;
            }
        }

        return new SimulationResult
        {
            Scenario = _scenario,
            Plain = ContestantScore.Of(_plain, _scenario),
            Greedy = ContestantScore.Of(_greedy, _scenario),
            Appliance = ContestantScore.Of(_own, _scenario),
            UnavoidableGbit = _unavoidable / 1e9,
            Course = _course,
            Places = _places,
            Beliefs = [.. _appliances.Select(a => a.Beliefs)],
        };
    }

    private void Note(int second)
    {
        Verdict[] verdicts = [.. _appliances.Select(a => a.Verdicts.Count > 0 ? a.Verdicts[^1].Verdict : Verdict.Starting)];
        if (_course.Count == 0 || _course[^1].Overrides != _own.Overrides || !_course[^1].Verdicts.SequenceEqual(verdicts))
        {
            _course.Add(new SimulationMoment(second, _own.Overrides, verdicts));
        }

        foreach (Expectation expected in _scenario.Expectations)
        {
            if (expected is { At: { } at, Prefix: { } prefix } && (int)at.TotalSeconds == second && IndexOf(prefix) is >= 0 and var index)
            {
                _places[(at, prefix)] = _own.LinkOf(index) is >= 0 and var link ? _scenario.Links[link].Name : null;
            }
        }
    }

    private int IndexOf(IpPrefix prefix)
    {
        for (int i = 0; i < _world.Prefixes.Count; i++)
        {
            if (_world.Prefixes[i] == prefix)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The lower bound of the overload with the true rates, bit/s; only where plain BGP has overload at all.</summary>
    private double Unavoidable()
    {
        bool any = false;
        for (int l = 0; l < _plain.Load.Length; l++)
        {
            any |= _plain.Load[l] > _scenario.Links[l].CapacityBps * _scenario.Links[l].Threshold;
        }

        if (!any)
        {
            return 0;
        }

        string[] names = [.. _scenario.Links.Select(l => l.Name)];
        DecisionSnapshot truth = new()
        {
            Time = DateTimeOffset.UnixEpoch,
            Links = [.. _scenario.Links.Select((l, i) => new LinkState
            {
                Name = l.Name,
                CapacityBps = l.CapacityBps,
                Up = _world.LinkUp[i],
                Threshold = l.Threshold,
                Ceiling = l.Threshold,
                Release = l.Release,
            })],
            Prefixes = [.. Enumerable.Range(0, _world.Rate.Length).Where(i => _world.Paths[i].Length > 0)
                .Select(i => new PrefixDemand(_world.Prefixes[i], (long)_world.Rate[i], [.. _world.Paths[i].Select(l => names[l])]))],
        };
        return Planner.Plan(truth, new PlannerOptions { NoCaps = true }).OverloadLowerBoundBps;
    }
}
