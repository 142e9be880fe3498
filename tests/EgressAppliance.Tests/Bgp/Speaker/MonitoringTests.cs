using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Bmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>A router whose session has no ADD-PATH and whose providers BMP shows, both scripted, over loopback.</summary>
public sealed class MonitoringTests : IAsyncLifetime
{
    private const string Prefix = "20.0.0.0/16";
    private const string ProviderA = "100.64.1.2";
    private const string ProviderB = "100.64.2.2";
    private static readonly BmpPeerHeader A = BmpMaker.Peer(ProviderA, 64501);
    private static readonly BmpPeerHeader B = BmpMaker.Peer(ProviderB, 64502);
    private static readonly BgpCodecOptions Plain = new() { FourOctetAs = true };
    private readonly ConcurrentQueue<(IpPrefix Prefix, string Reason)> _lost = new();
    private readonly List<Socket> _connections = [];
    private readonly List<ScriptedRouter> _sessions = [];
    private Socket _listener = null!;
    private BgpSpeaker _speaker = null!;
    private BmpStation _station = null!;

    private PeerStatus Status => _speaker.GetPeers()[0];

    public async Task InitializeAsync()
    {
        _listener = ScriptedRouter.Listen(out int port);
        BgpPeerOptions peer = SpeakerFixture.Peer(port);
        _speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(peer));
        _speaker.OverrideLost += (prefix, reason) => _lost.Enqueue((prefix, reason));
        _station = await StartStationAsync(peer, _speaker);
    }

    public async Task DisposeAsync()
    {
        foreach (ScriptedRouter session in _sessions)
        {
            await session.DisposeAsync();
        }

        foreach (Socket connection in _connections)
        {
            connection.Dispose();
        }

        await _station.DisposeAsync();
        await _speaker.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public async Task Paths_of_all_providers_are_known_and_one_that_is_not_the_routers_best_can_be_announced()
    {
        ScriptedRouter router = await ConnectBothAsync();

        Assert.Equal((PathSource.Bmp, true, true, false), (Status.PathSource, Status.AllPathsKnown, Status.TableComplete, Status.AddPath));
        Assert.Equal((2, 0), (Status.Bmp!.RoutesIPv4, Status.Bmp.RoutesIPv6));
        IReadOnlyList<RibPath> paths = _speaker.GetPaths(IpPrefix.Parse(Prefix));
        Assert.Equal([(0, ProviderA, A.Id), (0, ProviderB, B.Id)], paths.Select(p => (p.Peer, p.NextHop.Address.ToString(), p.Monitored!.Peer.Id)));

        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));

        UpdateMessage update = (await router.ExpectAsync(BgpMessageType.Update)).Update;
        Assert.Equal(Prefix, Assert.Single(update.Announced).ToString());
        Assert.Equal(ProviderB, update.Attributes!.NextHop.ToString());
        Assert.Equal("64502 64999", update.Attributes.AsPath.ToString());
        Assert.Equal([Community.NoExport, SpeakerFixture.Marker], update.Attributes.Communities.ToArray());
        RibPath learned = Assert.Single(_speaker.GetOverrides()).Path;
        Assert.Equal((0, B.Id), (learned.Peer, learned.Monitored!.Peer.Id));
    }

    [Fact]
    public async Task Local_pref_exceeds_what_the_router_gives_though_bmp_shows_none()
    {
        ScriptedRouter router = await ConnectBothAsync(bestLocalPref: 300);

        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        Assert.Equal(400u, (await router.ExpectAsync(BgpMessageType.Update)).Update.Attributes!.LocalPref);

        // The router's own best path goes from the session once ours is preferred; what is announced must stay above it all the same.
        router.Withdraw(Plain, Prefix);
        await SpeakerFixture.UntilAsync(() => Status.RoutesIPv4 == 0);
        Send(BmpMaker.Routes(B, Route(ProviderB, "64502 64888")));
        UpdateMessage changed = (await router.ExpectAsync(BgpMessageType.Update)).Update;
        Assert.Equal((400u, "64502 64888"), (changed.Attributes!.LocalPref, changed.Attributes.AsPath.ToString()));
    }

    [Fact]
    public async Task GetPaths_puts_first_what_the_router_prefers_and_remembers_it_while_an_override_is_in_force()
    {
        // By its attributes A's path is the better one; the router's policy prefers B's.
        ScriptedRouter router = await ConnectBothAsync(best: ProviderB);
        Send(BmpMaker.Routes(B, Route(ProviderB, "64502 64502 64502 64999")));
        await SpeakerFixture.UntilAsync(() => _speaker.GetPaths(IpPrefix.Parse(Prefix))[0].Attributes.AsPath.Length == 4);
        Assert.Equal([ProviderB, ProviderA], NextHops());

        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderA)]));
        await router.ExpectAsync(BgpMessageType.Update);
        router.Withdraw(Plain, Prefix);
        await SpeakerFixture.UntilAsync(() => Status.RoutesIPv4 == 0);
        Assert.Equal([ProviderB, ProviderA], NextHops());

        _speaker.WithdrawAll();
        Assert.Equal([ProviderA, ProviderB], NextHops());
    }

    [Fact]
    public async Task Providers_withdrawal_over_bmp_takes_the_override_back()
    {
        ScriptedRouter router = await ConnectBothAsync();
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await router.ExpectAsync(BgpMessageType.Update);

        Send(BmpMaker.Withdraw(B, Prefix));

        Assert.Equal(Prefix, Assert.Single((await router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn).ToString());
        await SpeakerFixture.UntilAsync(() => !_lost.IsEmpty);
        Assert.Equal($"the path by {ProviderB} was withdrawn by {ProviderB} as edge-127.0.0.1 shows it by BMP", Assert.Single(_lost).Reason);
        Assert.Equal([ProviderA], NextHops());
    }

    [Fact]
    public async Task Bmp_connection_that_ends_takes_the_overrides_back_and_leaves_best_paths_only()
    {
        ScriptedRouter router = await ConnectBothAsync();
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await router.ExpectAsync(BgpMessageType.Update);

        _connections[0].Dispose();

        Assert.Equal(Prefix, Assert.Single((await router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn).ToString());
        await SpeakerFixture.UntilAsync(() => !_lost.IsEmpty);
        Assert.StartsWith($"the path came from {ProviderB} as edge-127.0.0.1 shows it by BMP, which is gone: ", Assert.Single(_lost).Reason, StringComparison.Ordinal);
        await SpeakerFixture.UntilAsync(() => Status.Bmp is null);
        Assert.Equal((PathSource.BestOnly, false), (Status.PathSource, Status.AllPathsKnown));
        RibPath best = Assert.Single(_speaker.GetPaths(IpPrefix.Parse(Prefix)));
        Assert.Null(best.Monitored);
        Assert.Equal(OverrideRefusal.BestPathOnly, _speaker.Refusal(Prefix, ProviderA));
    }

    [Fact]
    public async Task Session_that_goes_down_takes_overrides_and_paths_with_it_until_it_is_back()
    {
        ScriptedRouter router = await ConnectBothAsync();
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await router.ExpectAsync(BgpMessageType.Update);

        router.Reset();
        await SpeakerFixture.UntilAsync(() => !_lost.IsEmpty);
        Assert.StartsWith("the session with edge-127.0.0.1, which the override goes to, went down", Assert.Single(_lost).Reason, StringComparison.Ordinal);
        Assert.Empty(_speaker.GetPaths(IpPrefix.Parse(Prefix)));
        Assert.False(Status.AllPathsKnown);

        // The tables that BMP showed are still there.
        await EstablishAsync(addPath: false);
        await _speaker.UntilPathsAsync(Prefix, 2);
        await SpeakerFixture.UntilAsync(() => Status is { AllPathsKnown: true, TableComplete: true });
    }

    [Fact]
    public async Task Add_path_is_preferred_where_the_session_has_it()
    {
        ScriptedRouter router = await EstablishAsync(addPath: true);
        router.Announce(ScriptedRouter.Via(ProviderA, 64501), 1, Prefix);
        router.Announce(ScriptedRouter.Via(ProviderB, 64502), 2, Prefix);
        router.SendEndOfRib();
        await _speaker.UntilPathsAsync(Prefix, 2);
        await ShowBothAsync();
        await SpeakerFixture.UntilAsync(() => Status.Bmp?.RoutesIPv4 == 2);

        IReadOnlyList<RibPath> paths = _speaker.GetPaths(IpPrefix.Parse(Prefix));

        Assert.Equal([1u, 2u], paths.Select(p => p.PathId));
        Assert.All(paths, p => Assert.Null(p.Monitored));
        Assert.Equal((PathSource.AddPath, false), (Status.PathSource, Status.Bmp!.InUse));
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));

        // What BMP shows is no longer what an override rests on.
        _connections[0].Dispose();
        await SpeakerFixture.UntilAsync(() => Status.Bmp is null);
        Assert.Single(_speaker.GetOverrides());
    }

    [Fact]
    public async Task Our_own_routes_over_bmp_are_no_inputs()
    {
        BmpPeerHeader ourselves = BmpMaker.Peer("192.0.2.2", ScriptedRouter.As);
        await ConnectBothAsync();
        UpdateMessage marked = Route(ProviderB, "64502 64999", SpeakerFixture.Marker);
        Send(
            BmpMaker.PeerUp(ourselves), BmpMaker.Routes(ourselves, Route(ProviderB, "64502 64999")),
            BmpMaker.Routes(A, marked), BmpMaker.Routes(B, Route(ProviderB, "64502 65000 64999")),
            BmpMaker.Routes(A, Route(ProviderA, "64501 64999", prefix: "20.9.0.0/16")));
        await _speaker.UntilPathsAsync("20.9.0.0/16", 1);

        // A marked route, and one with our AS in its path, replace what was there by nothing: what the session shows is left.
        Assert.Null(Assert.Single(_speaker.GetPaths(IpPrefix.Parse(Prefix))).Monitored);
        Assert.Equal(1, Status.Bmp!.RoutesIPv4);
        Assert.Equal(2, Status.Bmp!.Tables.Count);
    }

    [Fact]
    public async Task Loc_rib_adj_rib_out_and_other_instances_are_no_inputs()
    {
        await ConnectBothAsync();
        BmpPeerHeader loc = BmpMaker.LocRib();
        BmpPeerHeader outbound = BmpMaker.Peer(ProviderA, 64501, BmpMaker.AdjRibOut);
        BmpPeerHeader vrf = BmpMaker.Peer("100.64.3.2", 64503, distinguisher: 7);
        Send(
            BmpMaker.PeerUp(loc), BmpMaker.Announce(loc, "64501 64999", "20.5.0.0/16"), BmpMaker.Announce(outbound, "64501 64999", "20.5.0.0/16"),
            BmpMaker.PeerUp(vrf), BmpMaker.Announce(vrf, "64503 64999", "20.5.0.0/16"), BmpMaker.Routes(A, Route(ProviderA, "64501 64999", prefix: "20.9.0.0/16")));
        await _speaker.UntilPathsAsync("20.9.0.0/16", 1);

        Assert.Empty(_speaker.GetPaths(IpPrefix.Parse("20.5.0.0/16")));
        Assert.Equal(2, Status.Bmp!.Tables.Count);
    }

    [Fact]
    public async Task Routes_after_policy_count_for_all_peers_once_one_was_shown()
    {
        ScriptedRouter router = await ConnectBothAsync();
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await router.ExpectAsync(BgpMessageType.Update);
        BmpPeerHeader post = BmpMaker.Peer(ProviderA, 64501, BmpMaker.PostPolicy);

        Send(BmpMaker.Routes(post, Route(ProviderA, "64501 64999")));

        // What policy leaves of B's routes is nothing: the override by B rested on a route that the router would not use.
        Assert.Single((await router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn);
        await SpeakerFixture.UntilAsync(() => !_lost.IsEmpty);
        Assert.Equal("edge-127.0.0.1 shows its routes after policy now, and the path was one before policy", Assert.Single(_lost).Reason);
        Assert.Equal(BmpTable.AdjRibInPostPolicy, Assert.Single(_speaker.GetPaths(IpPrefix.Parse(Prefix))).Monitored!.Table);
        Assert.Equal(1, Status.Bmp!.RoutesIPv4);
    }

    [Fact]
    public async Task Table_that_cannot_be_read_any_more_leaves_not_all_paths_known_until_its_peer_is_back()
    {
        await ConnectBothAsync();
        Send(BmpMaker.RouteMonitoring(B, [1, 2, 3]));
        await SpeakerFixture.UntilAsync(() => !Status.AllPathsKnown);
        Assert.Equal([ProviderA], NextHops());
        Assert.Equal(PathSource.Bmp, Status.PathSource);

        Send(BmpMaker.PeerDown(B, BmpPeerDownReason.RemoteNoNotification), BmpMaker.PeerUp(B), BmpMaker.Routes(B, Route(ProviderB, "64502 64999")));
        await SpeakerFixture.UntilAsync(() => Status.AllPathsKnown);
        await _speaker.UntilPathsAsync(Prefix, 2);
    }

    [Fact]
    public async Task Prefix_that_the_router_sends_by_a_provider_that_bmp_does_not_show_is_left_alone()
    {
        ScriptedRouter router = await ConnectBothAsync();
        router.Announce(Plain, ScriptedRouter.Via("100.64.3.2", 64503), 0, Prefix);
        await SpeakerFixture.UntilAsync(() => NextHops() is ["100.64.3.2"]);
        Assert.Equal(OverrideRefusal.BestPathOnly, _speaker.Refusal(Prefix, ProviderB));

        // An address of no link, such as the router's own, says nothing of providers.
        router.Announce(Plain, ScriptedRouter.Via("192.0.2.77", 64503), 0, Prefix);
        await SpeakerFixture.UntilAsync(() => NextHops() is [ProviderA, ProviderB]);
        _speaker.Create(Prefix, ProviderB);
    }

    [Fact]
    public async Task Path_of_a_table_that_is_still_being_loaded_is_refused()
    {
        await EstablishAsync(addPath: false);
        Send(await ConnectBmpAsync(), BmpMaker.Initiation(), BmpMaker.PeerUp(A));
        for (int i = 0; i < 3; i++)
        {
            Send(BmpMaker.Routes(A, Route(ProviderA, "64501 64999", prefix: $"20.{i}.0.0/16")));
        }

        await _speaker.UntilPathsAsync("20.2.0.0/16", 1);
        if (!Status.TableComplete)
        {
            // The quiet time may be over already on a slow machine.
            _speaker.TryCreateOverride(IpPrefix.Parse("20.2.0.0/16"), IpAddr.Parse(ProviderA), out _, out OverrideRefusal refusal);
            Assert.True(refusal is OverrideRefusal.BestPathOnly || Status.TableComplete, refusal.ToString());
        }

        await SpeakerFixture.UntilAsync(() => Status.TableComplete);
        _speaker.Create("20.2.0.0/16", ProviderA);
    }

    [Fact]
    public async Task Flaps_use_sources_again_and_leave_nothing_behind()
    {
        await EstablishAsync(addPath: false);
        for (int round = 0; round < 20; round++)
        {
            Socket connection = await ShowBothAsync();
            await _speaker.UntilPathsAsync(Prefix, 2);
            if (round % 2 == 0)
            {
                Send(connection, BmpMaker.PeerDown(A, BmpPeerDownReason.RemoteNoNotification));
                await _speaker.UntilPathsAsync(Prefix, 1);
            }

            connection.Dispose();
            await SpeakerFixture.UntilAsync(() => Status.Bmp is null);
            await _speaker.UntilPathsAsync(Prefix, 0);
        }

        await ShowBothAsync();
        await _speaker.UntilPathsAsync(Prefix, 2);
        Assert.Equal(2, _speaker.Rib.TotalPaths);
        Assert.Equal(2, _speaker.Rib.AttributeSetCount);
        Assert.Equal(3, _speaker.Rib.SourceCount);
    }

    [Fact]
    public async Task Documents_join_what_the_speaker_holds_with_what_the_station_knows()
    {
        await ConnectBothAsync();
        BmpPeerHeader loc = BmpMaker.LocRib();
        Send(BmpMaker.PeerUp(loc), BmpMaker.Announce(loc, "64501 64999", Prefix), BmpMaker.PeerDown(B, BmpPeerDownReason.RemoteNoNotification));
        await SpeakerFixture.UntilAsync(() => _station.GetRouters()[0].Peers is [_, { IsUp: false }, _]);

        BgpPeerDto peer = Assert.Single(new MonitoringView(_station).Describe(_speaker.GetPeers()));

        Assert.Equal(("bmp", true, 1, 1, 0), (peer.PathSource, peer.AllPathsKnown, peer.Routes, peer.RoutesIpv4, peer.RoutesIpv6));
        Assert.Equal(("up", "adj-rib-in-pre-policy", null), (peer.Bmp!.State, peer.Bmp.Table, peer.Bmp.LastError));
        Assert.Equal((1, 0, 0), (peer.Bmp.Connections, peer.Bmp.Malformed, peer.Bmp.LimitsExceeded));
        Assert.True(peer.Bmp.Messages >= 3);
        Assert.Equal([ProviderA, ProviderB, "loc-rib"], peer.Bmp.Peers.Select(p => p.Peer));
        Assert.Equal(new BmpTableDto("adj-rib-in-pre-policy", 1, 1, true, true), Assert.Single(peer.Bmp.Peers[0].Tables));
        Assert.Empty(peer.Bmp.Peers[1].Tables);
        Assert.NotNull(peer.Bmp.Peers[1].Note);
        BmpTableDto own = Assert.Single(peer.Bmp.Peers[2].Tables);
        Assert.Equal(("loc-rib", 1, 1L, false), (own.Table, own.Routes, own.Updates, own.Used));
        Assert.Equal((1, 0, 0), (peer.LocRib!.Routes, peer.LocRib.Compared, peer.LocRib.Differing));
    }

    [Fact]
    public async Task Loc_rib_is_kept_to_be_compared_and_is_no_input()
    {
        await ConnectBothAsync();
        Assert.Null(Status.LocRib);
        Assert.Empty(_speaker.GetLocRib(IpPrefix.Parse(Prefix)));
        long paths = _speaker.Rib.TotalPaths;
        int sets = _speaker.Rib.AttributeSetCount;
        BmpPeerHeader loc = BmpMaker.LocRib();
        Send(
            BmpMaker.PeerUp(loc), BmpMaker.Routes(loc, Route(ProviderB, "64502 64999")), BmpMaker.Routes(loc, Route(ProviderA, "64501 64777", prefix: "20.77.0.0/16")),
            BmpMaker.EndOfRib(loc, AfiSafi.IPv4Unicast));
        await SpeakerFixture.UntilAsync(() => Status.LocRib is { RoutesIPv4: 2, Complete: true });

        RibPath chosen = Assert.Single(_speaker.GetLocRib(IpPrefix.Parse(Prefix)));
        Assert.Equal((0, ProviderB, BmpTable.LocRib), (chosen.Peer, chosen.NextHop.Address.ToString(), chosen.Monitored!.Table));
        Assert.Equal([ProviderA, ProviderB], NextHops());
        Assert.Empty(_speaker.GetPaths(IpPrefix.Parse("20.77.0.0/16")));
        Assert.Equal(OverrideRefusal.PathNotLearned, _speaker.Refusal("20.77.0.0/16", ProviderA));
        Assert.Equal(paths, _speaker.Rib.TotalPaths);

        Send(BmpMaker.Routes(loc, Route(ProviderB, "64502 64999", SpeakerFixture.Marker)), BmpMaker.Withdraw(loc, "20.77.0.0/16"));
        await SpeakerFixture.UntilAsync(() => Status.LocRib is { RoutesIPv4: 1 });
        RouterChoiceResult result = RouterChoiceResult.Of(
            _speaker.GetLocRib(IpPrefix.Parse(Prefix))[0].Attributes, _speaker.GetPaths(IpPrefix.Parse(Prefix)), SpeakerFixture.Marker);
        Assert.Equal(RouterChoice.Override, result.Choice);

        Send(BmpMaker.PeerDown(loc, BmpPeerDownReason.RemoteNoNotification));
        await SpeakerFixture.UntilAsync(() => Status.LocRib is null && _speaker.Rib.AttributeSetCount == sets);
        Assert.Empty(_speaker.GetLocRib(IpPrefix.Parse(Prefix)));
    }

    [Fact]
    public async Task Loc_rib_counts_towards_the_limit_on_a_routers_routes()
    {
        await using var station = new BmpStation(
            new() { Routers = [new() { Name = Status.Name, Address = IPAddress.Loopback, MaxRoutes = 3 }], Listen = [new(IPAddress.Loopback, 0)] },
            _speaker.Monitor, TimeProvider.System, NullLoggerFactory.Instance);
        await station.StartAsync(CancellationToken.None);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(station.ListeningOn[0]);
        BmpPeerHeader loc = BmpMaker.LocRib();
        Send(socket, BmpMaker.Initiation(), BmpMaker.PeerUp(loc), BmpMaker.Announce(loc, "64501", "20.1.0.0/16", "20.2.0.0/16", "20.3.0.0/16"));
        await SpeakerFixture.UntilAsync(() => Status.LocRib is { RoutesIPv4: 3 });

        Send(socket, BmpMaker.Announce(loc, "64501", "20.4.0.0/16"));

        await SpeakerFixture.UntilAsync(() => station.GetRouters()[0].LimitsExceeded == 1);
        await SpeakerFixture.UntilAsync(() => Status.LocRib is null);
    }

    [Fact]
    public async Task Loc_rib_of_another_instance_is_not_taken()
    {
        await ConnectBothAsync();
        BmpPeerHeader other = BmpMaker.LocRib(distinguisher: 7);
        Send(BmpMaker.PeerUp(other), BmpMaker.Routes(other, Route(ProviderB, "64502 64999")));
        await SpeakerFixture.UntilAsync(() => _station.GetRouters()[0].Peers.Any(p => p.Id.Type == BmpPeerType.LocRibInstance && p.Tables is [{ Updates: 1 }]));
        Assert.Null(Status.LocRib);
        Assert.Empty(_speaker.GetLocRib(IpPrefix.Parse(Prefix)));
    }

    [Fact]
    public async Task A_table_that_is_shown_twice_counts_once_when_nothing_follows()
    {
        await EstablishAsync(addPath: false);
        await ConnectBmpAsync();
        string[] prefixes = [.. Enumerable.Range(0, 200).Select(i => $"20.{i}.0.0/16")];
        byte[] table = BmpMaker.Announce(A, "64501 64999", prefixes);

        // Both come while the table loads, when changes are gathered before they are worked in.
        Send([BmpMaker.Initiation(), BmpMaker.PeerUp(A), table, table, BmpMaker.EndOfRib(A, AfiSafi.IPv4Unicast)]);

        long Shown() => _station.GetRouters()[0].Routes.GetValueOrDefault(BmpTable.AdjRibInPrePolicy);
        await SpeakerFixture.UntilAsync(() => Shown() == prefixes.Length);
    }

    private static async Task<BmpStation> StartStationAsync(BgpPeerOptions peer, BgpSpeaker speaker)
    {
        var station = new BmpStation(
            new() { Routers = [new() { Name = peer.Name, Address = IPAddress.Loopback }], Listen = [new(IPAddress.Loopback, 0)] },
            speaker.Monitor, TimeProvider.System, NullLoggerFactory.Instance);
        await station.StartAsync(CancellationToken.None);
        return station;
    }

    private static UpdateMessage Route(string nextHop, string asPath, uint? community = null, string prefix = Prefix)
    {
        var update = new UpdateMessage
        {
            Attributes = new PathAttributes
            {
                NextHop = new(IpAddr.Parse(nextHop)),
                AsPath = AsPath.Sequence([.. asPath.Split(' ').Select(uint.Parse)]),
                Communities = community is { } value ? [value] : [],
            },
        };
        update.Announced.Add(new(IpPrefix.Parse(prefix)));
        return update;
    }

    private string[] NextHops() => [.. _speaker.GetPaths(IpPrefix.Parse(Prefix)).Select(p => p.NextHop.Address.ToString())];

    private async Task<ScriptedRouter> ConnectBothAsync(string best = ProviderA, uint bestLocalPref = 100)
    {
        ScriptedRouter router = await EstablishAsync(addPath: false);
        router.Announce(Plain, ScriptedRouter.Via(best, best == ProviderA ? 64501u : 64502u, bestLocalPref), 0, Prefix);
        router.SendEndOfRib();
        await SpeakerFixture.UntilAsync(() => Status.RoutesIPv4 == 1);
        await ShowBothAsync();
        await _speaker.UntilPathsAsync(Prefix, 2);
        await SpeakerFixture.UntilAsync(() => Status is { AllPathsKnown: true, TableComplete: true });
        return router;
    }

    private async Task<ScriptedRouter> EstablishAsync(bool addPath)
    {
        ScriptedRouter router = await ScriptedRouter.AcceptAsync(_listener);
        _sessions.Add(router);
        await router.EstablishAsync(ScriptedRouter.OpenOf(addPath: addPath));
        await _speaker.UntilEstablishedAsync();
        return router;
    }

    /// <summary>Connects by BMP and shows a route of each provider, with End-of-RIB.</summary>
    private async Task<Socket> ShowBothAsync()
    {
        Socket connection = await ConnectBmpAsync();
        Send(
            connection, BmpMaker.Initiation(), BmpMaker.PeerUp(A), BmpMaker.PeerUp(B), BmpMaker.Routes(A, Route(ProviderA, "64501 64999")),
            BmpMaker.Routes(B, Route(ProviderB, "64502 64999")), BmpMaker.EndOfRib(A, AfiSafi.IPv4Unicast), BmpMaker.EndOfRib(B, AfiSafi.IPv4Unicast));
        return connection;
    }

    private async Task<Socket> ConnectBmpAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _connections.Add(socket);
        await socket.ConnectAsync(_station.ListeningOn[0]);
        return socket;
    }

    private void Send(params byte[][] messages) => Send(_connections[^1], messages);

    private static void Send(Socket connection, params byte[][] messages) => connection.Send([.. messages.SelectMany(m => m)]);
}
