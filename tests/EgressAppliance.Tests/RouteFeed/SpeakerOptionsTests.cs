using System.Net;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;
using EgressAppliance.Tests.Configuration;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.RouteFeed;

public sealed class SpeakerOptionsTests
{
    [Theory]
    [InlineData("192.0.2.1", 0xC0000201)]
    [InlineData("2001:db8::1", 0x80000001)]
    [InlineData("2001:db8::", 0x80000000)]
    [InlineData("2001:db8::c000:201", 0xC0000201)]
    public void RouterId_is_the_IPv4_address_or_made_from_the_last_octets(string address, uint expected) =>
        Assert.Equal(expected, SpeakerOptions.RouterId(IPAddress.Parse(address)));

    [Fact]
    public void From_maps_peers_listeners_and_limits()
    {
        RouterConfig first = Bench.Router("edge1", snmp: false);
        RouterConfig second = Bench.Router("edge2", snmp: false) with
        {
            Address = IPAddress.Parse("192.0.2.9"),
            Bgp = first.Bgp with { Passive = true, Password = "k3y", MaxPrefix = 7 },
        };
        RouterConfig silent = first with { Name = "edge3", Bgp = first.Bgp with { ListenPort = 0, LocalAddress = IPAddress.Parse("192.0.2.2") } };
        ApplianceConfig config = new()
        {
            Routers = [first, second, silent],
            Links = [Bench.MakeLink(1, "a", "100.64.1.2")],
            Decision = new DecisionConfig { MaxOverrides = 10, MaxMovesPerCycle = 3, Cycle = TimeSpan.FromSeconds(5), MarkerCommunity = 42 },
        };
        BgpSpeakerOptions options = SpeakerOptions.From(config, new LinkDirectory(config.Links));
        Assert.Equal(["edge1", "edge2", "edge3"], options.Peers.Select(p => p.Name));
        Assert.Equal((true, "k3y", 7, IPAddress.Parse("192.0.2.9")),
            (options.Peers[1].Passive, options.Peers[1].Password, options.Peers[1].MaxPrefix, options.Peers[1].RemoteAddress));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 179), Assert.Single(options.Listen));
        Assert.Contains(IpAddr.Parse("192.0.2.2"), options.OwnAddresses);
        Assert.Contains(IpAddr.Parse("127.0.0.1"), options.OwnAddresses);
        Assert.Equal(IpAddr.Parse("100.64.1.2"), Assert.Single(options.AllowedNextHops));
        Assert.Equal((13, 42u, TimeSpan.FromSeconds(15)), (options.MaxOverrides, options.MarkerCommunity, options.HeartbeatTimeout));
    }

    [Fact]
    public void From_a_file_maps_every_key_of_the_sessions()
    {
        using ConfigFolder folder = ConfigFolder.OfCase("bgp-session");
        ApplianceConfig config = ConfigLoader.Load(folder.File).Config!;
        BgpSpeakerOptions options = SpeakerOptions.From(config, new LinkDirectory(config.Links));
        Assert.Equal((0xC6336407u, 0, TimeSpan.FromSeconds(30)), (options.RouterId, options.MaxAnnouncementsPerSecond, options.QuietTime));
        Assert.Equal("maintenance: ask noc@example.net, Straße 5", options.ShutdownText);
        BgpPeerOptions peer = Assert.Single(options.Peers);
        Assert.Equal((true, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1)), (peer.TtlSecurity, peer.ConnectRetry, peer.SendHoldTime));
        Assert.Equal((4_000_000, 0.9, (int?)1008), (peer.MaxPrefix, peer.MaxPrefixWarning, peer.PeerAcceptsAtMost));
    }

    [Fact]
    public void Defaults_of_the_file_are_those_of_the_speaker()
    {
        using ConfigFolder folder = ConfigFolder.Minimal();
        ApplianceConfig config = ConfigLoader.Load(folder.File).Config!;
        BgpSpeakerOptions options = SpeakerOptions.From(config, new LinkDirectory(config.Links));
        BgpPeerOptions mapped = Assert.Single(options.Peers);
        BgpPeerOptions plain = new() { Name = "edge1", RemoteAddress = IPAddress.Loopback, LocalAs = 1, PeerAs = 1 };
        Assert.Equal(
            (plain.TtlSecurity, plain.ConnectRetry, plain.SendHoldTime, plain.HoldTime, plain.MaxPrefix, plain.MaxPrefixWarning, plain.PeerAcceptsAtMost),
            (mapped.TtlSecurity, mapped.ConnectRetry, mapped.SendHoldTime, mapped.HoldTime, mapped.MaxPrefix, mapped.MaxPrefixWarning, mapped.PeerAcceptsAtMost));
        BgpSpeakerOptions own = new()
        {
            RouterId = 1,
            Peers = [],
            AllowedNextHops = options.AllowedNextHops,
            OwnAddresses = options.OwnAddresses,
            MarkerCommunity = 1,
        };
        Assert.Equal((own.MaxAnnouncementsPerSecond, own.QuietTime, own.ShutdownText), (options.MaxAnnouncementsPerSecond, options.QuietTime, options.ShutdownText));
        Assert.Equal(0xC0000202u, options.RouterId);
    }
}
