using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>The station over loopback, against routers that tests play.</summary>
public sealed class BmpStationTests
{
    private static readonly IPAddress First = IPAddress.Parse("127.0.0.11");
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.12");
    private static readonly BmpPeerHeader A = BmpMaker.Peer("192.0.2.1", 64501);
    private static readonly BmpPeerHeader B = BmpMaker.Peer("2001:db8::2", 64502);

    [Fact]
    public async Task Routers_are_told_apart_by_address_and_lose_their_own_routes_only()
    {
        await using var run = await StationRun.StartAsync(Router("r1", First), Router("r2", Second));
        using Socket one = await run.ConnectAsync(First);
        using Socket two = await run.ConnectAsync(Second);
        one.Send([.. BmpMaker.Initiation("one"), .. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8")]);
        two.Send([.. BmpMaker.Initiation("two"), .. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "11.0.0.0/8")]);
        await run.UntilAsync(() => run.Listener.Routes.Count == 2);
        Assert.Equal(["one", "two"], run.Station.GetRouters().Select(r => r.SysName));
        Assert.All(run.Station.GetRouters(), r => Assert.Equal(BmpConnectionState.Up, r.State));

        one.Close();
        await run.UntilAsync(() => run.Listener.Routes.Count == 1);
        Assert.Equal(["r2 192.0.2.1 adj-rib-in-pre-policy 11.0.0.0/8 via 64501"], run.Listener.Routes);
        BmpRouterStatus status = run.Station.GetRouters()[0];
        Assert.Equal((BmpConnectionState.Listening, "the router closed the connection"), (status.State, status.LastError));
        Assert.Empty(status.Peers);
    }

    [Fact]
    public async Task Connection_from_an_unknown_address_is_closed_and_counted()
    {
        await using var run = await StationRun.StartAsync(Router("r1", First));
        using Socket stranger = await run.ConnectAsync(Second);

        Assert.Equal(0, await StationRun.ReceiveAsync(stranger));
        Assert.Equal(1, run.Station.UnknownRouters);
    }

    [Fact]
    public async Task Second_connection_of_a_router_replaces_the_first_and_begins_anew()
    {
        await using var run = await StationRun.StartAsync(Router("r1", First));
        using Socket old = await run.ConnectAsync(First);
        old.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.PeerUp(B), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8"), .. BmpMaker.Announce(B, "64502", "2001:db8::/32")]);
        await run.UntilAsync(() => run.Listener.Routes.Count == 2);

        using Socket young = await run.ConnectAsync(First);
        young.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "11.0.0.0/8")]);
        await run.UntilAsync(() => run.Listener.Routes.SequenceEqual(["r1 192.0.2.1 adj-rib-in-pre-policy 11.0.0.0/8 via 64501"]));
        Assert.Contains("r1 disconnected: the router connected anew", run.Listener.Events);
        Assert.Equal(0, await StationRun.ReceiveAsync(old));
        Assert.Equal(2, run.Station.GetRouters()[0].Connections);
        Assert.Single(run.Station.GetRouters()[0].Peers);
    }

    [Theory]
    [InlineData("474554202f20485454502f312e310d0a", BmpErrorKind.Version)]
    [InlineData("03ffffffff00", BmpErrorKind.Length)]
    [InlineData("030004000100", BmpErrorKind.Length)] // one octet more than is taken
    [InlineData("030000000000", BmpErrorKind.Length)]
    public async Task Header_that_cannot_be_followed_ends_the_connection(string hex, BmpErrorKind kind)
    {
        await using var run = await StationRun.StartAsync(Router("r1", First));
        using Socket router = await run.ConnectAsync(First);
        router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8"), .. Convert.FromHexString(hex)]);

        await run.UntilAsync(() => run.Listener.Events.Any(e => e.StartsWith("r1 disconnected: malformed: ", StringComparison.Ordinal)));
        Assert.Empty(run.Listener.Routes);
        Assert.Equal(1, run.Station.GetRouters()[0].Malformed[kind]);
    }

    [Fact]
    public async Task Longest_message_is_taken()
    {
        await using var run = await StationRun.StartAsync(Router("r1", First));
        using Socket router = await run.ConnectAsync(First);
        byte[] filler = BmpMaker.Tlv(BmpTlv.FreeText, new byte[65_000]);
        byte[] longest = BmpMaker.Message(BmpMessageType.Initiation, filler, filler, filler, filler, new byte[BmpConstants.DefaultMaxMessageLength - 6 - (4 * filler.Length)]);
        Assert.Equal(BmpConstants.DefaultMaxMessageLength, longest.Length);
        await router.SendAsync((byte[])[.. longest, .. BmpMaker.Initiation("after")]);

        await run.UntilAsync(() => run.Station.GetRouters()[0].SysName == "after");
    }

    [Fact]
    public async Task Router_over_a_limit_is_disconnected_and_held_off()
    {
        await using var run = await StationRun.StartAsync(Router("r1", First) with { MaxRoutes = 2 });
        using Socket router = await run.ConnectAsync(First);
        router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8")]);
        await run.UntilAsync(() => run.Station.GetRouters()[0].State == BmpConnectionState.Held);

        BmpRouterStatus status = run.Station.GetRouters()[0];
        Assert.Equal((1L, "more than 2 routes"), (status.LimitsExceeded, status.LastError));
        Assert.Empty(run.Listener.Handles);
        using Socket again = await run.ConnectAsync(First);
        Assert.Equal(0, await StationRun.ReceiveAsync(again));
        Assert.Equal(1, run.Station.GetRouters()[0].Connections);

        run.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(BmpConnectionState.Listening, run.Station.GetRouters()[0].State);
        using Socket later = await run.ConnectAsync(First);
        await run.UntilAsync(() => run.Station.GetRouters()[0].State == BmpConnectionState.Up);
    }

    [Fact]
    public async Task Router_that_waits_is_connected_to_again_and_again()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(First, 0));
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        BmpRouterOptions options = Router("r1", First) with { ConnectPort = port, ConnectRetry = TimeSpan.FromMilliseconds(20), ConnectRetryMax = TimeSpan.FromMilliseconds(100) };
        await using var run = await StationRun.StartAsync(options);

        // Nobody listens yet.
        await run.UntilAsync(() => run.Station.GetRouters()[0].LastError?.StartsWith("cannot connect to 127.0.0.11", StringComparison.Ordinal) == true);
        listener.Listen(4);
        for (int i = 1; i <= 3; i++)
        {
            using Socket router = await listener.AcceptAsync(new CancellationTokenSource(StationRun.Patience).Token);
            router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", $"{i}.0.0.0/8")]);
            await run.UntilAsync(() => run.Listener.Routes.SequenceEqual([$"r1 192.0.2.1 adj-rib-in-pre-policy {i}.0.0.0/8 via 64501"]));
            router.Send(BmpMaker.Termination(0));
            Assert.Equal(0, await StationRun.ReceiveAsync(router));
        }

        Assert.Contains("r1 disconnected: the router ends the connection: administratively closed", run.Listener.Events);
    }

    [Fact]
    public async Task Listener_that_throws_costs_the_connection_and_no_more()
    {
        await using var run = await StationRun.StartAsync(Router("r1", First));
        using Socket router = await run.ConnectAsync(First);
        run.Listener.Fail = true;
        router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8")]);
        await run.UntilAsync(() => run.Listener.Events.Contains("r1 disconnected: internal error: the listener failed"));

        run.Listener.Fail = false;
        using Socket again = await run.ConnectAsync(First);
        again.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8")]);
        await run.UntilAsync(() => run.Listener.Routes.Count == 1);
    }

    [Fact]
    public async Task Stopping_takes_everything_down()
    {
        var run = await StationRun.StartAsync(Router("r1", First));
        using Socket router = await run.ConnectAsync(First);
        router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8")]);
        await run.UntilAsync(() => run.Listener.Routes.Count == 1);
        await run.DisposeAsync();

        Assert.Equal("r1 disconnected: the station is stopped", run.Listener.Events[^1]);
        Assert.Equal(BmpConnectionState.Stopped, run.Station.GetRouters()[0].State);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Any_split_of_the_stream_gives_the_same_calls(int seed)
    {
        var random = new Random(seed);
        var messages = new List<byte[]> { BmpMaker.Initiation() };
        BmpPeerHeader[] peers = [A, B, BmpMaker.LocRib(), BmpMaker.Peer("192.0.2.1", 64501, BmpMaker.PostPolicy), BmpMaker.Peer("192.0.2.7", 64507, 0, 7)];
        for (int i = 0; i < 300; i++)
        {
            BmpPeerHeader peer = peers[random.Next(peers.Length)];
            string prefix = $"10.{random.Next(8)}.0.0/16";
            messages.Add(random.Next(12) switch
            {
                0 => BmpMaker.PeerUp(peer, port: (ushort)random.Next(3)),
                1 => BmpMaker.PeerDown(peer, BmpPeerDownReason.RemoteNoNotification),
                2 => BmpMaker.EndOfRib(peer, AfiSafi.IPv6Unicast),
                3 => BmpMaker.Withdraw(peer, prefix),
                4 => BmpMaker.Statistics(peer, BmpMaker.Tlv(0, 0, 0, 0, (byte)i)),
                5 => BmpMaker.Message((byte)random.Next(6, 256), new byte[random.Next(100)]),
                _ => BmpMaker.Announce(peer, $"65000 {peer.As} {random.Next(1, 9)}", prefix),
            });
        }

        byte[] stream = [.. messages.SelectMany(m => m), .. BmpMaker.Termination(1)];
        IReadOnlyList<string>? expected = null;
        foreach (int longest in new[] { int.MaxValue, 1000, 50, 3 })
        {
            await using var run = await StationRun.StartAsync(Router("r1", First));
            using Socket router = await run.ConnectAsync(First);
            router.NoDelay = true;
            for (int at = 0; at < stream.Length;)
            {
                int piece = Math.Min(stream.Length - at, longest == int.MaxValue ? longest : random.Next(1, longest));
                await router.SendAsync(stream.AsMemory(at, piece));
                at += piece;
            }

            await run.UntilAsync(() => run.Listener.Events is [.., "r1 disconnected: the router ends the connection: unspecified reason"]);
            expected ??= run.Listener.Events;
            Assert.Equal(expected, run.Listener.Events);
        }

        Assert.True(expected!.Count > 100);
    }

    [Fact]
    public void Options_that_contradict_themselves_are_refused()
    {
        static void Refuse(BmpStationOptions options) =>
            Assert.Throws<ArgumentException>(() => new BmpStation(options, new RecordingListener(), TimeProvider.System, NullLoggerFactory.Instance));

        Refuse(new() { Routers = [Router("a", First), Router("b", First)] });
        Refuse(new() { Routers = [Router("a", First)], MaxMessageLength = 10 });
        Refuse(new() { Routers = [Router("a", First)], MaxSources = 0 });
        Refuse(new() { Routers = [Router("a", First) with { ConnectPort = 0 }] });
        Refuse(new() { Routers = [Router("a", First) with { ConnectRetry = TimeSpan.Zero }] });
        Refuse(new() { Routers = [Router("a", First) with { MaxPeers = 0 }] });
        Refuse(new() { Routers = [Router("a", First) with { LimitHold = TimeSpan.FromSeconds(-1) }] });
        Refuse(new() { Routers = [Router("a", First)], QuietTime = TimeSpan.FromSeconds(-1) });
    }

    private static BmpRouterOptions Router(string name, IPAddress address) => new() { Name = name, Address = address };
}
