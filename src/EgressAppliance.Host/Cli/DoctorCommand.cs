using System.CommandLine;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Doctor;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>What <c>doctor --json</c> prints.</summary>
/// <param name="Ok">Nothing failed.</param>
/// <param name="Running">The appliance answered.</param>
/// <param name="Checks">What was looked at.</param>
public sealed record DoctorReport(bool Ok, bool Running, IReadOnlyList<SetupCheck> Checks);

/// <summary>
/// <c>doctor</c>: everything that can be told of a box in one go: the configuration, the machine, and, where it runs, the appliance's own problems. What is wrong stands at the end
/// once more, with what to do about it.
/// </summary>
internal sealed class DoctorCommand(ICommandHandlers handlers, CommandConsole console, GlobalOptions global, Func<MachineFacts> machine)
{
    public Command Build()
    {
        Option<string> config = new("--config", "-c") { Description = "The configuration file.", HelpName = "FILE", DefaultValueFactory = _ => ConfigLoader.DefaultPath };
        Command command = new("doctor", "Look at configuration, machine and running appliance, and say what to do.") { config };
        command.SetAction(async (parsed, cancellation) =>
        {
            string path = parsed.GetRequiredValue(config);
            ConfigResult result = ConfigLoader.Load(path);
            StatusDto? running = await StatusAsync(parsed, cancellation);
            List<SetupCheck> checks = [.. OfConfig(path, result)];
            if (result.Config is { } good)
            {
                // Addresses that the appliance listens on are taken by itself.
                checks.AddRange((await handlers.CheckSetupAsync(good, cancellation)).Where(c => running is null || !c.Listening));
                checks.AddRange(MachineChecks.Run(good, machine()));
            }

            checks.AddRange(OfAppliance(running));
            bool ok = checks.TrueForAll(c => c.Passed);
            if (parsed.GetValue(global.Json))
            {
                await console.Out.WriteLineAsync(JsonSerializer.Serialize(new DoctorReport(ok, running is not null, checks), CliJson.Default.DoctorReport));
            }
            else
            {
                await WriteAsync(checks);
            }

            return result.Config is null ? ExitCode.Usage : ok ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static IEnumerable<SetupCheck> OfConfig(string path, ConfigResult result)
    {
        foreach (ConfigError error in result.Errors)
        {
            yield return new SetupCheck("configuration", false, $"{path}:{error.Line}:{error.Column}: {error.Message}") { Remedy = error.Remedy, Line = error.Line, Column = error.Column };
        }

        foreach (ConfigWarning warning in result.Warnings)
        {
            yield return new SetupCheck("configuration", true, $"{path}:{warning.Line}:{warning.Column}: {warning.Message}")
            {
                Warning = true,
                Remedy = warning.Remedy,
                Line = warning.Line,
                Column = warning.Column,
            };
        }

        if (result.Errors.Count + result.Warnings.Count == 0)
        {
            yield return new SetupCheck("configuration", true, path + " is good");
        }
    }

    private static IEnumerable<SetupCheck> OfAppliance(StatusDto? status)
    {
        if (status is null)
        {
            yield return new SetupCheck("appliance", true, "it is not running") { Warning = true, Remedy = "systemctl start egress-appliance, or `egress-appliance run`" };
            yield break;
        }

        yield return new SetupCheck("appliance", true, $"it runs in mode {status.Mode} for {Human.Span(TimeSpan.FromSeconds(status.UptimeSeconds))}: {status.Reason}");
        foreach (string problem in status.Problems)
        {
            yield return new SetupCheck("appliance", false, problem) { Remedy = "docs/troubleshooting.md lists what it may be" };
        }

        foreach (CaptureFindingDto finding in status.Capture.Findings)
        {
            yield return new SetupCheck(finding.Source.Length == 0 ? "capture" : "capture " + finding.Source, finding.Level != "loss", finding.Message) { Warning = true, Remedy = finding.Advice };
        }
    }

    private async Task<StatusDto?> StatusAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using ApiClient client = global.Client(parsed);
        try
        {
            return await client.GetAsync("status", ApiClient.Json.StatusDto, cancellation);
        }
        catch (ApiException)
        {
            return null;
        }
    }

    private async Task WriteAsync(List<SetupCheck> checks)
    {
        SetupViews.Write(checks, console, "CHECK", "");
        SetupCheck[] open = [.. checks.Where(c => c is { Passed: false } or { Warning: true }).OrderBy(c => c.Passed)];
        await console.Out.WriteLineAsync();
        if (open.Length == 0)
        {
            await console.Out.WriteLineAsync("All is well.");
            return;
        }

        // Whole here, where the table had to cut.
        await console.Out.WriteLineAsync("What to do:");
        for (int i = 0; i < open.Length; i++)
        {
            await console.Out.WriteLineAsync($"{i + 1}. {Human.Clean(open[i].Name.TrimEnd())}: {Human.Clean(open[i].Detail).TrimEnd('.')}.");
            if (open[i].Remedy is { } remedy)
            {
                await console.Out.WriteLineAsync($"   {Human.Clean(remedy)}");
            }
        }
    }
}
