using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>The heap is the whole process's: measured while no other test runs.</summary>
[CollectionDefinition(nameof(BmpMemoryTests), DisableParallelization = true)]
[Collection(nameof(BmpMemoryTests))]
public sealed class BmpMemoryTests(ITestOutputHelper output)
{
    /// <summary>EGRESS_BMP_ROUTES sets another size: 3000000 is what a router with three full tables sends.</summary>
    [Fact]
    public async Task Memory_for_tables_does_not_grow_with_their_size()
    {
        const int PerUpdate = 5;
        int routes = int.TryParse(Environment.GetEnvironmentVariable("EGRESS_BMP_ROUTES"), out int wanted) ? wanted : 200_000;
        var counter = new CountingListener();
        await using var run = await StationRun.StartAsync(counter, new BmpRouterOptions { Name = "r1", Address = IPAddress.Loopback });
        using Socket router = await run.ConnectAsync(IPAddress.Loopback);
        BmpPeerHeader[] peers = [BmpMaker.Peer("192.0.2.1", 64501), BmpMaker.Peer("192.0.2.2", 64502), BmpMaker.Peer("192.0.2.3", 64503)];
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
        output.WriteLine($"{counter.Routes} routes in {seconds:F2} s, {cpu.TotalSeconds:F2} s of CPU with the sender's; {grown / 1024} KiB more in use, heap {GC.GetTotalMemory(false) >> 20} MiB, working set {Environment.WorkingSet >> 20} MiB");
        Assert.True(grown < 2 << 20, $"{grown} bytes more are in use after {routes} routes");
        Assert.Equal(all, counter.Routes);
        Assert.True(run.Station.GetRouters()[0].Oddities.OwnAsRemoved > routes / PerUpdate);
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

        void IBmpListener.Routes(BmpSource source, UpdateMessage update) => Interlocked.Add(ref _routes, update.Announced.Count);

        public long Held(BmpSource source) => Routes;

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
