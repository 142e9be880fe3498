using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Sessions over loopback TCP against a scripted router.</summary>
public sealed class SessionTests
{
    [Fact]
    public async Task Active_session_comes_up_with_the_capabilities_we_promise()
    {
        await using SpeakerBench bench = await SpeakerBench.ConnectAsync();

        OpenMessage open = await bench.Router.EstablishAsync();
        await bench.Speaker.UntilEstablishedAsync();

        Assert.Equal(9, open.HoldTime);
        Assert.Equal(ScriptedRouter.As, open.AsNumber);
        Assert.Equal([AfiSafi.IPv4Unicast, AfiSafi.IPv6Unicast], open.Families);
        Assert.Equal(AddPathMode.Receive, open.AddPath(AfiSafi.IPv4Unicast));
        Assert.Equal(AddPathMode.Receive, open.AddPath(AfiSafi.IPv6Unicast));
        Assert.True(open.Has(BgpCapability.RouteRefreshCode));
        foreach (byte never in new byte[] { BgpCapability.GracefulRestartCode, BgpCapability.EnhancedRouteRefreshCode, 71 })
        {
            Assert.False(open.Has(never));
        }

        PeerStatus status = bench.Status;
        Assert.True(status.AddPath);
        Assert.Equal(1, status.Transitions);
        Assert.Null(status.LastError);
    }

    [Fact]
    public async Task Ipv4_route_with_an_ipv6_next_hop_is_taken_where_it_is_agreed_on()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(open: ScriptedRouter.OpenOf(more: BgpCapability.ExtendedNextHop(AfiSafi.IPv4Unicast, BgpConstants.AfiIPv6)));

        bench.Router.Announce(ScriptedRouter.Codec with { ExtendedNextHop = true }, ScriptedRouter.Via("2001:db8:ff:2::2", 64502), 7, "20.0.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.0.0.0/16", 1);

        RibPath path = bench.Speaker.GetPaths(IpPrefix.Parse("20.0.0.0/16"))[0];
        Assert.Equal((7u, "2001:db8:ff:2::2", "64502 64999"), (path.PathId, path.Attributes.NextHop.ToString(), path.Attributes.AsPath.ToString()));
        Assert.Equal(1, bench.Status.RoutesIPv4);

        bench.Router.Withdraw(7, "20.0.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.0.0.0/16", 0);
    }

    [Fact]
    public async Task Ipv4_route_with_an_ipv6_next_hop_resets_the_session_where_it_is_not_agreed_on()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();

        bench.Router.Announce(ScriptedRouter.Codec with { ExtendedNextHop = true }, ScriptedRouter.Via("2001:db8:ff:2::2", 64502), 7, "20.0.0.0/16");

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;
        Assert.Equal((BgpErrorCode.Update, UpdateSubcode.Optional), (notification.Code, notification.Subcode));
    }

    [Fact]
    public async Task Passive_session_waits_for_the_router()
    {
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer()));
        Assert.Equal(SessionState.Active, speaker.GetPeers()[0].State);
        await using ScriptedRouter router = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0]);

        await router.EstablishAsync();

        await speaker.UntilEstablishedAsync();
    }

    [Fact]
    public async Task Two_passive_peers_share_the_listener_and_are_told_apart_by_address()
    {
        BgpSpeakerOptions options = SpeakerFixture.Options(SpeakerFixture.PassivePeer("127.0.0.2"), SpeakerFixture.PassivePeer("127.0.0.3"));
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(options);
        await using ScriptedRouter third = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.3"));
        await third.EstablishAsync();
        await speaker.UntilEstablishedAsync(1);
        Assert.Equal(SessionState.Active, speaker.GetPeers()[0].State);
        await using ScriptedRouter stranger = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.4"));

        Assert.Empty(await stranger.ExpectCloseAsync());
    }

    [Fact]
    public async Task Session_comes_back_after_the_router_drops_it()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));
        await using (ScriptedRouter first = await ScriptedRouter.AcceptAsync(listener))
        {
            await first.EstablishAsync();
            first.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.0.0.0/16");
            await speaker.UntilPathsAsync("20.0.0.0/16", 1);
            first.Reset();
        }

        await speaker.UntilPathsAsync("20.0.0.0/16", 0);
        await using ScriptedRouter second = await ScriptedRouter.AcceptAsync(listener);
        await second.EstablishAsync();
        await speaker.UntilEstablishedAsync();

        PeerStatus status = speaker.GetPeers()[0];
        Assert.Equal(2, status.Transitions);
        Assert.Equal(2, status.StatesEntered[(int)SessionState.Established]);
        Assert.Equal(2, status.StatesEntered[(int)SessionState.OpenSent]);
        Assert.True(status.StatesEntered[(int)SessionState.Idle] >= 1);
        Assert.Contains("TCP", status.LastError, StringComparison.Ordinal);
        Assert.Equal(0, status.RoutesIPv4);
    }

    [Fact]
    public async Task Refused_connection_is_told_in_words_and_tried_again()
    {
        Socket listener = ScriptedRouter.Listen(out int port);
        listener.Dispose();
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));

        await SpeakerFixture.UntilAsync(() => speaker.GetPeers()[0].LastError is not null);

        Assert.Contains($"127.0.0.1 port {port}", speaker.GetPeers()[0].LastError, StringComparison.Ordinal);
        Assert.Contains(speaker.GetPeers()[0].State, new[] { SessionState.Active, SessionState.Connect });
    }

    [Fact]
    public async Task Silent_router_is_dropped_when_the_agreed_hold_time_is_over()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync(ScriptedRouter.OpenOf(holdTime: 3), keepAlive: false);

        Received notification = await router.ExpectAsync(BgpMessageType.Notification);

        Assert.Equal((BgpErrorCode.HoldTimer, 0), (notification.Notification.Code, notification.Notification.Subcode));
        await SpeakerFixture.UntilAsync(() => speaker.GetPeers()[0].LastError?.Contains("nothing received for 3 s", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Wrong_as_is_refused_with_a_notification_and_named()
    {
        await using SpeakerBench bench = await SpeakerBench.ConnectAsync();
        await bench.Router.ExpectAsync(BgpMessageType.Open);
        bench.Router.Send(ScriptedRouter.OpenOf(asNumber: 65009).Encode);

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;

        Assert.Equal((BgpErrorCode.Open, OpenSubcode.PeerAs), (notification.Code, notification.Subcode));
        await SpeakerFixture.UntilAsync(() => bench.Status.LastError is not null);
        Assert.Equal("the peer is in AS 65009, configured is 65000", bench.Status.LastError);
    }

    [Fact]
    public async Task Malformed_update_that_hides_prefixes_resets_the_session()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        bench.Router.SendRaw(Convert.FromHexString("ffffffffffffffffffffffffffffffff001702ffff0000"));

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;

        Assert.Equal((BgpErrorCode.Update, UpdateSubcode.AttributeList), (notification.Code, notification.Subcode));
    }

    [Fact]
    public async Task Malformed_attribute_only_takes_its_routes_and_is_counted()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.0.0.0/16", "20.1.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.0.0.0/16", 1);
        // ORIGIN of two octets, for path 1 of 20.0.0.0/16.
        bench.Router.SendRaw(Convert.FromHexString("ffffffffffffffffffffffffffffffff00330200000015400102000040020602010000fbf5400304644001020000000110" + "1400"));

        await bench.Speaker.UntilPathsAsync("20.0.0.0/16", 0);

        PeerStatus status = bench.Status;
        Assert.Equal(SessionState.Established, status.State);
        Assert.Equal(1, status.UpdateErrors);
        Assert.Single(bench.Speaker.GetPaths(IpPrefix.Parse("20.1.0.0/16")));
    }

    [Theory]
    [InlineData(0x01000000u, true)]
    [InlineData(0xC0000000u, false)]
    public async Task Collision_keeps_the_connection_of_the_higher_identifier(uint routerId, bool oursStays)
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));
        await using ScriptedRouter ours = await ScriptedRouter.AcceptAsync(listener);
        await ours.ExpectAsync(BgpMessageType.Open);
        await using ScriptedRouter theirs = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0]);
        await theirs.ExpectAsync(BgpMessageType.Open);
        OpenMessage open = ScriptedRouter.OpenOf(routerId: routerId);
        ScriptedRouter loser = oursStays ? theirs : ours;
        ScriptedRouter winner = oursStays ? ours : theirs;
        winner.Send(open.Encode);

        NotificationMessage notification = (await loser.ExpectAsync(BgpMessageType.Notification)).Notification;

        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Collision), (notification.Code, notification.Subcode));
        await winner.ExpectAsync(BgpMessageType.Keepalive);
        winner.Send(KeepaliveMessage.Encode);
        await speaker.UntilEstablishedAsync();
    }

    [Fact]
    public async Task Connection_beside_an_established_session_is_closed()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        await bench.Speaker.UntilEstablishedAsync();
        await using ScriptedRouter second = await ScriptedRouter.ConnectAsync(bench.Speaker.ListeningOn[0]);

        NotificationMessage refusal = Assert.Single(await second.ExpectCloseAsync()).Notification;
        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Collision), (refusal.Code, refusal.Subcode));
        Assert.Equal(SessionState.Established, bench.Status.State);
    }

    [Fact]
    public async Task Too_many_routes_end_the_session_with_cease_1()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(p => p with { MaxPrefix = 2 });
        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.0.0.0/16", "20.1.0.0/16", "20.2.0.0/16");

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;

        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.MaxPrefix), (notification.Code, notification.Subcode));
        await SpeakerFixture.UntilAsync(() => bench.Status is { RoutesIPv4: 0, LastError: not null });
        Assert.Contains("max_prefix (2)", bench.Status.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_withdraws_and_says_administrative_shutdown()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync();
        router.Announce(ScriptedRouter.Via("100.64.2.2", 64502), 2, "20.0.0.0/16");
        await speaker.UntilPathsAsync("20.0.0.0/16", 1);
        Assert.Empty(speaker.Announce([speaker.Create("20.0.0.0/16", "100.64.2.2")]));
        await router.ExpectAsync(BgpMessageType.Update);

        await speaker.DisposeAsync();

        List<Received> last = [.. (await router.ExpectCloseAsync()).Where(m => m.Type != BgpMessageType.Keepalive)];
        Assert.Equal(2, last.Count);
        Assert.Equal("20.0.0.0/16", Assert.Single(last[0].Update.Withdrawn).ToString());
        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Shutdown), (last[1].Notification.Code, last[1].Notification.Subcode));
    }

    [Fact]
    public async Task Md5_session_comes_up_with_the_same_key_on_both_sides()
    {
        if (!Md5.IsSupported())
        {
            // A kernel without CONFIG_TCP_MD5SIG: the option must then fail at start, with words.
            await Assert.ThrowsAsync<IOException>(() => SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer() with { Password = "secret" })));
            return;
        }

        await using BgpSpeaker passive = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer() with { Password = "secret" }));
        BgpPeerOptions peer = SpeakerFixture.Peer(passive.ListeningOn[0].Port) with { Password = "secret" };
        await using BgpSpeaker active = await SpeakerFixture.StartAsync(SpeakerFixture.Options(peer) with { Listen = [], RouterId = 7 });

        await active.UntilEstablishedAsync();
        await passive.UntilEstablishedAsync();
    }

    [Fact]
    public async Task Md5_key_that_differs_is_part_of_the_diagnosis()
    {
        if (!Md5.IsSupported())
        {
            Assert.Throws<SocketException>(Md5.Probe);
            return;
        }

        await using BgpSpeaker passive = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer() with { Password = "secret" }));
        BgpPeerOptions peer = SpeakerFixture.Peer(passive.ListeningOn[0].Port) with { Password = "another" };
        await using BgpSpeaker active = await SpeakerFixture.StartAsync(SpeakerFixture.Options(peer) with { Listen = [], RouterId = 7 });

        await SpeakerFixture.UntilAsync(() => active.GetPeers()[0].LastError is not null);

        Assert.Contains("MD5 key is wrong or missing", active.GetPeers()[0].LastError, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_contradict_the_protocol_are_refused_at_once()
    {
        BgpPeerOptions good = SpeakerFixture.Peer(179);
        foreach (BgpPeerOptions bad in new[]
        {
            good with { HoldTime = TimeSpan.FromSeconds(2) }, good with { LocalAs = 0 }, good with { Families = [] },
            good with { Password = "" }, good with { Password = new string('x', 81) }, good with { LocalAddress = IPAddress.IPv6Loopback },
        })
        {
            Assert.Throws<ArgumentException>(() => new BgpSpeaker(
                SpeakerFixture.Options(bad), null, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance));
        }
    }

    private static class Md5
    {
        public static bool IsSupported()
        {
            try
            {
                Probe();
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }

        public static void Probe()
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            byte[] option = new byte[216];
            option[0] = 2;
            option[4] = 127;
            option[7] = 1;
            option[130] = 1;
            option[136] = (byte)'x';
            socket.SetRawSocketOption(6, 14, option);
        }
    }
}
