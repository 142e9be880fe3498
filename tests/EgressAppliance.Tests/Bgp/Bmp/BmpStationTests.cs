using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>The station over loopback, against routers that tests play.</summary>
public sealed class BmpStationTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly IPAddress First = IPAddress.Parse("127.0.0.11");
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.12");
    private static readonly BmpPeerHeader A = BmpMaker.Peer("192.0.2.1", 64501);
    private static readonly BmpPeerHeader B = BmpMaker.Peer("2001:db8::2", 64502);

    [Fact]
    public async Task Routers_are_told_apart_by_address_and_lose_their_own_routes_only()
    {
        await using var run = await Run.StartAsync(Router("r1", First), Router("r2", Second));
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
        await using var run = await Run.StartAsync(Router("r1", First));
        using Socket stranger = await run.ConnectAsync(Second);

        Assert.Equal(0, await Run.ReceiveAsync(stranger));
        Assert.Equal(1, run.Station.UnknownRouters);
    }

    [Fact]
    public async Task Second_connection_of_a_router_replaces_the_first_and_begins_anew()
    {
        await using var run = await Run.StartAsync(Router("r1", First));
        using Socket old = await run.ConnectAsync(First);
        old.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.PeerUp(B), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8"), .. BmpMaker.Announce(B, "64502", "2001:db8::/32")]);
        await run.UntilAsync(() => run.Listener.Routes.Count == 2);

        using Socket young = await run.ConnectAsync(First);
        young.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "11.0.0.0/8")]);
        await run.UntilAsync(() => run.Listener.Routes.SequenceEqual(["r1 192.0.2.1 adj-rib-in-pre-policy 11.0.0.0/8 via 64501"]));
        Assert.Contains("r1 disconnected: the router connected anew", run.Listener.Events);
        Assert.Equal(0, await Run.ReceiveAsync(old));
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
        await using var run = await Run.StartAsync(Router("r1", First));
        using Socket router = await run.ConnectAsync(First);
        router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8"), .. Convert.FromHexString(hex)]);

        await run.UntilAsync(() => run.Listener.Events.Any(e => e.StartsWith("r1 disconnected: malformed: ", StringComparison.Ordinal)));
        Assert.Empty(run.Listener.Routes);
        Assert.Equal(1, run.Station.GetRouters()[0].Malformed[kind]);
    }

    [Fact]
    public async Task Longest_message_is_taken()
    {
        await using var run = await Run.StartAsync(Router("r1", First));
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
        await using var run = await Run.StartAsync(Router("r1", First) with { MaxRoutes = 2 });
        using Socket router = await run.ConnectAsync(First);
        router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", "10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8")]);
        await run.UntilAsync(() => run.Station.GetRouters()[0].State == BmpConnectionState.Held);

        BmpRouterStatus status = run.Station.GetRouters()[0];
        Assert.Equal((1L, "more than 2 routes"), (status.LimitsExceeded, status.LastError));
        Assert.Empty(run.Listener.Handles);
        using Socket again = await run.ConnectAsync(First);
        Assert.Equal(0, await Run.ReceiveAsync(again));
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
        await using var run = await Run.StartAsync(options);

        // Nobody listens yet.
        await run.UntilAsync(() => run.Station.GetRouters()[0].LastError?.StartsWith("cannot connect to 127.0.0.11", StringComparison.Ordinal) == true);
        listener.Listen(4);
        for (int i = 1; i <= 3; i++)
        {
            using Socket router = await listener.AcceptAsync(new CancellationTokenSource(Patience).Token);
            router.Send([.. BmpMaker.PeerUp(A), .. BmpMaker.Announce(A, "64501", $"{i}.0.0.0/8")]);
            await run.UntilAsync(() => run.Listener.Routes.SequenceEqual([$"r1 192.0.2.1 adj-rib-in-pre-policy {i}.0.0.0/8 via 64501"]));
            router.Send(BmpMaker.Termination(0));
            Assert.Equal(0, await Run.ReceiveAsync(router));
        }

        Assert.Contains("r1 disconnected: the router ends the connection: administratively closed", run.Listener.Events);
    }

    [Fact]
    public async Task Listener_that_throws_costs_the_connection_and_no_more()
    {
        await using var run = await Run.StartAsync(Router("r1", First));
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
        var run = await Run.StartAsync(Router("r1", First));
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
            await using var run = await Run.StartAsync(Router("r1", First));
            using Socket router = await run.ConnectAsync(First);
            router.NoDelay = true;
            for (int at = 0; at < stream.Length;)
            {
                int piece = Math.Min(stream.Length - at, longest == int.MaxValue ? longest : random.Next(1, longest));
                await router.SendAsync(stream.AsMemory(at, piece));
                at += piece;
            }

            await run.UntilAsync(() => run.Listener.Events[^1] == "r1 disconnected: the router ends the connection: unspecified reason");
            expected ??= run.Listener.Events;
            Assert.Equal(expected, run.Listener.Events);
        }

        Assert.True(expected!.Count > 100);
    }

    /// <summary>EGRESS_BMP_ROUTES sets another size: 3000000 is what a router with three full tables sends.</summary>
    [Fact]
    public async Task Memory_for_tables_does_not_grow_with_their_size()
    {
        const int PerUpdate = 5;
        int routes = int.TryParse(Environment.GetEnvironmentVariable("EGRESS_BMP_ROUTES"), out int wanted) ? wanted : 200_000;
        var counter = new CountingListener();
        await using var run = await Run.StartAsync(counter, Router("r1", First));
        using Socket router = await run.ConnectAsync(First);
        BmpPeerHeader[] peers = [A, BmpMaker.Peer("192.0.2.2", 64502), BmpMaker.Peer("192.0.2.3", 64503)];
        foreach (BmpPeerHeader peer in peers)
        {
            router.Send([.. BmpMaker.PeerUp(peer), .. BmpMaker.Announce(peer, $"65000 {peer.As} 64999", "10.0.0.0/24")]);
        }

        await run.UntilAsync(() => counter.Routes == peers.Length);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long start = TimeProvider.System.GetTimestamp();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        foreach (BmpPeerHeader peer in peers)
        {
            // Five prefixes an UPDATE, other prefixes and another origin AS in each.
            byte[] message = BmpMaker.Announce(peer, $"65000 {peer.As} 64999", [.. Enumerable.Range(0, PerUpdate).Select(i => $"10.0.{i}.0/24")]);
            int origin = message.AsSpan().IndexOf(Convert.FromHexString("0000fde7"));
            byte[] batch = new byte[message.Length * 100];
            for (int sent = 0; sent < routes / peers.Length; sent += PerUpdate * 100)
            {
                for (int i = 0; i < 100; i++)
                {
                    Span<byte> copy = batch.AsSpan(i * message.Length, message.Length);
                    message.CopyTo(copy);
                    BinaryPrimitives.WriteInt32BigEndian(copy[origin..], 1 + (sent / PerUpdate) + i);
                    for (int n = 0; n < PerUpdate; n++)
                    {
                        int number = sent + (i * PerUpdate) + n;
                        Span<byte> prefix = copy[(message.Length - (4 * (PerUpdate - n)) + 1)..];
                        (prefix[0], prefix[1], prefix[2]) = ((byte)(1 + (number >> 16)), (byte)(number >> 8), (byte)number);
                    }
                }

                await router.SendAsync(batch);
            }
        }

        int batches = ((routes / peers.Length) + (PerUpdate * 100) - 1) / (PerUpdate * 100);
        long all = peers.Length * (1L + (batches * PerUpdate * 100));
        await run.UntilAsync(() => counter.Routes >= all);
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine($"{counter.Routes} routes in {seconds:F2} s, {cpu.TotalSeconds:F2} s of CPU with the sender's; {grown / 1024} KiB more in use, heap {GC.GetTotalMemory(false) >> 20} MiB, peak working set {Environment.WorkingSet >> 20} MiB");
        Assert.True(grown < 2 << 20, $"{grown} bytes more are in use after {routes} routes");
        Assert.Equal(all, counter.Routes);
        Assert.True(run.Station.GetRouters()[0].Oddities.OwnAsRemoved > routes / PerUpdate);
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
    }

    private static BmpRouterOptions Router(string name, IPAddress address) => new() { Name = name, Address = address };

    /// <summary>A running station.</summary>
    private sealed class Run : IAsyncDisposable
    {
        private Run(IBmpListener listener, BmpRouterOptions[] routers)
        {
            Station = new(
                new() { Routers = routers, Listen = [new(IPAddress.Loopback, 0)] }, listener, Time, NullLoggerFactory.Instance);
            Listener = listener as RecordingListener ?? new();
        }

        public BmpStation Station { get; }

        public RecordingListener Listener { get; }

        public ShiftedClock Time { get; } = new();

        public static Task<Run> StartAsync(params BmpRouterOptions[] routers) => StartAsync(new RecordingListener(), routers);

        public static async Task<Run> StartAsync(IBmpListener listener, params BmpRouterOptions[] routers)
        {
            var run = new Run(listener, routers);
            await run.Station.StartAsync(CancellationToken.None);
            return run;
        }

        public async Task<Socket> ConnectAsync(IPAddress from)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(Station.ListeningOn[0]);
            return socket;
        }

        /// <summary>Octets received; 0 when the other side closed or reset the connection.</summary>
        public static async Task<int> ReceiveAsync(Socket socket)
        {
            try
            {
                using var patience = new CancellationTokenSource(Patience);
                return await socket.ReceiveAsync(new byte[1], patience.Token);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                return 0;
            }
        }

        public async Task UntilAsync(Func<bool> condition)
        {
            long start = TimeProvider.System.GetTimestamp();
            while (!condition())
            {
                if (TimeProvider.System.GetElapsedTime(start) > Patience)
                {
                    Assert.Fail("not within the limit; calls so far:\n" + string.Join('\n', Listener.Events.TakeLast(20)) + "\nlast error: " + Station.GetRouters()[0].LastError);
                }

                await Task.Delay(10);
            }
        }

        public ValueTask DisposeAsync() => Station.DisposeAsync();
    }

    /// <summary>The system's clock, put forward at will.</summary>
    private sealed class ShiftedClock : TimeProvider
    {
        private TimeSpan _shift;

        public void Advance(TimeSpan by) => _shift += by;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _shift;
    }

    /// <summary>Counts and keeps nothing, so that what is measured is the station.</summary>
    private sealed class CountingListener : IBmpListener
    {
        private long _routes;

        public long Routes => Interlocked.Read(ref _routes);

        public void ConnectionUp(BmpRouterOptions router)
        {
        }

        public void PeerUp(BmpPeer peer)
        {
        }

        public void SourceUp(BmpSource source)
        {
        }

        long IBmpListener.Routes(BmpSource source, UpdateMessage update) => Interlocked.Add(ref _routes, update.Announced.Count);

        public void EndOfRib(BmpSource source, IpFamily family)
        {
        }

        public void SourceDown(BmpSource source, string reason)
        {
        }

        public void PeerDown(BmpPeer peer, string reason)
        {
        }

        public void ConnectionDown(BmpRouterOptions router, string reason)
        {
        }
    }
}
