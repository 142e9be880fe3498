using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;
using EgressAppliance.Tests.Documentation;

namespace EgressAppliance.SystemTests.Documentation;

/// <summary>
/// The router configurations of docs/routers.md, taken from the page. Those of FRR and BIRD are run: an override goes through their filter and carries the traffic, and a route without
/// our marker does not. All that a daemon of this machine can read is read by it.
/// </summary>
public sealed class RouterRecipeTests(ITestOutputHelper output)
{
    /// <summary>The default: local_as of the first router, then 64900.</summary>
    private const string Marker = "65000:64900";

    private static readonly MarkdownPage Page = MarkdownPage.Read("docs/routers.md");

    [DocumentationFact]
    public Task Frr_as_documented_takes_overrides() => RunAsync(EdgeSoftware.Frr, "frr");

    [DocumentationFact]
    public Task Bird_as_documented_takes_overrides() => RunAsync(EdgeSoftware.Bird, "bird");

    [DocumentationFact]
    public async Task Daemons_can_read_the_documented_configurations()
    {
        string folder = Directory.CreateTempSubdirectory("ealab-recipe-").FullName;
        try
        {
            // bgpd -C only logs a line that it does not know; vtysh has the grammars of all of FRR's daemons and fails.
            await File.WriteAllTextAsync(Path.Combine(folder, "vtysh.conf"), "");
            await ReadAsync("frr", "", file => ["vtysh", "--config_dir", folder, "-C", "-f", file]);
            await ReadAsync("bird", "router id 192.0.2.1;\nprotocol device { }\n", file => ["bird", "-p", "-c", file]);
            await ReadAsync("openbgpd", "", file => ["/usr/sbin/bgpd", "-n", "-f", file]);
            await ReadAsync("gobgp", "", file => ["gobgpd", "--dry-run", "-f", file]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task ReadAsync(string language, string before, Func<string, string[]> command)
        {
            string file = Path.Combine(folder, language);
            await File.WriteAllTextAsync(file, before + Recipe(language));
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            ShellResult good = await Shell.RunAsync(command(file));
            output.WriteLine($"{good.CommandLine}: {good.ExitCode}\n{good.Output}{good.Error}");
            Assert.Equal(0, good.ExitCode);

            // The same parser refuses what is wrong, so that its silence means something.
            await File.AppendAllTextAsync(file, "\nthis is = [no configuration\n");
            Assert.NotEqual(0, (await Shell.RunAsync(command(file))).ExitCode);
        }
    }

    private Task RunAsync(EdgeSoftware software, string language) => Lab.RunAsync(output, new LabOptions { Edge = software, ApplianceSection = Recipe(language) }, async lab =>
    {
        Scenario.SendLittle(lab);
        LabPrefix prefix = Scenario.Big[0];
        using (RunningAppliance marked = await RunningAppliance.StartAsync(lab, new ApplianceSettings { HoldSeconds = 1, MarkerCommunity = Marker }))
        {
            output.WriteLine((await marked.CommandAsync("override", "add", prefix.Prefix, lab.C.Link)).Checked());
            await Until.ValueAsync($"{prefix} by C", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.C.EdgeInterface, Scenario.Generous, output);
            Assert.Contains(await lab.Edge.GetPathsAsync(prefix), path => path.FromAppliance && path.Communities.Contains("no-export"));
            marked.Process.Signal(PosixSignalNumber.Terminate);
            Assert.Equal(0, await marked.Process.WaitForExitAsync(Scenario.Generous));
        }

        await Until.ValueAsync($"{prefix} by A again", () => lab.GetEgressInterfaceAsync(prefix), device => device == lab.A.EdgeInterface, Scenario.Generous, output);

        // The same with another marker, which the filter does not know: it is sent, and the router does not take it.
        using RunningAppliance unmarked = await RunningAppliance.StartAsync(lab, new ApplianceSettings { HoldSeconds = 1 });
        output.WriteLine((await unmarked.CommandAsync("override", "add", prefix.Prefix, lab.C.Link)).Checked());
        await Until.ValueAsync(
            "the override to be announced", async () => (await unmarked.GetAsync("bgp"))[0].GetProperty("overrides").GetInt32(), count => count == 1, Scenario.Generous, output);
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.DoesNotContain(await lab.Edge.GetPathsAsync(prefix), path => path.FromAppliance);
        Assert.Equal(lab.A.EdgeInterface, await lab.GetEgressInterfaceAsync(prefix));
    });

    private static string Recipe(string language) => Page.Code.Single(code => code.Language == language).Text;
}
