using EgressAppliance.Host.Config;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Configuration;

/// <summary>What the sections <c>role</c> and <c>cluster</c> become; their errors are in tests/data/config/cluster-*.</summary>
public sealed class ClusterConfigTests
{
    [Fact]
    public void Controller_is_mapped_whole()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("cluster-controller");
        ApplianceConfig config = ConfigLoader.Load(folder.File).Config!;
        Assert.Equal((ApplianceRole.Controller, "ctl1", ApplianceMode.Observe), (config.Role, config.Box, config.Mode));
        ClusterConfig cluster = config.Cluster!;
        Assert.Equal([("rabbit1.example.net", 5671), ("2001:db8::7", 5999), ("192.0.2.77", 5671)], cluster.Brokers);
        Assert.Equal(("egress", "secret", "/"), (cluster.User, cluster.Password, cluster.VirtualHost));
        Assert.Equal(Path.Combine(folder.Path, "ca"), cluster.Tls!.CaFile);
        Assert.Contains("Host=db1,db2", cluster.Database, StringComparison.Ordinal);

        // The longest hold time is that of the second router, 9 s by default.
        Assert.Equal((TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1)), (cluster.Lease, cluster.Grace));
        Assert.Equal(["col1 0 m1", "col2 0 m1", "col3 1 "], cluster.Collectors.Select(c => $"{c.Box} {string.Join(',', c.Links)} {c.Mirror}"));
        Assert.Equal(0, config.Decision.CycleJitter);
        Assert.Empty(config.Capture.Sources);
        Assert.DoesNotContain("secret", cluster.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            [TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(4.5)],
            SpeakerOptions.From(config, new LinkDirectory(config.Links)).Peers.Select(p => p.UnacknowledgedTimeout!.Value));
    }

    [Fact]
    public void Collector_observes_whatever_the_file_says()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("cluster-collector");
        ApplianceConfig config = ConfigLoader.Load(folder.File).Config!;
        Assert.Equal((ApplianceRole.Collector, ApplianceMode.Observe), (config.Role, config.Mode));
        Assert.Matches("^[A-Za-z0-9_-]{1,64}$", config.Box);
        Assert.Equal([("localhost", 5672)], config.Cluster!.Brokers);
        Assert.Null(config.Cluster.Database);
        Assert.All(SpeakerOptions.From(config, new LinkDirectory(config.Links)).Peers, p => Assert.Null(p.UnacknowledgedTimeout));
    }

    [Fact]
    public void Hash_is_of_what_boxes_must_agree_on()
    {
        using ConfigFolder one = ConfigFolder.OfCase("cluster-controller"), two = ConfigFolder.OfCase("cluster-collector");
        ApplianceConfig controller = ConfigLoader.Load(one.File).Config!, collector = ConfigLoader.Load(two.File).Config!;
        Assert.Equal(ClusterHash.Of(controller), ClusterHash.Of(collector));
        Assert.Matches("^[0-9a-f]{16}$", ClusterHash.Of(controller));
        foreach (ApplianceConfig other in (ApplianceConfig[])
        [
            controller with { Site = "ams1" },
            controller with { Links = [controller.Links[0]] },
            controller with { Links = [controller.Links[0] with { OverheadBytes = 38 }, controller.Links[1]] },
            controller with { Links = [controller.Links[0] with { NextHops = [IpAddr.Parse("100.64.9.2")] }, controller.Links[1]] },
            controller with { Decision = controller.Decision with { Cycle = TimeSpan.FromSeconds(1) } },
        ])
        {
            Assert.NotEqual(ClusterHash.Of(controller), ClusterHash.Of(other));
        }

        Assert.Equal(ClusterHash.Of(controller), ClusterHash.Of(controller with { Links = [controller.Links[0] with { Threshold = 0.5, CapacityBps = 7 }, controller.Links[1]] }));
    }

    [Theory]
    [InlineData("cluster-scaling-collector")]
    [InlineData("cluster-scaling-controller")]
    public void Files_of_the_documentation_are_good(string name)
    {
        using ConfigFolder folder = ConfigFolder.OfCase(name);
        Assert.NotNull(ConfigLoader.Load(folder.File).Config);
        string text = File.ReadAllText(folder.File).TrimEnd();
        Assert.Contains($"```yaml\n{text}\n```", File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "scaling.md")), StringComparison.Ordinal);
    }
}
