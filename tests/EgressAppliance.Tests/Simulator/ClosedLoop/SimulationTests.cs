using EgressAppliance.Decision.Control;
using EgressAppliance.Simulator.ClosedLoop;

namespace EgressAppliance.Tests.Simulator.ClosedLoop;

public class SimulationTests
{
    private const long G = 1_000_000_000;

    private static Scenario Quiet { get; } = new()
    {
        Title = "quiet",
        Duration = TimeSpan.FromMinutes(5),
        Links = [new ScenarioLink("a", 10 * G), new ScenarioLink("b", 10 * G)],
        Traffic = new ScenarioTraffic { TotalBps = 10 * G, NativeShares = new Dictionary<string, double> { ["a"] = 0.7, ["b"] = 0.3 }, Prefixes = 100, PrefixNoise = 0, Reach = 1 },
    };

    [Fact]
    public void World_shares_the_traffic_as_asked_and_multiplies_it_by_events()
    {
        TrafficWorld world = new(Quiet with
        {
            Events = [new ScenarioEvent(TimeSpan.FromSeconds(10), ScenarioEventKind.Step) { Link = "a", Value = 2, For = TimeSpan.FromSeconds(5) }],
        });
        EdgeRouter router = new(world);
        router.Forward();
        Assert.InRange(router.Load[0], 6.9 * G, 7.1 * G);
        Assert.InRange(router.Load[1], 2.9 * G, 3.1 * G);
        world.Advance(12);
        router.Forward();
        Assert.InRange(router.Load[0], 13.8 * G, 14.2 * G);
        Assert.InRange(router.Load[1], 2.9 * G, 3.1 * G);
        world.Advance(15);
        router.Forward();
        Assert.InRange(router.Load[0], 6.9 * G, 7.1 * G);
    }

    [Fact]
    public void Noise_has_the_deviation_asked_for_and_no_bias()
    {
        TrafficWorld world = new(Quiet with { Traffic = Quiet.Traffic with { PrefixNoise = 0.2 } });
        double mean = new TrafficWorld(Quiet).Rate[0];
        double[] samples = new double[20_000];
        for (int second = 0; second < samples.Length; second++)
        {
            world.Advance(second + 1);
            samples[second] = (world.Rate[0] / mean) - 1;
        }

        // 20 s of memory leave some 500 independent samples: the mean's own deviation is 0.009.
        Assert.InRange(samples.Average(), -0.04, 0.04);
        Assert.InRange(Math.Sqrt(samples.Average(s => s * s)), 0.17, 0.23);
    }

    [Fact]
    public void Router_sends_by_the_override_while_its_path_is_there_and_reports_its_loss()
    {
        TrafficWorld world = new(Quiet with
        {
            Events = [new ScenarioEvent(TimeSpan.FromSeconds(10), ScenarioEventKind.LinkDown) { Link = "b", For = TimeSpan.FromSeconds(5) }],
        });
        EdgeRouter router = new(world);
        List<int> lost = [];
        router.Lost += (_, prefix) => lost.Add(prefix);
        int prefix = Array.IndexOf(world.FirstLink, 0);
        Assert.True(router.Announce(0, prefix, 1));
        Assert.Equal(1, router.LinkOf(prefix));
        world.Advance(10);
        router.Forward();
        Assert.Equal([prefix], lost);
        Assert.Equal(0, router.LinkOf(prefix));
        Assert.Equal((1, 1, 0), (router.Moves, router.Releases, router.Overrides));
        Assert.False(router.Announce(0, prefix, 1), "there is no such path now");
        Assert.Equal(0, router.Load[1]);
    }

    [Fact]
    public void Refused_override_is_held_and_not_used()
    {
        TrafficWorld world = new(Quiet with { Events = [new ScenarioEvent(TimeSpan.Zero, ScenarioEventKind.RouterRefuses) { Link = "b" }] });
        EdgeRouter router = new(world);
        int prefix = Array.IndexOf(world.FirstLink, 0);
        Assert.True(router.Announce(0, prefix, 1));
        Assert.Equal((0, 1), (router.LinkOf(prefix), router.Overrides));
    }

    [Fact]
    public void Run_without_overload_moves_nothing_and_has_no_overload_to_avoid()
    {
        SimulationResult result = Simulation.Run(Quiet, new ControllerOptions());
        Assert.Equal((0, 0, 0), (result.Plain.OverloadSeconds, result.Greedy.Changes, result.Appliance.Changes));
        Assert.Equal(0, result.UnavoidableGbit);
    }

    [Fact]
    public void Run_overload_that_nothing_avoids_is_bounded_from_below()
    {
        // 22 Gbit/s on two links of 10: at least 3 Gbit/s are over the thresholds of 9.5, whatever one does.
        SimulationResult result = Simulation.Run(Quiet with { Traffic = Quiet.Traffic with { TotalBps = 22 * G } }, new ControllerOptions());
        double seconds = Quiet.Duration.TotalSeconds;
        Assert.InRange(result.UnavoidableGbit, 3 * seconds * 0.99, 3 * seconds * 1.01);
        Assert.True(result.Appliance.OverloadGbit >= result.UnavoidableGbit * 0.99, $"{result.Appliance.OverloadGbit} under the bound {result.UnavoidableGbit}");
        Assert.True(result.Appliance.OverloadGbit <= result.Plain.OverloadGbit * 1.001, $"{result.Appliance.OverloadGbit}, plain {result.Plain.OverloadGbit}");
    }

    [Fact]
    public void Run_stops_when_it_is_told_to()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => Simulation.Run(Quiet, new ControllerOptions(), source.Token));
    }
}
