using System.Collections.Concurrent;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Simulate;
using EgressAppliance.Simulator.ClosedLoop;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Simulator.ClosedLoop;

/// <summary>Every scenario that comes with the program ends as it says. The figures are printed.</summary>
public class ScenarioSuiteTests(ITestOutputHelper output)
{
    // Traffic patterns without failures: what the comparison with the greedy controller is made on.
    private static readonly string[] Patterns = ["step", "ramp", "day", "flash_crowd", "noise"];

    // A run takes seconds, and two tests look at some of them.
    private static readonly ConcurrentDictionary<string, Lazy<SimulationResult>> Results = new();

    public static TheoryData<string> Names => [.. ScenarioFile.Bundled];

    [Theory]
    [MemberData(nameof(Names))]
    public void Scenario_ends_as_expected(string name)
    {
        SimulationResult result = Run(name);
        Print(name, result);
        Assert.NotEmpty(result.Expectations);
        Assert.All(result.Expectations, e => Assert.True(e.Met, $"{e.Text}: {e.Seen}"));
    }

    [Fact]
    public void Patterns_together_need_a_third_of_the_greedy_controllers_changes_at_no_more_overload()
    {
        SimulationResult[] results = [.. Patterns.Select(Run)];
        int changes = results.Sum(r => r.Appliance.Changes);
        int greedy = results.Sum(r => r.Greedy.Changes);
        int overload = results.Sum(r => r.Appliance.OverloadSeconds);
        int greedyOverload = results.Sum(r => r.Greedy.OverloadSeconds);
        output.WriteLine($"changes {changes} of {greedy}, overload-seconds {overload} of {greedyOverload}, plain BGP {results.Sum(r => r.Plain.OverloadSeconds)}");
        Assert.InRange(changes, 1, greedy / 3);
        Assert.InRange(overload, 0, greedyOverload);
    }

    [Fact]
    public void Same_seed_gives_the_same_run_and_another_seed_another()
    {
        Scenario scenario = Load("red_button");
        SimulationResult first = Simulation.Run(scenario, SimulateCommand.OptionsFor(scenario, new DecisionConfig()));
        SimulationResult second = Simulation.Run(scenario, SimulateCommand.OptionsFor(scenario, new DecisionConfig()));
        Assert.Equal(Describe(first), Describe(second));
        SimulationResult other = Simulation.Run(scenario with { Seed = 2 }, SimulateCommand.OptionsFor(scenario, new DecisionConfig()));
        Assert.NotEqual(Describe(first), Describe(other));
    }

    private static string Describe(SimulationResult result) => string.Join('\n',
        [
            .. new[] { result.Plain, result.Greedy, result.Appliance }.Select(s => $"{s with { PeakRatios = [] }} {string.Join(' ', s.PeakRatios)}"),
            .. result.Course.Select(m => $"{m.Second} {m.Overrides} {string.Join(' ', m.Verdicts)}"),
        ]);

    private static SimulationResult Run(string name) => Results.GetOrAdd(name, _ => new Lazy<SimulationResult>(() =>
    {
        Scenario scenario = Load(name);
        return Simulation.Run(scenario, SimulateCommand.OptionsFor(scenario, new DecisionConfig()));
    })).Value;

    private static Scenario Load(string name)
    {
        (Scenario? scenario, IReadOnlyList<ConfigError> errors) = ScenarioFile.Load(name);
        Assert.Empty(errors);
        return scenario!;
    }

    private void Print(string name, SimulationResult result)
    {
        output.WriteLine($"{name}: {result.Scenario.Title}");
        foreach ((string who, ContestantScore score) in new[] { ("plain", result.Plain), ("greedy", result.Greedy), ("appliance", result.Appliance) })
        {
            output.WriteLine($"  {who}: overload {score.OverloadSeconds} s, {score.OverloadGbit:F1} Gbit, {score.Moves} moves, {score.Releases} releases, at most {score.MostChangesPerHour} changes per prefix and hour");
        }

        foreach (SimulationMoment moment in result.Course.Take(60))
        {
            output.WriteLine($"  {moment.Second} s: {moment.Overrides} overrides, {string.Join(", ", moment.Verdicts)}");
        }
    }
}
