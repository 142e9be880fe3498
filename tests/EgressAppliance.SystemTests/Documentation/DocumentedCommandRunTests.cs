using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;
using EgressAppliance.Tests;
using EgressAppliance.Tests.Documentation;

namespace EgressAppliance.SystemTests.Documentation;

/// <summary>
/// Every command in the blocks of README and docs is typed as it stands, on a machine with the README's configuration beside a real router, and must end with 0 and without
/// a complaint. What only parses, the unit tests look at. A new command in the documentation is run without more ado.
/// </summary>
public sealed class DocumentedCommandRunTests(ITestOutputHelper output)
{
    /// <summary>Commands that ask the running appliance, or read what it writes; all others are typed before it is started.</summary>
    private static readonly string[] Asking = ["show", "explain", "override", "mode", "withdraw-all", "bgp dump", "bgp refresh", "replay-journal", "top", "history"];

    /// <summary>What a machine that was set up a minute ago cannot do yet: the month of an example is over, or to come.</summary>
    private static readonly (string Command, string Complaint)[] NotYet = [("report", "egress-appliance: the history has no month ")];

    [DocumentationFact]
    public Task Commands_of_the_blocks_do_what_the_documentation_says() => Lab.RunAsync(output, Options(), async lab =>
    {
        DocumentedMachine machine = await DocumentedMachine.CreateAsync(lab);
        await PingAsync(lab);
        // With and without bin/ it is the same command, and the same file by two names.
        DocumentedCommand[] lines = [.. DocumentedCommand.All.Where(c => c.IsShell).DistinctBy(c => c.Text.Replace("bin/", "", StringComparison.Ordinal).Replace("/etc/egress-appliance/appliance.yaml", "appliance.yaml", StringComparison.Ordinal))];
        Assert.True(lines.Length > 25);
        List<string> failed = [];
        foreach (DocumentedCommand line in lines.Where(l => !IsAsking(l)))
        {
            await CheckAsync(machine, line, failed);
        }

        machine.TypeAndLeave("egress-appliance run --config appliance.yaml");
        await Until.ValueAsync("the appliance to be ready", () => machine.GetAsync("/readyz"), text => text == "ready\n", Scenario.Generous, output);
        DocumentedCommand[] asking = [.. lines.Where(IsAsking)];
        Assert.True(asking.Length > 10);
        foreach (DocumentedCommand line in asking)
        {
            await CheckAsync(machine, line, failed);
        }

        (int code, string complaint) = await LintAsync(await machine.GetAsync("/metrics"));
        Assert.True(code is 0 or 3 && complaint.Split('\n', StringSplitOptions.RemoveEmptyEntries).All(c => c.EndsWith("_bits_per_second use base unit \"bytes\" instead of \"bits\"", StringComparison.Ordinal)), complaint);
        Assert.True(failed.Count == 0, string.Join('\n', failed));
    });

    private static LabOptions Options() => new() { Prefixes = [.. LabPrefixes.All, new LabPrefix("203.0.113.0/24", System.Net.IPAddress.Parse("203.0.113.7"))] };

    private static bool IsAsking(DocumentedCommand command) =>
        command.IsRequest || command.Calls().Any(call => Asking.Any(a => string.Join(' ', call).StartsWith(a, StringComparison.Ordinal)) || (call[0] == "plan" && !call.Contains("--snapshot")));

    private async Task CheckAsync(DocumentedMachine machine, DocumentedCommand line, List<string> failed)
    {
        if (line.Calls().Any(call => call[0] == "demo"))
        {
            // It takes its time, and is run with its result judged in continuous integration.
            string text = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, ".ci", "check-demo"));
            Assert.Contains(line.Text, text, StringComparison.Ordinal);
            return;
        }

        bool endless = line.Calls().Any(call => call[0] == "run");
        ShellResult result = endless
            ? await machine.TypeUntilItRunsAsync(line.Text)
            : await machine.TypeAsync(line.IsRequest ? "curl --fail-with-body -sS " + line.Text["curl ".Length..] : line.Text);
        output.WriteLine($"{line.Place}: {line.Text}\n  -> {result.ExitCode}, {result.Output.Length} characters: {result.Output.Split('\n')[0]}");
        bool complained = result.Error.Contains("egress-appliance:", StringComparison.Ordinal) || result.Error.Contains("Unhandled", StringComparison.Ordinal);
        bool notYet = result.ExitCode == 1 && NotYet.Any(n => line.Calls().Any(call => call[0] == n.Command) && result.Error.StartsWith(n.Complaint, StringComparison.Ordinal));
        if (!notYet && (result.ExitCode != 0 || complained))
        {
            failed.Add($"{line.Place}: `{line.Text}` ended with {result.ExitCode}\n{result.Output}{result.Error}");
        }
    }

    /// <summary>A router knows the neighbours that it has spoken to.</summary>
    private static async Task PingAsync(Lab lab)
    {
        foreach (string address in lab.Providers.SelectMany(p => (string[])[p.Ipv4, p.Ipv6]))
        {
            await lab.EdgeNetwork.RunAsync("ping", "-c", "1", "-W", "5", address);
        }
    }

    private static async Task<(int Code, string Complaint)> LintAsync(string metrics)
    {
        ShellResult result = await Shell.RunAsync(["promtool", "check", "metrics"], metrics);
        return (result.ExitCode, result.Output + result.Error);
    }
}
