using EgressAppliance.Host.Config;
using EgressAppliance.Host.Demo;
using EgressAppliance.Simulator;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Tests.Demo;

public sealed class DemoConfigTests
{
    [Fact]
    public async Task Text_of_the_configuration_is_one_that_says_what_is_in_force()
    {
        await using SimulatedNetwork network = new(SurgeScenario.Endless, 1);
        ApplianceConfig config = DemoConfig.Build(network, new DemoOptions { HttpPort = 0 });
        string folder = Directory.CreateTempSubdirectory("egress-demo-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "community"), "public\n");
            string file = Path.Combine(folder, "appliance.yaml");

            // A router that is this machine, and any port that is free, are what only the demo may have.
            await File.WriteAllTextAsync(file, config.Source!.Effective.Replace("    address: 127.0.0.1", "    address: 192.0.2.1", StringComparison.Ordinal)
                .Replace("local_address: 127.0.0.1", "local_address: 192.0.2.2", StringComparison.Ordinal)
                .Replace("127.0.0.1:0", "127.0.0.1:8080", StringComparison.Ordinal));
            ApplianceConfig loaded = ConfigLoader.Load(file).Config!;
            Assert.Equal(config.Decision.ReleaseWindow, loaded.Decision.ReleaseWindow);
            Assert.Equal((config.Decision.Cycle, config.Decision.MaxShare, config.Decision.MinPrefixShare), (loaded.Decision.Cycle, loaded.Decision.MaxShare, loaded.Decision.MinPrefixShare));
            Assert.Equal(config.Links.Select(l => (l.Name, l.MatchMac, l.OverheadBytes)), loaded.Links.Select(l => (l.Name, l.MatchMac, l.OverheadBytes)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
