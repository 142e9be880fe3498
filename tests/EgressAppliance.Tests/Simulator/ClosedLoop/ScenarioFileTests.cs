using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Simulate;
using EgressAppliance.Simulator.ClosedLoop;

namespace EgressAppliance.Tests.Simulator.ClosedLoop;

public class ScenarioFileTests
{
    private const string Least = """
        title: The least
        duration: 1m
        links:
          - { name: a, capacity: 1Gbit/s, traffic: 100% }
        traffic: { total: 500Mbit/s }

        """;

    [Fact]
    public void Parse_least_file_has_the_documented_defaults()
    {
        (Scenario? scenario, IReadOnlyList<ConfigError> errors) = ScenarioFile.Parse(Least, "least.yaml");
        Assert.Empty(errors);
        Assert.Equal((1ul, TimeSpan.FromMinutes(1), 2000, 500_000_000L), (scenario!.Seed, scenario.Duration, scenario.Traffic.Prefixes, scenario.Traffic.TotalBps));
        ScenarioLink link = Assert.Single(scenario.Links);
        Assert.Equal(("a", 1_000_000_000L, 0.95, 0.90, 0.85), (link.Name, link.CapacityBps, link.Threshold, link.Ceiling, link.Release));
        Assert.Equal((1, TimeSpan.FromSeconds(5)), (scenario.Appliance.Count, scenario.Appliance.Cycle));
        Assert.Empty(scenario.Events);
        Assert.Empty(scenario.Expectations);
    }

    [Fact]
    public void Parse_events_and_expectations()
    {
        (Scenario? scenario, IReadOnlyList<ConfigError> errors) = ScenarioFile.Parse(
            Least + """
            events:
              - { at: 10s, what: flash_crowd, factor: 2.5, prefixes: 7, for: 20s }
              - { at: 20s, what: paths_withdrawn, link: a, share: 40%, appliance: 2 }
            expect:
              - { at: 50s, verdict: no_capacity_anywhere, overrides_at_most: 3 }

            """, "events.yaml");
        Assert.Empty(errors);
        Assert.Equal(
            [
                new ScenarioEvent(TimeSpan.FromSeconds(10), ScenarioEventKind.FlashCrowd) { Value = 2.5, Count = 7, For = TimeSpan.FromSeconds(20) },
                new ScenarioEvent(TimeSpan.FromSeconds(20), ScenarioEventKind.PathsWithdrawn) { Link = "a", Value = 0.4, Appliance = 2 },
            ],
            scenario!.Events);
        Assert.Equal(new Expectation { At = TimeSpan.FromSeconds(50), Verdict = Verdict.NoCapacityAnywhere, OverridesAtMost = 3 }, Assert.Single(scenario.Expectations));
    }

    [Theory]
    [InlineData("", "1:1: 'title' is missing")]
    [InlineData(Least + "colour: red\n", "6:1: unknown key 'colour' at the top level")]
    [InlineData(Least + "events:\n  - { at: 1s, what: setp, factor: 2 }\n", "7:21: 'events[0].what': 'setp' is not one of")]
    [InlineData(Least + "events:\n  - { at: 1s, what: step }\n", "7:5: 'events[0]' has no 'factor', which step needs")]
    [InlineData(Least + "events:\n  - { at: 1s, what: link_down, link: b }\n", "7:38: there is no link 'b'")]
    [InlineData(Least + "events:\n  - { at: 1s, what: withdraw_all, share: 5% }\n", "7:35: 'events[0].share' means nothing for withdraw_all")]
    [InlineData(Least + "expect:\n  - { verdict: relieved }\n", "7:5: 'expect[0]' does not say when")]
    [InlineData(Least + "expect:\n  - { at: 5s, cause: agree }\n", "7:5: 'expect[0]' must name a cause and one of the links")]
    [InlineData(Least + "expect:\n  - { at: 5s, cause: agree, link: nowhere }\n", "7:5: 'expect[0]' must name a cause and one of the links")]
    [InlineData(Least + "events:\n  - { at: 1s, what: mirror_lies }\n", "7:5: 'events[0]' has no 'factor', which mirror_lies needs")]
    [InlineData(Least + "expect:\n  - { at: 5m, overrides_at_most: 1 }\n", "7:11: 'expect[0].at' is after the end")]
    [InlineData("title: x\nduration: 7d\nlinks: [{ name: a, capacity: 1Gbit/s, traffic: 1 }]\ntraffic: { total: 1Gbit/s, prefixes: 65536 }\n", "2:1: the run would take hours")]
    [InlineData("title: x\nduration: 90.5s\nlinks: [{ name: a, capacity: 1Gbit/s, traffic: 1 }]\ntraffic: { total: 1Gbit/s }\n", "2:11: 'duration' is not a whole number of seconds")]
    [InlineData("title: x\nduration: 1m\nlinks: [{ name: a, capacity: 1Gbit/s }]\ntraffic: { total: 1Gbit/s }\n", "3:1: no link has any traffic")]
    [InlineData("title: x\nduration: 1m\nlinks: [{ name: a, capacity: 1Gbit/s, traffic: 1, ceiling: 0.5 }]\ntraffic: { total: 1Gbit/s }\n", "3:9: 'links[0]' must have release ≤ ceiling ≤ threshold")]
    [InlineData("title: [\n", "not valid YAML")]
    public void Parse_bad_file_says_where_and_what(string text, string expected)
    {
        (Scenario? scenario, IReadOnlyList<ConfigError> errors) = ScenarioFile.Parse(text, "bad.yaml");
        Assert.Null(scenario);
        Assert.Contains(errors, e => e.ToString().Contains(expected, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.NotEmpty(e.Remedy));
    }

    [Fact]
    public void Load_names_the_bundled_scenarios_when_there_is_no_such_file()
    {
        (Scenario? scenario, IReadOnlyList<ConfigError> errors) = ScenarioFile.Load("/nowhere/such.yaml");
        Assert.Null(scenario);
        Assert.Contains("step", Assert.Single(errors).Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Bundled_scenarios_cover_the_failure_list() =>
        Assert.Superset(
            new HashSet<string> { "mirror_silent", "counters_stale", "session_down", "paths_withdrawn", "loop_stuck", "process_dead", "no_capacity", "red_button", "two_appliances" },
            ScenarioFile.Bundled.ToHashSet());
}
