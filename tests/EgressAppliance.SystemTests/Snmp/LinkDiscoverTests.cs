using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Snmp;

/// <summary>
/// Links found by the providers' next hops on a router with net-snmp's agent: what <c>links discover</c> prints is a configuration that works as it stands, and one without
/// interfaces and matches works too.
/// </summary>
public sealed class LinkDiscoverTests(ITestOutputHelper output)
{
    [SystemFact]
    public Task Links_that_are_found_relieve_an_overload() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        string community = Path.Combine(lab.Folder, "discover-community");
        await File.WriteAllTextAsync(community, SnmpAgent.Community + "\n");
        File.SetUnixFileMode(community, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await PingAsync(lab);
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

    [SystemFact]
    public Task Links_of_which_only_the_next_hops_are_given_relieve_an_overload_and_follow_a_new_address() => Lab.RunAsync(output, new LabOptions(), async lab =>
    {
        string links = "links:\n" + string.Concat(lab.Providers.Select(
            provider => $"  - {{ name: {provider.Link}, router: {lab.Sites[0].Name}, next_hops: [{provider.Ipv4}, \"{provider.Ipv6}\"], overhead: {GroundTruth.OverheadBytes}B }}\n"));
        await PingAsync(lab);
        Scenario.SendTooMuch(lab);
        using RunningAppliance appliance = await RunningAppliance.StartAsync(lab, new ApplianceSettings { Links = links });
        await Scenario.AwaitOverridesAsync(lab, Scenario.BigNames, Scenario.ReliefLimit);
        await Scenario.AssertRelievedAsync(lab);
        Assert.Equal(
            lab.Providers.Select(provider => (provider.EdgeInterface, $"mac {provider.Mac}, found by SNMP")),
            (await appliance.GetAsync("links")).EnumerateArray().Select(link => (link.GetProperty("interface").GetString()!, link.GetProperty("match").GetString()!)));

        // The provider changes its card. The router sends to the new address as soon as it has asked for it; here it is made to at once.
        const string Card = "02:00:00:00:aa:02";
        await lab.A.Network.IpAsync($"link set dev to-edge address {Card}");
        await lab.EdgeNetwork.RunAsync("ip", "neigh", "flush", "dev", lab.A.EdgeInterface);
        await Until.ValueAsync(
            $"{lab.A.Link} to be matched by {Card}",
            async () => (await appliance.GetAsync("links"))[0].GetProperty("match").GetString(),
            match => match == $"mac {Card}, found by SNMP", Scenario.Generous, output);

        // By the mirror alone: the rate of A is there again, and nothing that is moved was given back for it meanwhile.
        await Until.ValueAsync(
            $"the mirror rate of {lab.A.Link} to be all of it again",
            async () => (await appliance.GetAsync("links"))[0].GetProperty("mirror_bps").GetInt64(),
            rate => rate is >= 7_000_000 and <= 9_500_000, Scenario.Generous, output);
        Assert.Equal(Scenario.BigNames, await lab.Edge.GetOverridesAsync());
    });

    /// <summary>A router knows the neighbours that it has spoken to.</summary>
    private static async Task PingAsync(Lab lab)
    {
        foreach (Provider provider in lab.Providers)
        {
            await lab.EdgeNetwork.RunAsync("ping", "-c", "1", "-W", "5", provider.Ipv4);
            await lab.EdgeNetwork.RunAsync("ping", "-c", "1", "-W", "5", provider.Ipv6);
        }
    }
}
