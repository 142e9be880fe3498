using EgressAppliance.Cluster.Leases;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Support;
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
    [InlineData("rabbit1", "rabbit1", 5672)]
    [InlineData("rabbit1.example.net:5671", "rabbit1.example.net", 5671)]
    [InlineData("192.0.2.7:65535", "192.0.2.7", 65535)]
    [InlineData("[2001:db8::7]", "2001:db8::7", 5672)]
    [InlineData("[2001:db8::7]:1", "2001:db8::7", 1)]
    public void Broker_is_a_host_with_or_without_a_port(string text, string host, int port)
    {
        using ConfigFolder folder = Collector(c => c.Replace("[localhost]", $"[\"{text}\"]", StringComparison.Ordinal));
        Assert.Equal([(host, port)], ConfigLoader.Load(folder.File).Config!.Cluster!.Brokers);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":5672")]
    [InlineData("rabbit1:")]
    [InlineData("rabbit1:65536")]
    [InlineData("rabbit1:-1")]
    [InlineData("rabbit 1")]
    [InlineData("amqp://rabbit1")]
    [InlineData("egress@rabbit1")]
    [InlineData("2001:db8::7")]
    [InlineData("[2001:db8::7")]
    [InlineData("[2001:db8::7]5672")]
    [InlineData("[rabbit1]:5672")]
    [InlineData("[]:5672")]
    public void Broker_that_is_none_is_refused_with_a_remedy(string text)
    {
        using ConfigFolder folder = Collector(c => c.Replace("[localhost]", $"[\"{text}\"]", StringComparison.Ordinal));
        ConfigError error = Assert.Single(ConfigLoader.Load(folder.File).Errors);
        Assert.StartsWith("'cluster.brokers[0]': ", error.Message, StringComparison.Ordinal);
        Assert.Contains("[2001:db8::1]:5671", error.Remedy, StringComparison.Ordinal);
    }

    /// <summary>What the parser says of them may quote the password.</summary>
    [Theory]
    [InlineData("hunter2")]
    [InlineData("Host=db1;Password=hunter2;Hunter2=1")]
    [InlineData("Host=db1;Port=hunter2")]
    [InlineData("Host=db1;Port=99999999999;Password=hunter2")]
    [InlineData("Host=db1;Port=-1;Password=hunter2")]
    [InlineData("Host=db1;Timeout=-5;Password=hunter2")]
    [InlineData("Host=db1;SSL Mode=hunter2")]
    [InlineData("Host=db1;Password='hunter2")]
    [InlineData("Host=;Password=hunter2")]
    [InlineData("Password=hunter2")]
    [InlineData("=hunter2;")]
    [InlineData("postgres://egress:hunter2@db1/egress")]
    public void Connection_string_that_is_none_is_refused_and_not_quoted(string text)
    {
        using ConfigFolder folder = ConfigFolder.OfCase("cluster-controller");
        folder.Write("database", text);
        ConfigError error = Assert.Single(ConfigLoader.Load(folder.File).Errors);
        Assert.Equal("'cluster.database_file': 'database' holds no connection string", error.Message);
        Assert.DoesNotContain("unter2", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fra1-col1", "fra1-col1")]
    [InlineData("fra1.example.net", "fra1")]
    [InlineData("büro 1", "b-ro-1")]
    [InlineData(".example.net", "box")]
    [InlineData("", "box")]
    [InlineData("a23456789-123456789-123456789-123456789-123456789-123456789-1234-too-long", "a23456789-123456789-123456789-123456789-123456789-123456789-1234")]
    public void Box_is_named_after_its_host(string host, string box)
    {
        Assert.Equal(box, BoxName.OfHost(host));
        Assert.Null(ConfigType.Identifier.Parse(box).Problem);
    }

    [Theory]
    [InlineData(3, 8)]
    [InlineData(9, 20)]
    [InlineData(196, 300)]
    public void Default_lease_outlasts_every_hold_time_that_is_taken(int hold, int lease)
    {
        using ConfigFolder folder = Controller(c => c.Replace("hold_time: 3s", $"hold_time: {hold}s", StringComparison.Ordinal).Replace("192.0.2.6, local_as: 65000", $"192.0.2.6, local_as: 65000, hold_time: {hold}s", StringComparison.Ordinal));
        TimeSpan taken = ConfigLoader.Load(folder.File).Config!.Cluster!.Lease;
        Assert.Equal(TimeSpan.FromSeconds(lease), taken);
        Assert.True(taken >= LeaseOptions.LeastTerm(TimeSpan.FromSeconds(1.5 * hold), TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData("16s", true)]
    [InlineData("15s", false)]
    public void Lease_that_routes_may_outlast_is_refused(string lease, bool good)
    {
        using ConfigFolder folder = Controller(c => c.Replace("  grace: 1s", $"  lease: {lease}", StringComparison.Ordinal));
        ConfigResult result = ConfigLoader.Load(folder.File);
        Assert.Equal(good, result.Config is not null);
        Assert.Equal(good ? [] : ["'cluster.lease': 15s is too short"], result.Errors.Select(e => e.Message[..33]));
    }

    [Theory]
    [InlineData("1s", 400)]
    [InlineData("4s", 1600)]
    [InlineData("5s", 2000)]
    [InlineData("30s", 2000)]
    public void Default_grace_leaves_most_of_the_cycle(string cycle, int grace)
    {
        using ConfigFolder folder = Controller(c => c.Replace("  grace: 1s\n", "", StringComparison.Ordinal) + $"decision: {{ cycle: {cycle}, lease: 3m }}\n");
        Assert.Equal(TimeSpan.FromMilliseconds(grace), ConfigLoader.Load(folder.File).Config!.Cluster!.Grace);
    }

    [Fact]
    public void Controller_asks_no_router_for_the_addresses_by_which_collectors_know_frames()
    {
        const string Match = ", match: { source: mir9 }";
        using ConfigFolder controller = Controller(c => c.Replace(Match, "", StringComparison.Ordinal)), collector = Collector(c => c.Replace(Match, "", StringComparison.Ordinal));
        Assert.Equal([false, false], ConfigLoader.Load(controller.File).Config!.Links.Select(l => l.FindsMac));
        Assert.Equal([false, true], ConfigLoader.Load(collector.File).Config!.Links.Select(l => l.FindsMac));
    }

    [Fact]
    public void Tls_with_the_authorities_of_the_system_needs_no_file()
    {
        using ConfigFolder folder = Controller(c => c.Replace("{ ca_file: ca }", "{}", StringComparison.Ordinal));
        ClusterConfig cluster = ConfigLoader.Load(folder.File).Config!.Cluster!;
        Assert.Equal(new BrokerTlsConfig(), cluster.Tls);
        Assert.Equal(5671, cluster.Brokers[0].Port);
    }

    [Fact]
    public void Collector_in_the_list_of_a_shared_file_is_told_nothing()
    {
        using ConfigFolder folder = Collector(c => c.Replace("mode: inject", "box: col1", StringComparison.Ordinal)
            .Replace("  brokers", "  collectors: [ { box: col1, links: [isp-a] }, { box: col2, links: [isp-b] } ]\n  brokers", StringComparison.Ordinal));
        ConfigResult result = ConfigLoader.Load(folder.File);
        Assert.Empty(result.Warnings);
        Assert.Equal(["col1", "col2"], result.Config!.Cluster!.Collectors.Select(c => c.Box));
    }

    [Fact]
    public void Secrets_of_a_file_with_errors_are_known_to_the_filter()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("cluster-role-wrong");
        ConfigResult result = ConfigLoader.Load(folder.File);
        Assert.Null(result.Config);
        Assert.Equal("said (secret) twice", SecretFilter.Of(result.Partial, folder.Path).Clean("said s3cret twice"));
    }

    [Theory]
    [InlineData("Password=hunter2", "hunter2")]
    [InlineData("pwd = 'hun;ter2';Port=5432", "hun;ter2")]
    [InlineData("PSW=\"hun;ter2\"", "hun;ter2")]
    public void Password_of_the_database_is_known_to_the_filter_alone(string part, string password)
    {
        using ConfigFolder folder = ConfigFolder.OfCase("cluster-controller");
        folder.Write("broker", "another");
        folder.Write("database", "Host=db1;Username=egress;" + part);
        string clean = SecretFilter.Of(ConfigLoader.Load(folder.File).Partial, folder.Path).Clean($"refused {password} of db1");
        Assert.Equal("refused (secret) of db1", clean);
    }

    private static ConfigFolder Controller(Func<string, string> change) => Changed("cluster-controller", change);

    private static ConfigFolder Collector(Func<string, string> change) => Changed("cluster-collector", change);

    private static ConfigFolder Changed(string name, Func<string, string> change)
    {
        ConfigFolder folder = ConfigFolder.OfCase(name);
        string text = File.ReadAllText(folder.File), changed = change(text);
        Assert.NotEqual(text, changed);
        folder.Write("in.yaml", changed);
        return folder;
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
