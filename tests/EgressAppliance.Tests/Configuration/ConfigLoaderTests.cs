using System.Net;
using EgressAppliance.Host.Config;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Configuration;

public sealed class ConfigLoaderTests
{
    [Fact]
    public void Load_full_example_maps_every_key()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("full");
        ApplianceConfig config = ConfigLoader.Load(folder.File).Config!;

        Assert.Equal("fra1", config.Site);
        Assert.Equal(ApplianceMode.Observe, config.Mode);

        CaptureSourceConfig source = Assert.Single(config.Capture.Sources);
        Assert.Equal("mir0", source.Interface);
        Assert.Equal(64L << 20, source.RingBytes);
        Assert.Equal(1 << 20, source.BlockBytes);
        Assert.Equal(2, source.Workers);
        Assert.Equal([2, 3], source.Cpus);
        Assert.Equal("ip or ip6 or vlan", source.Filter);

        RouterConfig router = Assert.Single(config.Routers);
        Assert.Equal(IPAddress.Parse("192.0.2.1"), router.Address);
        Assert.Equal(65000u, router.Bgp.PeerAs);
        Assert.Equal(TimeSpan.FromSeconds(9), router.Bgp.HoldTime);
        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], router.Bgp.Families);
        Assert.Equal("secret", router.Bgp.Password);
        Assert.Equal("public", router.Snmp!.Community);
        Assert.Equal(TimeSpan.FromSeconds(10), router.Snmp.Poll);

        LinkConfig link = Assert.Single(config.Links);
        Assert.Equal(new LinkId(1), link.Id);
        Assert.Equal([IpAddr.Parse("100.64.1.2"), IpAddr.Parse("2001:db8:ff:1::2")], link.NextHops);
        Assert.Equal(new MacAddress(0x020000000a02), link.MatchMac);
        Assert.Null(link.CapacityBps);
        Assert.Equal((0.95, 0.90, 0.85), (link.Threshold, link.Ceiling, link.Release));
        Assert.Equal(18, link.OverheadBytes);
        Assert.Equal(2_000_000_000, link.CommitBps);
        Assert.Equal(0.35, link.PricePerMbit);

        Assert.Equal(TimeSpan.FromSeconds(90), config.Decision.Hold);
        Assert.Equal(0.001, config.Decision.MinPrefixShare, 9);
        Assert.Equal(65000u << 16 | 666, config.Decision.MarkerCommunity);
        Assert.Equal("match: { prefix: 203.0.113.0/24 }, action: deny", Assert.Single(config.Decision.Policies).ToString());
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 8080), config.Http.Listen);
    }

    [Fact]
    public void Load_minimal_gives_the_defaults_of_the_records()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        ApplianceConfig config = ConfigLoader.Load(folder.File).Config!;

        // The records' initialisers serve code that makes options without a file; they must not drift from the documented defaults.
        CaptureSourceConfig source = config.Capture.Sources[0];
        Assert.Equal(new CaptureSourceConfig { Interface = "mir0", Cpus = source.Cpus }, source);
        BgpConfig bgp = config.Routers[0].Bgp;
        Assert.Equal(new BgpConfig { LocalAddress = bgp.LocalAddress, LocalAs = 65000, PeerAs = 65000, Families = bgp.Families }, bgp);
        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], bgp.Families);
        Assert.Equal(new SnmpConfig { Community = "public" }, config.Routers[0].Snmp);
        LinkConfig link = config.Links[0];
        Assert.Equal(
            new LinkConfig { Id = link.Id, Name = "isp-a", Router = "edge1", Interface = "prov-a", NextHops = link.NextHops, MatchMac = link.MatchMac },
            link);
        Assert.Equal(
            new DecisionConfig { MarkerCommunity = 65000u << 16 | 64900, Policies = config.Decision.Policies }, config.Decision);
        Assert.Equal(new HttpConfig(), config.Http);
        Assert.Equal(new HistoryConfig { Path = "/var/lib/egress-appliance/history.db" }, config.History with { Sinks = [] });
    }

    [Fact]
    public void Load_journal_lies_beside_the_history()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(text => text + "history: { path: var/history.db, journal: false, journal_size: 32MiB }\n");
        Assert.Equal(
            new HistoryConfig
            {
                Path = Path.Combine(folder.Path, "var", "history.db"),
                Journal = false,
                JournalFolder = Path.Combine(folder.Path, "var", "journal"),
                AuditFile = Path.Combine(folder.Path, "var", "audit.jsonl"),
                BillingFile = Path.Combine(folder.Path, "var", "billing.json"),
                JournalBytes = 32 << 20,
            },
            ConfigLoader.Load(folder.File).Config!.History with { Sinks = [] });
    }

    [Fact]
    public void Load_history_without_samples_and_with_sinks()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(text => text + """
            history:
              enabled: false
              sinks:
                - { kind: postgresql, connection_file: community }
                - { kind: clickhouse, name: copy, url: "https://clickhouse.example.net:8443", user: egress }

            """);
        HistoryConfig history = ConfigLoader.Load(folder.File).Config!.History;
        Assert.Equal("", history.Path);
        Assert.Equal(
            [
                new HistorySinkConfig { Name = "postgresql", Kind = HistorySinkKind.Postgresql, Connection = "public" },
                new HistorySinkConfig { Name = "copy", Kind = HistorySinkKind.Clickhouse, Url = new Uri("https://clickhouse.example.net:8443"), User = "egress" },
            ],
            history.Sinks);
    }

    [Fact]
    public void Load_relative_paths_start_at_the_file()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(t => t
            .Replace("{ interface: mir0 }", "{ backend: pcap_file, file: mirror.pcap }", StringComparison.Ordinal)
            .Replace("match: { mac: \"02:00:00:00:0a:02\" }", "match: { vlan: 7, source: mirror.pcap }", StringComparison.Ordinal)
            + "http: { socket: run/api.sock, listen: \"[::1]:9000\" }\n");
        folder.Write("mirror.pcap", "");
        ConfigResult result = ConfigLoader.Load(folder.File);

        Assert.Empty(result.Errors);
        string file = Path.Combine(folder.Path, "mirror.pcap");
        Assert.Equal(file, result.Config!.Capture.Sources[0].File);
        Assert.Equal(file, result.Config.Links[0].MatchSource);
        Assert.Equal(Path.Combine(folder.Path, "run/api.sock"), result.Config.Http.Socket);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Loopback, 9000), result.Config.Http.Listen);
    }

    [Theory]
    [InlineData("/dev/null", "'version' is missing")]
    [InlineData("/dev/zero", "larger than 1 MiB")]
    [InlineData("/", "this is a directory")]
    [InlineData("/nonexistent/appliance.yaml", "there is no such file")]
    public void Load_odd_path_is_an_error(string path, string message)
    {
        ConfigResult result = ConfigLoader.Load(path);
        Assert.Null(result.Config);
        Assert.Contains(result.Errors, e => e.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_file_of_another_system_is_fine()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(t => "\uFEFF" + t.Replace("\n", "\r\n", StringComparison.Ordinal));
        folder.Write("community", "public\r\n");
        Assert.Equal("public", ConfigLoader.Load(folder.File).Config?.Routers[0].Snmp?.Community);
    }

    [Fact]
    public void Load_scalar_that_upsets_the_parser_is_an_error()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(t => t.Replace("[100.64.1.2]", "[:]", StringComparison.Ordinal));
        Assert.NotEmpty(ConfigLoader.Load(folder.File).Errors);
    }

    [Fact]
    public void Load_binary_file_is_an_error()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        File.WriteAllBytes(folder.File, [0xff, 0xfe, 0x00, 0x80]);
        Assert.Equal("the file is not UTF-8 text", Assert.Single(ConfigLoader.Load(folder.File).Errors).Message);
    }

    [Fact]
    public void Load_deep_nesting_is_an_error()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(_ => "version: 1\nsite: " + new string('[', 900_000));
        Assert.Contains("32 levels", Assert.Single(ConfigLoader.Load(folder.File).Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_damaged_file_never_throws()
    {
        const string Special = "{}[]:,-#&*!|>'\"%@`\t\n ?~0a";
        using ConfigFolder folder = ConfigFolder.OfCase("full");
        string text = File.ReadAllText(folder.File);
        Random random = new(20260101);
        for (int round = 0; round < 300; round++)
        {
            char[] damaged = text.ToCharArray();
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                damaged[random.Next(damaged.Length)] = Special[random.Next(Special.Length)];
            }

            folder.Write("in.yaml", new string(damaged));
            ConfigResult result = ConfigLoader.Load(folder.File);
            Assert.Equal(result.Config is null, result.Errors.Count > 0);
            Assert.All(result.Errors, e => Assert.True(e.Line >= 1 && e.Column >= 1 && e.Message.Length > 0 && e.Remedy.Length > 0));
        }
    }

    [Fact]
    public void Load_any_cut_of_the_file_gives_errors_and_never_throws()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("full");
        string text = File.ReadAllText(folder.File);
        int good = 0;
        for (int length = 0; length < text.Length; length += 7)
        {
            folder.Write("in.yaml", text[..length]);
            ConfigResult result = ConfigLoader.Load(folder.File);
            good += result.Config is null ? 0 : 1;
            Assert.Equal(result.Config is null, result.Errors.Count > 0);
        }

        Assert.True(good > 0, "the file is good from its links on");
    }
}
