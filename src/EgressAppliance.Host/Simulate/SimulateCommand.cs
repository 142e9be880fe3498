using System.Globalization;
using System.Text.Json;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Steering;
using EgressAppliance.Simulator.ClosedLoop;

namespace EgressAppliance.Host.Simulate;

/// <summary><c>simulate</c>: runs scenarios in virtual time and prints how the appliance did beside plain BGP and a greedy controller.</summary>
/// <param name="console">Where to.</param>
public sealed class SimulateCommand(CommandConsole console)
{
    private const int ShownCourse = 40;

    /// <summary>Lists the bundled scenarios.</summary>
    public async Task<int> ListAsync(bool json)
    {
        var scenarios = ScenarioFile.Bundled.Select(name => (name, title: ScenarioFile.Load(name).Scenario!.Title)).ToArray();
        if (json)
        {
            await console.Out.WriteLineAsync(Json(w =>
            {
                w.WriteStartArray();
                foreach ((string name, string title) in scenarios)
                {
                    w.WriteStartObject();
                    w.WriteString("name", name);
                    w.WriteString("title", title);
                    w.WriteEndObject();
                }

                w.WriteEndArray();
            }));
            return ExitCode.Done;
        }

        TextTable table = new("SCENARIO", "TITLE");
        foreach ((string name, string title) in scenarios)
        {
            table.Add(name, title);
        }

        table.Write(console, "There are none.");
        return ExitCode.Done;
    }

    /// <summary>Prints the text of bundled scenarios, to be edited.</summary>
    public async Task<int> PrintAsync(IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            if (!ScenarioFile.Bundled.Contains(name, StringComparer.Ordinal))
            {
                await console.Error.WriteLineAsync($"simulate: there is no bundled scenario '{name}'; there are: {string.Join(", ", ScenarioFile.Bundled)}");
                return ExitCode.Usage;
            }

            await console.Out.WriteAsync(ScenarioFile.ReadBundled(name));
        }

        return ExitCode.Done;
    }

    /// <summary>Runs scenarios.</summary>
    /// <param name="names">Bundled names or files; none: all bundled ones.</param>
    /// <param name="decision">The decision section to run with; cycle and window are the scenario's.</param>
    /// <param name="seed">Instead of each scenario's own seed.</param>
    /// <param name="json">One JSON object a line and scenario.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>Failed if an expectation is not met.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> names, DecisionConfig decision, ulong? seed, bool json, CancellationToken cancellationToken)
    {
        List<(string Name, Scenario Scenario)> scenarios = [];
        bool bad = false;
        foreach (string name in names.Count > 0 ? names : ScenarioFile.Bundled)
        {
            (Scenario? scenario, IReadOnlyList<ConfigError> errors) = ScenarioFile.Load(name);
            foreach (ConfigError error in errors)
            {
                await console.Error.WriteLineAsync(error.ToString());
            }

            bad |= scenario is null;
            if (scenario is not null)
            {
                scenarios.Add((name, seed is { } other ? scenario with { Seed = other } : scenario));
            }
        }

        if (bad)
        {
            return ExitCode.Usage;
        }

        bool failed = false;
        foreach ((string name, Scenario scenario) in scenarios)
        {
            SimulationResult result;
            using (new Progress(console, $"simulating {name}"))
            {
                result = await Task.Run(() => Simulation.Run(scenario, OptionsFor(scenario, decision), cancellationToken), cancellationToken);
            }

            failed |= result.Expectations.Any(e => !e.Met);
            if (json)
            {
                await console.Out.WriteLineAsync(Json(w => Write(w, name, result)));
            }
            else
            {
                await ShowAsync(name, result);
            }
        }

        return failed ? ExitCode.Failed : ExitCode.Done;
    }

    /// <summary>The controller's options for a scenario.</summary>
    public static ControllerOptions OptionsFor(Scenario scenario, DecisionConfig decision)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(decision);
        return SteeringOptions.ForController(decision with { Cycle = scenario.Appliance.Cycle, Window = scenario.Appliance.Window }, scenario.Appliance.Poll);
    }

    private async Task ShowAsync(string name, SimulationResult result)
    {
        await console.Out.WriteLineAsync($"{name}: {result.Scenario.Title} ({Human.Span(result.Scenario.Duration)}, seed {result.Scenario.Seed})");
        TextTable scores = new(["", "OVERLOAD", "OVER THRESHOLD", "OVER CAPACITY", "MOVES", "RELEASES", "PER PREFIX-HOUR", .. result.Scenario.Links.Select(l => "PEAK " + l.Name)]);
        foreach ((string who, ContestantScore score) in new[] { ("plain BGP", result.Plain), ("greedy", result.Greedy), ("appliance", result.Appliance) })
        {
            scores.Add(
            [
                who, Number(score.OverloadSeconds) + " s", Volume(score.OverloadGbit), Volume(score.LostGbit), Number(score.Moves), Number(score.Releases),
                Number(score.MostChangesPerHour), .. score.PeakRatios.Select(r => (Cell)Human.Percent(r)),
            ]);
        }

        scores.Write(console, "");
        await console.Out.WriteLineAsync($"Over the threshold whatever one does: {Volume(result.UnavoidableGbit)}");
        foreach (SimulationMoment moment in result.Course.Take(ShownCourse))
        {
            await console.Out.WriteLineAsync($"  {TimeSpan.FromSeconds(moment.Second):d\\.hh\\:mm\\:ss}  {moment.Overrides,4} overrides  {string.Join(", ", moment.Verdicts.Select(Reasons.Code))}");
        }

        if (result.Course.Count > ShownCourse)
        {
            await console.Out.WriteLineAsync($"  … and {result.Course.Count - ShownCourse} more changes");
        }

        string shown = "";
        foreach (SimulationBelief belief in result.Beliefs.SelectMany(b => b).OrderBy(b => b.Second))
        {
            string causes = string.Join(", ", result.Scenario.Links.Zip(belief.Causes).Where(c => RateCauses.IsFault(c.Second)).Select(c => $"{c.First.Name} {RateCauses.Code(c.Second)}"));
            if (causes != shown)
            {
                await console.Out.WriteLineAsync($"  {TimeSpan.FromSeconds(belief.Second):d\\.hh\\:mm\\:ss}  rates: {(causes.Length > 0 ? causes : "nothing wrong")}");
                shown = causes;
            }
        }

        foreach (ExpectationOutcome expectation in result.Expectations)
        {
            await console.Out.WriteLineAsync($"  {(expectation.Met ? "ok    " : "FAILED")}  {expectation.Text}: {expectation.Seen}");
        }

        await console.Out.WriteLineAsync();
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Volume(double gbit) => gbit.ToString("0.0", CultureInfo.InvariantCulture) + " Gbit";

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            write(writer);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Write(Utf8JsonWriter w, string name, SimulationResult result)
    {
        w.WriteStartObject();
        w.WriteString("scenario", name);
        w.WriteString("title", result.Scenario.Title);
        w.WriteNumber("seed", result.Scenario.Seed);
        w.WriteNumber("duration_seconds", result.Scenario.Duration.TotalSeconds);
        Score(w, "plain", result.Plain, result.Scenario);
        Score(w, "greedy", result.Greedy, result.Scenario);
        Score(w, "appliance", result.Appliance, result.Scenario);
        w.WriteNumber("unavoidable_gbit", Math.Round(result.UnavoidableGbit, 3));
        w.WriteStartArray("course");
        foreach (SimulationMoment moment in result.Course)
        {
            w.WriteStartObject();
            w.WriteNumber("second", moment.Second);
            w.WriteNumber("overrides", moment.Overrides);
            w.WriteStartArray("verdicts");
            foreach (Verdict verdict in moment.Verdicts)
            {
                w.WriteStringValue(Reasons.Code(verdict));
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteStartArray("expectations");
        foreach (ExpectationOutcome expectation in result.Expectations)
        {
            w.WriteStartObject();
            w.WriteString("text", expectation.Text);
            w.WriteBoolean("met", expectation.Met);
            w.WriteString("seen", expectation.Seen);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteEndObject();
    }

    private static void Score(Utf8JsonWriter w, string who, ContestantScore score, Scenario scenario)
    {
        w.WriteStartObject(who);
        w.WriteNumber("overload_seconds", score.OverloadSeconds);
        w.WriteNumber("overload_gbit", Math.Round(score.OverloadGbit, 3));
        w.WriteNumber("over_capacity_gbit", Math.Round(score.LostGbit, 3));
        w.WriteNumber("moves", score.Moves);
        w.WriteNumber("releases", score.Releases);
        w.WriteNumber("most_changes_per_prefix_hour", score.MostChangesPerHour);
        w.WriteStartObject("peak_ratio");
        for (int l = 0; l < scenario.Links.Count; l++)
        {
            w.WriteNumber(scenario.Links[l].Name, Math.Round(score.PeakRatios[l], 4));
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }
}
