using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Simulator.Peering;
using EgressAppliance.Simulator.Routing;

namespace EgressAppliance.Tests.Simulator;

public sealed class RouterBgpServerTests
{
    private static readonly IReadOnlyList<OriginatedPrefix> Sample = [.. RealPrefixes.Load().Where((_, i) => i % 8 == 0)];

    [Fact]
    public async Task Session_with_add_path_learns_every_path_as_the_router_has_it()
    {
        SimulatedRouter router = ThreeProviders.Build(Sample);
        Paths expected = new();
        router.Observe(expected);
        await using RouterBgpServer server = new(router);
        using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);

        await speaker.EstablishAsync();
        await speaker.FollowUntilAsync(() => speaker.Routes.Count == expected.Routes.Count);

        Assert.True(server.IsEstablished);
        Assert.Equal(65000u, speaker.RouterOpen!.AsNumber);
        Assert.Equal(AddPathMode.Send, speaker.RouterOpen.AddPath(AfiSafi.IPv6Unicast));
        Assert.Contains(speaker.Routes.Keys, n => n.Prefix.Family == IpFamily.IPv6);
        foreach ((Nlri nlri, SimulatedRoute route) in expected.Routes)
        {
            PathAttributes got = speaker.Routes[nlri];
            Assert.Equal(route.NextHop, got.NextHop.Address);
            Assert.Equal(route.AsPath, got.AsPath.Segments.Single().Numbers);
            Assert.Equal((route.Med, route.Origin, 100u), (got.Med, got.Origin, got.LocalPref!.Value));
        }

        Assert.Empty(speaker.EndOfRib);
    }

    [Theory]
    [InlineData(EndOfRibMode.Always, false)]
    [InlineData(EndOfRibMode.WithGracefulRestart, true)]
    public async Task Session_sends_end_of_rib_when_asked_to(EndOfRibMode mode, bool graceful)
    {
        await using RouterBgpServer server = new(ThreeProviders.Build(Sample), new() { EndOfRib = mode });
        using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);

        BgpCapability restart = new(BgpCapability.GracefulRestartCode, [0, 0, 0, 1, 1, 0, 0, 2, 1, 0]);
        await speaker.EstablishAsync(more: graceful ? [restart] : []);
        await speaker.FollowUntilAsync(() => speaker.EndOfRib.Count == 2);

        Assert.NotEmpty(speaker.Routes);
    }

    [Fact]
    public async Task Overrides_steer_forwarding_and_their_paths_stay_visible()
    {
        SimulatedRouter router = ThreeProviders.Build(Sample);
        (IpPrefix v4, IpPrefix v6) = (Movable(router, IpFamily.IPv4), Movable(router, IpFamily.IPv6));
        await using RouterBgpServer server = new(router);
        using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);
        await speaker.EstablishAsync();

        await speaker.AnnounceAsync(v4, router.Links[1].NextHopIPv4, 200, 64502, 1);
        await speaker.AnnounceAsync(v6, router.Links[2].NextHopIPv6, 200, 64503, 1);
        await Until(() => router.OverrideCount == 2);
        Assert.Equal((1, 2), (router.BestOf(v4).Link, router.BestOf(v6).Link));

        await speaker.WithdrawAsync(v4);
        await speaker.WithdrawAsync(v6);
        await Until(() => router.OverrideCount == 0);
        Assert.Equal((0, 0), (router.BestOf(v4).Link, router.BestOf(v6).Link));

        router.WithdrawByProvider(1, v4);
        await speaker.FollowUntilAsync(() => speaker.Routes.Count > 0 && speaker.Routes.Keys.Count(n => n.Prefix == v4) == 2);
    }

    [Fact]
    public async Task Overrides_vanish_when_the_session_ends_however_it_ends()
    {
        SimulatedRouter router = ThreeProviders.Build(Sample);
        IpPrefix prefix = Movable(router, IpFamily.IPv4);
        await using RouterBgpServer server = new(router);
        Func<ScriptedSpeaker, Task>[] ends =
        [
            s => s.SendAsync(NotificationMessage.Cease(CeaseSubcode.Shutdown)),
            s => Task.Run(s.Dispose),
            s => s.SendBytesAsync(new byte[19]), // a bad marker
        ];
        foreach (Func<ScriptedSpeaker, Task> end in ends)
        {
            using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);
            await speaker.EstablishAsync();
            await speaker.AnnounceAsync(prefix, router.Links[1].NextHopIPv4, 200, 64502, 1);
            await Until(() => router.BestOf(prefix).Link == 1);

            await end(speaker);
            await Until(() => router.BestOf(prefix).Link == 0 && !server.IsEstablished);
            Assert.NotNull(server.LastError);
        }
    }

    [Fact]
    public async Task Session_whose_peer_falls_silent_ends_by_the_hold_timer()
    {
        SimulatedRouter router = ThreeProviders.Build(Sample);
        IpPrefix prefix = Movable(router, IpFamily.IPv4);
        await using RouterBgpServer server = new(router);
        using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);
        await speaker.EstablishAsync(holdTime: 3);
        await speaker.AnnounceAsync(prefix, router.Links[1].NextHopIPv4, 200, 64502, 1);

        NotificationMessage notification = await speaker.ReadNotificationAsync();

        Assert.Equal(BgpErrorCode.HoldTimer, notification.Code);
        await Until(() => router.OverrideCount == 0);
    }

    [Fact]
    public async Task Session_with_a_peer_of_another_as_is_refused()
    {
        await using RouterBgpServer server = new(ThreeProviders.Build(Sample));
        using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);
        await speaker.EstablishAsync(asNumber: 64999);

        NotificationMessage notification = await speaker.ReadNotificationAsync();

        Assert.Equal((BgpErrorCode.Open, OpenSubcode.PeerAs), (notification.Code, notification.Subcode));
        Assert.False(server.IsEstablished);
    }

    [Fact]
    public async Task Second_connection_is_refused_while_there_is_a_session()
    {
        await using RouterBgpServer server = new(ThreeProviders.Build(Sample));
        using ScriptedSpeaker first = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);
        await first.EstablishAsync();
        using ScriptedSpeaker second = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);

        NotificationMessage notification = await second.ReadNotificationAsync();

        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Rejected), (notification.Code, notification.Subcode));
        Assert.Equal(1, server.Refused);
    }

    [Fact]
    public async Task Session_without_add_path_shows_the_best_path_only_and_hides_it_under_an_override()
    {
        SimulatedRouter router = ThreeProviders.Build(Sample);
        IpPrefix prefix = Movable(router, IpFamily.IPv4);
        await using RouterBgpServer server = new(router);
        using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);
        await speaker.EstablishAsync(addPath: false);
        await speaker.FollowUntilAsync(() => speaker.Routes.Count == Sample.Count);
        Assert.Equal(router.Links[0].NextHopIPv4, speaker.Routes[new Nlri(prefix)].NextHop.Address);

        await speaker.AnnounceAsync(prefix, router.Links[1].NextHopIPv4, 200, 64502, 1);
        await speaker.FollowUntilAsync(() => !speaker.Routes.ContainsKey(new Nlri(prefix)));
        await speaker.WithdrawAsync(prefix);
        await speaker.FollowUntilAsync(() => speaker.Routes.ContainsKey(new Nlri(prefix)));
    }

    [Fact]
    public async Task Router_shutdown_ends_the_session_with_cease()
    {
        RouterBgpServer server = new(ThreeProviders.Build(Sample));
        using ScriptedSpeaker speaker = await ScriptedSpeaker.ConnectAsync(server.LocalEndPoint);
        await speaker.EstablishAsync();
        await Until(() => server.IsEstablished);

        await server.DisposeAsync();

        Assert.Equal(BgpErrorCode.Cease, (await speaker.ReadNotificationAsync()).Code);
    }

    private static IpPrefix Movable(SimulatedRouter router, IpFamily family) =>
        router.GetPrefixes().First(p => p.Family == family && router.BestOf(p).Link == 0);

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 2000 && !condition(); i++)
        {
            await Task.Delay(10);
        }

        Assert.True(condition());
    }

    private sealed class Paths : IPathObserver
    {
        public Dictionary<Nlri, SimulatedRoute> Routes { get; } = [];

        public void PathChanged(in PathChange change) => Routes[new(change.Prefix, change.PathId)] = change.Route!;

        public void BestChanged(IpPrefix prefix)
        {
        }
    }
}
