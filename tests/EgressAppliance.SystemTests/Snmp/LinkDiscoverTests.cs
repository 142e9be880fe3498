using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Snmp;

/// <summary>The command <c>links discover</c> against a router with net-snmp's agent: what it prints is a configuration that works as it stands.</summary>
public sealed class LinkDiscoverTests(ITestOutputHelper output)
{
    [SystemFact]
    public Task Links_that_are_found_relieve_an_overload() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        string community = Path.Combine(lab.Folder, "discover-community");
        await File.WriteAllTextAsync(community, SnmpAgent.Community + "\n");
        File.SetUnixFileMode(community, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (Provider provider in lab.Providers)
        {
            // A router knows the neighbours that it has spoken to.
            await lab.EdgeNetwork.RunAsync("ping", "-c", "1", "-W", "5", provider.Ipv4);
            await lab.EdgeNetwork.RunAsync("ping", "-c", "1", "-W", "5", provider.Ipv6);
        }

        string[] command =
        [
            ApplianceCommand.Path, "links", "discover", "--router", lab.Sites[0].Name, "--host", lab.Sites[0].Address, "--community-file", community,
            .. lab.Providers.Select(provider => $"{provider.Link}={provider.Ipv4},{provider.Ipv6}"),
        ];

        // The agent keeps its table of neighbours for some seconds.
        string links = "";
        await Until.TrueAsync(
            "all links to be found",
            async () =>
            {
                ShellResult result = await Shell.RunAsync(lab.ApplianceNetwork.Command(command));
                links = result.Output;
                return result.ExitCode == 0;
            },
            Scenario.Generous, output);
        output.WriteLine(links);
        Assert.All(lab.Providers, provider =>
        {
            Assert.Contains($"interface: \"{provider.EdgeInterface}\"", links, StringComparison.Ordinal);
            Assert.Contains($"mac: \"{provider.Mac}\"", links, StringComparison.Ordinal);
        });

        Scenario.SendTooMuch(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { Links = links });
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.ReliefLimit);
        await Scenario.AssertRelievedAsync(lab);
    });
}
