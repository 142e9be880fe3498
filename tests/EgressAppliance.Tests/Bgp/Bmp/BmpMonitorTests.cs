using System.Net;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>What messages do, without sockets.</summary>
public sealed class BmpMonitorTests
{
    private static readonly BmpPeerHeader A = BmpMaker.Peer("192.0.2.1", 64501);
    private static readonly BmpPeerHeader B = BmpMaker.Peer("2001:db8::2", 64502);

    [Fact]
    public void Peer_up_routes_end_of_rib_and_peer_down_are_told_in_order()
    {
        Run run = new();
        run.Feed(BmpMaker.Initiation("edge1", "FRR"), BmpMaker.PeerUp(A), BmpMaker.Announce(A, "64501 64999", "10.0.0.0/8", "2001:db8::/32"));
        run.Feed(BmpMaker.EndOfRib(A, AfiSafi.IPv4Unicast), BmpMaker.EndOfRib(A, AfiSafi.IPv6Unicast), BmpMaker.Withdraw(A, "10.0.0.0/8"));

        BmpRouterStatus status = run.Status();
        Assert.Equal(("edge1", "FRR"), (status.SysName, status.SysDescr));
        BmpPeerStatus peer = Assert.Single(status.Peers);
        Assert.True(peer.IsUp);
        BmpTableStatus table = Assert.Single(peer.Tables);
        Assert.Equal((BmpTable.AdjRibInPrePolicy, 0, 1L, 2L), (table.Table, table.Handle!.Value, table.Routes, table.Updates));
        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], table.EndOfRib);
        Assert.Equal(1, status.Routes[BmpTable.AdjRibInPrePolicy]);

        run.Feed(BmpMaker.PeerDown(A, BmpPeerDownReason.RemoteNotification, BmpMaker.Octets(NotificationMessage.Shutdown("bye").Encode)));
        Assert.Equal(
            [
                "r connected",
                "r 192.0.2.1 AS 64501 up",
                "r 192.0.2.1 adj-rib-in-pre-policy seen",
                "r 192.0.2.1 adj-rib-in-pre-policy +10.0.0.0/8 64501 64999",
                "r 192.0.2.1 adj-rib-in-pre-policy +2001:db8::/32 64501 64999",
                "r 192.0.2.1 adj-rib-in-pre-policy end of IPv4",
                "r 192.0.2.1 adj-rib-in-pre-policy end of IPv6",
                "r 192.0.2.1 adj-rib-in-pre-policy -10.0.0.0/8",
                "r 192.0.2.1 adj-rib-in-pre-policy gone: the peer closed the session: 6/2 Cease, Administrative Shutdown: \"bye\"",
                "r 192.0.2.1 down: the peer closed the session: 6/2 Cease, Administrative Shutdown: \"bye\"",
            ],
            run.Listener.Events);
        Assert.False(Assert.Single(run.Status().Peers).IsUp);
    }

    [Fact]
    public void Tables_of_a_peer_have_handles_of_their_own_that_are_given_out_again()
    {
        Run run = new(new() { MaxSources = 4 });
        run.Feed(BmpMaker.PeerUp(A));
        foreach (byte flags in new byte[] { 0, BmpMaker.PostPolicy, BmpMaker.AdjRibOut, BmpMaker.AdjRibOut | BmpMaker.PostPolicy })
        {
            run.Feed(BmpMaker.Announce(BmpMaker.Peer("192.0.2.1", 64501, flags), "64501", "10.0.0.0/8"));
        }

        Assert.Equal([0, 1, 2, 3], run.Listener.Handles);
        Assert.Equal(
            [BmpTable.AdjRibInPrePolicy, BmpTable.AdjRibInPostPolicy, BmpTable.AdjRibOutPrePolicy, BmpTable.AdjRibOutPostPolicy],
            Assert.Single(run.Status().Peers).Tables.Select(t => t.Table));

        run.Feed(BmpMaker.PeerDown(A, BmpPeerDownReason.RemoteNoNotification), BmpMaker.PeerUp(B), BmpMaker.Announce(B, "64502", "2001:db8::/32"));
        Assert.Equal([0], run.Listener.Handles);

        run.Feed(BmpMaker.PeerUp(A));
        foreach (byte flags in new byte[] { 0, BmpMaker.PostPolicy, BmpMaker.AdjRibOut })
        {
            run.Feed(BmpMaker.Announce(BmpMaker.Peer("192.0.2.1", 64501, flags), "64501", "10.0.0.0/8"));
        }

        Assert.Equal([0, 1, 2, 3], run.Listener.Handles);
        run.Feed(BmpMaker.Announce(BmpMaker.Peer("192.0.2.1", 64501, BmpMaker.PostPolicy | BmpMaker.AdjRibOut), "64501", "10.0.0.0/8"));
        Assert.True(run.Ended!.Limit);
    }

    [Fact]
    public void Own_as_in_front_of_an_external_peers_path_is_removed()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.Announce(A, "65000 64501 64999", "10.0.0.0/8"), BmpMaker.Announce(A, "64501 65000 1", "11.0.0.0/8"));
        run.Feed(BmpMaker.Announce(A, "65000", "12.0.0.0/8"));

        Assert.Equal(
            [
                "r 192.0.2.1 adj-rib-in-pre-policy 10.0.0.0/8 via 64501 64999",
                "r 192.0.2.1 adj-rib-in-pre-policy 11.0.0.0/8 via 64501 65000 1",
                "r 192.0.2.1 adj-rib-in-pre-policy 12.0.0.0/8 via ",
            ],
            run.Listener.Routes);
        Assert.Equal(2, run.Status().Oddities.OwnAsRemoved);
    }

    [Theory]
    [InlineData("adj-rib-out")]
    [InlineData("loc-rib")]
    [InlineData("internal")]
    public void Own_as_stays_where_it_may_belong(string kind)
    {
        Run run = new();
        BmpPeerHeader peer = kind switch
        {
            "adj-rib-out" => BmpMaker.Peer("192.0.2.1", 64501, BmpMaker.AdjRibOut),
            "loc-rib" => BmpMaker.LocRib(),
            _ => BmpMaker.Peer("192.0.2.1", BmpMaker.RouterAs),
        };
        run.Feed(BmpMaker.PeerUp(peer), BmpMaker.Announce(peer, "65000 64501", "10.0.0.0/8"));

        Assert.EndsWith("10.0.0.0/8 via 65000 64501", Assert.Single(run.Listener.Routes), StringComparison.Ordinal);
        Assert.Equal(0, run.Status().Oddities.OwnAsRemoved);
    }

    [Fact]
    public void Local_pref_and_path_identifiers_of_a_loc_rib_are_kept()
    {
        Run run = new();
        BmpPeerHeader locRib = BmpMaker.LocRib(7, flags: 0x80);
        OpenMessage open = BmpMaker.Open(BmpMaker.RouterAs, addPath: AddPathMode.Send);
        run.Feed(BmpMaker.PeerUp(locRib, open, open, tlvs: BmpMaker.Tlv(BmpTlv.TableName, "internet")));
        UpdateMessage update = BmpMaker.Announcement("64501");
        update.Announced.Add(new(IpPrefix.Parse("10.0.0.0/8"), 42));
        update.Attributes = new PathAttributes { NextHop = new(IpAddr.Parse("192.0.2.9")), AsPath = AsPath.Sequence(64501), LocalPref = 333 };
        run.Feed(BmpMaker.Routes(locRib, update, new() { FourOctetAs = true, AddPathIPv4 = true }));

        Assert.Equal(["r 0:7 loc-rib loc-rib 10.0.0.0/8 path-id 42 via 64501 local-pref 333"], run.Listener.Routes);
        BmpPeerStatus peer = Assert.Single(run.Status().Peers);
        Assert.Equal("internet", peer.TableName);
        Assert.True(peer.AddPath);
    }

    [Fact]
    public void Loc_rib_without_peer_up_is_taken_and_counted()
    {
        Run run = new();
        run.Feed(BmpMaker.Announce(BmpMaker.LocRib(), "64501", "10.0.0.0/8"), BmpMaker.EndOfRib(BmpMaker.LocRib(), AfiSafi.IPv4Unicast));

        Assert.Single(run.Listener.Routes);
        Assert.Equal(1, run.Status().Oddities.WithoutPeerUp);
    }

    [Fact]
    public void Routes_without_peer_up_are_passed_over_and_counted()
    {
        Run run = new();
        run.Feed(BmpMaker.Announce(A, "64501", "10.0.0.0/8"), BmpMaker.Statistics(A, BmpMaker.Tlv(0, 0, 0, 0, 1)), BmpMaker.PeerUp(A));
        run.Feed(BmpMaker.PeerDown(A, BmpPeerDownReason.MonitoringStopped), BmpMaker.Announce(A, "64501", "10.0.0.0/8"));

        Assert.Empty(run.Listener.Routes);
        Assert.Equal(3, run.Status().Oddities.WithoutPeerUp);
    }

    [Fact]
    public void Needless_peer_downs_and_peer_ups_change_nothing()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerDown(B, BmpPeerDownReason.LocalNoNotification, 0, 24), BmpMaker.PeerUp(A), BmpMaker.Announce(A, "64501", "10.0.0.0/8"));
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.PeerDown(B, BmpPeerDownReason.LocalNoNotification, 0, 24));

        Assert.Single(run.Listener.Routes);
        BmpRouterStatus status = run.Status();
        Assert.Equal((2L, 1L), (status.Oddities.NeedlessPeerDown, status.Oddities.NeedlessPeerUp));
        Assert.Single(status.Peers);
    }

    [Fact]
    public void Peer_up_of_another_session_drops_what_the_old_one_brought()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.Announce(A, "64501", "10.0.0.0/8"), BmpMaker.PeerUp(A, port: 40001), BmpMaker.Announce(A, "64501", "11.0.0.0/8"));

        Assert.Equal(["r 192.0.2.1 adj-rib-in-pre-policy 11.0.0.0/8 via 64501"], run.Listener.Routes);
    }

    [Fact]
    public void Same_table_twice_is_held_once()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A));
        for (int i = 0; i < 2; i++)
        {
            run.Feed(BmpMaker.Announce(A, "64501", "10.0.0.0/8", "11.0.0.0/8"), BmpMaker.EndOfRib(A, AfiSafi.IPv4Unicast));
        }

        Assert.Equal(2, run.Status().Routes[BmpTable.AdjRibInPrePolicy]);
        Assert.Equal([IpFamily.IPv4], Assert.Single(Assert.Single(run.Status().Peers).Tables).EndOfRib);
    }

    [Fact]
    public void Withdrawal_of_what_was_never_announced_takes_no_handle()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.Withdraw(A, "10.0.0.0/8"));

        Assert.Empty(run.Listener.Handles);
    }

    [Fact]
    public void Malformed_update_takes_its_table_down_until_the_peer_comes_up_again()
    {
        Run run = new();
        BmpPeerHeader post = BmpMaker.Peer("192.0.2.1", 64501, BmpMaker.PostPolicy);
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.Announce(A, "64501", "10.0.0.0/8"), BmpMaker.Announce(post, "64501", "10.0.0.0/8"));
        byte[] bad = BmpMaker.Withdraw(A, "10.0.0.0/8");
        bad[^4] = 99; // length of the prefix
        run.Feed(bad, BmpMaker.Announce(A, "64501", "11.0.0.0/8"), BmpMaker.Announce(post, "64501", "11.0.0.0/8"));

        Assert.Equal(
            ["r 192.0.2.1 adj-rib-in-post-policy 10.0.0.0/8 via 64501", "r 192.0.2.1 adj-rib-in-post-policy 11.0.0.0/8 via 64501"], run.Listener.Routes);
        BmpRouterStatus status = run.Status();
        Assert.Equal(1, status.Malformed[BmpErrorKind.Update]);
        BmpTableStatus table = Assert.Single(status.Peers).Tables[0];
        Assert.StartsWith("an UPDATE could not be read", table.Fault, StringComparison.Ordinal);
        Assert.Null(table.Handle);

        run.Feed(BmpMaker.PeerUp(A, port: 40001), BmpMaker.Announce(A, "64501", "12.0.0.0/8"));
        Assert.Equal(["r 192.0.2.1 adj-rib-in-pre-policy 12.0.0.0/8 via 64501"], run.Listener.Routes);
    }

    [Fact]
    public void Malformed_first_update_is_told_to_the_listener()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.RouteMonitoring(A, BmpMaker.Octets(NotificationMessage.Shutdown("").Encode)));
        Assert.Contains(run.Listener.Events, e => e.Contains("adj-rib-in-pre-policy gone: an UPDATE could not be read", StringComparison.Ordinal));
    }

    [Fact]
    public void Attribute_errors_withdraw_the_routes_of_the_update()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.Announce(A, "64501", "10.0.0.0/8"));
        UpdateMessage update = BmpMaker.Announcement("64501", "10.0.0.0/8");
        update.Attributes = new PathAttributes { NextHop = new(IpAddr.Parse("224.0.0.1")), AsPath = AsPath.Sequence(64501) };
        run.Feed(BmpMaker.Routes(A, update));

        Assert.Empty(run.Listener.Routes);
        Assert.Equal(1, Assert.Single(run.Status().Peers).UpdateErrors);
    }

    [Fact]
    public void Unreadable_messages_are_counted_by_kind_and_passed_over()
    {
        Run run = new();
        run.Feed(
            BmpMaker.Message(200, [1, 2, 3]),
            BmpMaker.Message(BmpMessageType.RouteMonitoring, [0, 0]),
            BmpMaker.Message(BmpMessageType.StatisticsReport, BmpMaker.Header(A), [0, 0, 0, 2], BmpMaker.Tlv(0, 0, 0, 0, 1)),
            BmpMaker.Message(BmpMessageType.StatisticsReport, BmpMaker.Header(A), [0, 0, 0, 1], BmpMaker.Tlv(7, 0, 0, 0, 1)),
            BmpMaker.Message(BmpMessageType.Initiation, [0, 1, 0, 9, 1]),
            BmpMaker.Message(BmpMessageType.PeerDown, BmpMaker.Header(A)),
            BmpMaker.Message(BmpMessageType.PeerUp, BmpMaker.Header(A), new byte[20], new byte[40]),
            BmpMaker.Message(BmpMessageType.RouteMirroring, BmpMaker.Header(A), BmpMaker.Tlv(1, 0)),
            BmpMaker.Message(BmpMessageType.RouteMonitoring, [9, .. BmpMaker.Header(A).Skip(1)]));

        Assert.Null(run.Ended);
        Assert.Equal(
            new Dictionary<BmpErrorKind, long>
            {
                [BmpErrorKind.MessageType] = 1,
                [BmpErrorKind.Truncated] = 2,
                [BmpErrorKind.Tlv] = 4,
                [BmpErrorKind.BgpHeader] = 1,
                [BmpErrorKind.PeerType] = 1,
            },
            run.Status().Malformed);
    }

    [Fact]
    public void Termination_ends_the_connection_with_its_reason()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.Termination(2, "no memory"));

        Assert.Equal("the router ends the connection: out of resources: no memory", run.Ended!.Reason);
        Assert.False(run.Ended.Limit);
    }

    [Fact]
    public void More_routes_or_peers_than_allowed_end_the_connection()
    {
        Run routes = new(router: new() { Name = "r", Address = IPAddress.Loopback, MaxRoutes = 2 });
        routes.Feed(BmpMaker.PeerUp(A), BmpMaker.Announce(A, "64501", "10.0.0.0/8", "11.0.0.0/8"));
        Assert.Null(routes.Ended);
        routes.Feed(BmpMaker.Announce(A, "64501", "12.0.0.0/8"));
        Assert.Equal(new BmpEnd("more than 2 routes", Limit: true), routes.Ended);

        Run peers = new(router: new() { Name = "r", Address = IPAddress.Loopback, MaxPeers = 2 });
        peers.Feed(BmpMaker.PeerUp(A), BmpMaker.PeerUp(B), BmpMaker.PeerDown(A, BmpPeerDownReason.RemoteNoNotification));
        peers.Feed(BmpMaker.PeerUp(BmpMaker.Peer("192.0.2.3", 64503)));
        Assert.Null(peers.Ended); // the one that is down made room
        peers.Feed(BmpMaker.PeerUp(A));
        Assert.Equal(new BmpEnd("more than 2 monitored peers", Limit: true), peers.Ended);
    }

    [Fact]
    public void Statistics_show_the_newest_figure_of_each_type_and_family()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.Statistics(A, BmpMaker.Tlv(0, 0, 0, 0, 5), BmpMaker.Tlv(7, 0, 0, 0, 0, 0, 0, 1, 0)));
        run.Feed(BmpMaker.Statistics(A, BmpMaker.Tlv(0, 0, 0, 0, 6), BmpMaker.Tlv(9, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 3), BmpMaker.Tlv(999, 1)));

        Assert.Equal(
            [new(0, null, 6), new(7, null, 256), new(9, AfiSafi.IPv4Unicast, 3), new(999, null, null)],
            Assert.Single(run.Status().Peers).Statistics.OrderBy(s => s.Type));
    }

    [Fact]
    public void Peer_that_stays_quiet_gets_a_hint()
    {
        Run run = new(new() { QuietTime = TimeSpan.FromSeconds(10) });
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.PeerUp(B), BmpMaker.Announce(A, "64501", "10.0.0.0/8"), BmpMaker.EndOfRib(B, AfiSafi.IPv4Unicast), BmpMaker.Withdraw(B, "10.0.0.0/8"));
        Assert.All(run.Status().Peers, peer => Assert.Null(peer.Hint));

        run.Time.Now += TimeSpan.FromSeconds(10);
        Assert.Null(run.Status().Peers[0].Hint);
        Assert.Contains("soft-reconfiguration inbound", run.Status().Peers[1].Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void Router_that_shows_its_loc_rib_only_gets_no_hint()
    {
        Run run = new();
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.PeerUp(BmpMaker.LocRib()), BmpMaker.Announce(BmpMaker.LocRib(), "64501", "10.0.0.0/8"));
        run.Time.Now += TimeSpan.FromMinutes(1);

        Assert.All(run.Status().Peers, peer => Assert.Null(peer.Hint));
    }

    [Fact]
    public void Updates_of_other_families_are_counted()
    {
        Run run = new();
        UpdateMessage update = BmpMaker.Announcement("64501");
        update.MpReachFamily = new(25, 70);
        byte[] evpn = Convert.FromHexString("ffffffffffffffffffffffffffffffff002c0200000015" + "40010100" + "400200" + "800e0b" + "001946" + "04c0000201" + "00" + "0304");
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(evpn.AsSpan(16), (ushort)evpn.Length);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(evpn.AsSpan(21), (ushort)(evpn.Length - 23));
        run.Feed(BmpMaker.PeerUp(A), BmpMaker.RouteMonitoring(A, evpn));

        Assert.Equal(1, run.Status().Oddities.OtherFamilies);
        Assert.Empty(run.Listener.Handles);
    }

    [Fact]
    public void Two_octet_path_without_the_flag_is_seen_for_what_it_is()
    {
        Run run = new();
        BmpPeerHeader legacy = BmpMaker.Peer("192.0.2.1", 64501, BmpMaker.LegacyAsPath);
        run.Feed(BmpMaker.PeerUp(A, BmpMaker.Open(BmpMaker.RouterAs), BmpMaker.Open(64501, fourOctet: false)));
        run.Feed(BmpMaker.Announce(legacy, "64501 64999", "10.0.0.0/8"));
        byte[] withoutFlag = BmpMaker.Announce(legacy, "64501 64998", "11.0.0.0/8");
        withoutFlag[BmpConstants.HeaderLength + 1] = 0;
        run.Feed(withoutFlag, BmpMaker.Announce(A, "64501 64997", "12.0.0.0/8"));

        Assert.Equal(["64501 64999", "64501 64998", "64501 64997"], run.Listener.Routes.Select(r => r.Split(" via ")[1]));
        Assert.Equal(1, run.Status().Oddities.AsSizeCorrected);
    }

    /// <summary>A monitor with a listener and a clock.</summary>
    private sealed class Run
    {
        private readonly BmpStationOptions _station;
        private readonly BmpMonitor _monitor;

        public Run(Settings? settings = null, BmpRouterOptions? router = null)
        {
            settings ??= new();
            router ??= new() { Name = "r", Address = IPAddress.Loopback };
            _station = new() { Routers = [router], QuietTime = settings.QuietTime };
            _monitor = new(router, Listener, new BmpSourcePool(settings.MaxSources), Time);
            _monitor.Begin();
        }

        public RecordingListener Listener { get; } = new();

        public Clock Time { get; } = new();

        public BmpEnd? Ended { get; private set; }

        public void Feed(params byte[][] messages)
        {
            foreach (byte[] message in messages)
            {
                Assert.Null(Ended);
                Assert.True(BmpFramer.TryReadHeader(message, message.Length, out BmpMessageType type, out _, out BmpError? error));
                Assert.Null(error);
                Ended = _monitor.Process(type, message);
            }
        }

        public BmpRouterStatus Status() => _monitor.AddTo(
            new()
            {
                Name = "r",
                Address = IPAddress.Loopback,
                State = BmpConnectionState.Up,
                Since = Time.Now,
                Messages = new Dictionary<BmpMessageType, long>(),
                Malformed = new Dictionary<BmpErrorKind, long>(),
                Oddities = new(),
                Routes = new Dictionary<BmpTable, long>(),
                Peers = [],
            },
            _station.QuietTime);
    }

    private sealed record Settings
    {
        public int MaxSources { get; init; } = 100;

        public TimeSpan QuietTime { get; init; } = TimeSpan.FromSeconds(10);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
