using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;
using EgressAppliance.Snmp;
using EgressAppliance.Tests.Configuration;
using EgressAppliance.Tests.Interfaces;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Cli;

public sealed class LinkDiscoverCommandTests : IAsyncDisposable
{
    private static readonly byte[] MacA = [2, 0, 0, 0, 0x0a, 2];
    private static readonly byte[] MacB = [2, 0, 0, 0, 0x0b, 2];
    private readonly FakeRouter _router = new(new ManualTimeProvider());
    private readonly CliRunner _cli = new();
    private readonly ConfigFolder _folder = ConfigFolder.Minimal();

    public LinkDiscoverCommandTests()
    {
        _router.AddInterface(3, "prov-a", 0, mbps: 10_000);
        _router.AddInterface(4, "prov b: \"x\"", 0, mbps: 1000, status: OperStatus.Down);
        _router.AddNeighbour(3, "100.64.1.2", MacA);
        _router.AddNeighbour(3, "2001:db8:ff:1::2", MacA);
        _router.AddNeighbour(4, "100.64.2.2", MacB, media: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Discover_known_neighbours_prints_links_that_load()
    {
        Assert.Equal(0, await RunAsync("isp-a=100.64.1.2,2001:db8:ff:1::2", "isp-b=100.64.2.2"));
        Assert.Equal(
            """
            links:
              - name: isp-a
                router: edge1
                interface: "prov-a"
                next_hops: ["100.64.1.2", "2001:db8:ff:1::2"]
                match: { mac: "02:00:00:00:0a:02" }
                capacity: auto  # 10.0 Gbit/s, Up
              - name: isp-b
                router: edge1
                interface: "prov b: \u0022x\u0022"
                next_hops: ["100.64.2.2"]
                match: { mac: "02:00:00:00:0b:02" }
                capacity: auto  # 1.00 Gbit/s, Down

            """,
            _cli.Out);

        string before = File.ReadAllText(_folder.File);
        File.WriteAllText(_folder.File, before[..before.IndexOf("links:", StringComparison.Ordinal)] + _cli.Out);
        ConfigResult loaded = ConfigLoader.Load(_folder.File);
        Assert.Empty(loaded.Errors);
        Assert.Equal(["prov-a", "prov b: \"x\""], loaded.Config!.Links.Select(l => l.Interface));
        Assert.Equal(MacAddress.FromBytes(MacA), loaded.Config.Links[0].MatchMac);
    }

    [Fact]
    public async Task Discover_unknown_next_hop_is_a_comment_with_what_to_do()
    {
        Assert.Equal(1, await RunAsync("isp-c=192.0.2.99"));
        Assert.Contains("# isp-c: 192.0.2.99 is not among the router's neighbours: ping it from the router", _cli.Out, StringComparison.Ordinal);
        Assert.All(_cli.Out.Split('\n').Skip(1), line => Assert.True(line.Length == 0 || line.StartsWith("  #", StringComparison.Ordinal), line));
    }

    [Fact]
    public async Task Discover_what_is_in_doubt_is_named()
    {
        _router.AddNeighbour(4, "100.64.1.3", MacB);
        _router.AddNeighbour(3, "100.64.3.2", MacA);
        Assert.Equal(1, await RunAsync("--json", "two=100.64.1.2,100.64.1.3", "same=100.64.3.2", "isp-a=100.64.1.2"));
        using JsonDocument report = JsonDocument.Parse(_cli.Out);
        string[][] problems = [.. report.RootElement.GetProperty("links").EnumerateArray().Select(l => l.GetProperty("problems").EnumerateArray().Select(p => p.GetString()!).ToArray())];
        Assert.Collection(
            problems[0],
            p => Assert.Contains("several interfaces (ifIndex 3, 4)", p, StringComparison.Ordinal),
            p => Assert.Contains("02:00:00:00:0a:02, 02:00:00:00:0b:02", p, StringComparison.Ordinal));
        Assert.Contains("isp-a has the same MAC address", Assert.Single(problems[1]), StringComparison.Ordinal);
        Assert.Contains("same has the same MAC address", Assert.Single(problems[2]), StringComparison.Ordinal);
        Assert.False(report.RootElement.GetProperty("links")[0].TryGetProperty("mac", out _));
    }

    [Fact]
    public async Task Discover_rows_that_are_none_are_passed_over()
    {
        Set(NeighbourTable.IpNetToPhysicalPhysAddress.Append(3, 1, 4, 100, 64, 7, 300), MacA);
        Set(NeighbourTable.IpNetToPhysicalPhysAddress.Append(3, 1, 5, 100, 64, 7, 2), MacA);
        Set(NeighbourTable.IpNetToPhysicalPhysAddress.Append(3, 16, 4, 100, 64, 7, 2), MacA);
        Set(NeighbourTable.IpNetToPhysicalPhysAddress.Append(3, 1, 4, 100, 64, 8, 2), [1, 2, 3]);
        Set(NeighbourTable.IpNetToPhysicalPhysAddress.Append(3, 1, 4, 100, 64, 9, 2), new byte[6]);
        Set(NeighbourTable.IpNetToPhysicalPhysAddress.Append(3, 3, 8, 100, 64, 10, 2, 0, 0, 0, 1), MacB);
        Assert.Equal(1, await RunAsync("a=100.64.7.2", "b=100.64.8.2", "c=100.64.9.2"));
        Assert.Equal(3, _cli.Out.Split("is not among").Length - 1);
        Assert.Equal(0, await RunAsync("d=100.64.10.2"));
    }

    [Theory]
    [InlineData("isp-a", "is not NAME=NEXT_HOP")]
    [InlineData("isp a=100.64.1.2", "is not NAME=NEXT_HOP")]
    [InlineData("isp-a=100.64.1", "is not an address")]
    [InlineData("isp-a=100.64.1.2,", "is not an address")]
    public async Task Discover_what_is_no_wish_is_refused(string wish, string message)
    {
        Assert.Equal(2, await RunAsync(wish));
        Assert.Contains(message, _cli.Error, StringComparison.Ordinal);
    }

    private Task<int> RunAsync(params string[] args) => _cli.RunAsync(
        [
            "links", "discover", "--router", "edge1", "--host", "127.0.0.1",
            "--port", _router.Config().Snmp!.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--community-file", Community(), .. args,
        ]);

    private string Community()
    {
        string path = Path.Combine(_folder.Path, "secret");
        File.WriteAllText(path, "s3cret\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private void Set(ObjectIdentifier name, byte[] value) => _router.Mib.Set(name, SnmpValue.OctetString(value));
}
