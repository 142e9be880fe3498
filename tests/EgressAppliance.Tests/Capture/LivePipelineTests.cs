using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;
using EgressAppliance.Tests.Dataplane;

namespace EgressAppliance.Tests.Capture;

/// <summary>The data path on live interfaces: that every frame is counted once or is known to be lost, whatever becomes of the interface.</summary>
public sealed partial class LivePipelineTests : IDisposable
{
    private const string OtherMac = "02:00:00:00:0b:02";
    private const string IgnoredMac = "02:00:00:00:0c:02";
    private const int CloneNewNet = 0x4000_0000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly PrefixTable _table = new();
    private readonly uint _four;
    private readonly uint _six;

    public LivePipelineTests()
    {
        _four = _table.Add(IpPrefix.Parse("192.0.2.0/24"));
        _six = _table.Add(IpPrefix.Parse("2001:db8::/32"));
    }

    public void Dispose() => _table.Dispose();

    [LiveCaptureFact]
    public async Task Chains_and_lists_of_frames_count_the_same()
    {
        using VethPair veth = new();
        using AfPacketSource chained = Assert.Single(AfPacketSource.Open(Options(veth)));
        using AfPacketSource listed = Assert.Single(AfPacketSource.Open(Options(veth)));
        await using CapturePipeline first = Pipeline(chained);
        await using CapturePipeline second = Pipeline(new ListingSource(listed));
        Random random = new(1);
        List<byte[]> frames = [.. Enumerable.Range(0, 4000).Select(_ => AnyFrame(random))];

        // Jumbo, and what segmentation offload hands over in one.
        frames.AddRange([Frames.Ip("192.0.2.1", 8980), Frames.Ip("192.0.2.1", 65_000), Frames.Ip("2001:db8::1", 65_000)]);
        Send(veth.Sender, frames);
        CounterSnapshot a = await CountAsync(first, frames.Count);
        CounterSnapshot b = await CountAsync(second, frames.Count);
        Assert.Equal(Ordered(a.Cells), Ordered(b.Cells));
        Assert.Equal(
            a.Statistics with { Sources = b.Statistics.Sources, Undecodable = b.Statistics.Undecodable, Readers = b.Statistics.Readers }, b.Statistics);
        Assert.Equal(a.Statistics.Undecodable, b.Statistics.Undecodable);
        Assert.All([a, b], x => Assert.Equal((frames.Count, 0), (x.Statistics.Sources[veth.Receiver].ReceivedFrames, x.Statistics.Sources[veth.Receiver].DroppedFrames)));
        AddsUp(a.Statistics);
        Assert.True(a.Statistics is { Packets: > 2000, NonIp: > 100, Ignored: > 100, UnroutedPackets: > 100 } && a.Statistics.Undecodable.Count > 0);
        Assert.Equal(a.Statistics.Packets, a.Cells.Sum(c => c.Packets));
        Assert.Equal(a.Statistics.IpBytes, a.Cells.Sum(c => c.IpBytes));
    }

    [LiveCaptureFact]
    public async Task Long_frames_count_by_their_ip_length_and_are_noticed()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { SnapLength = 64 }));
        await using CapturePipeline pipeline = Pipeline(source);
        Send(veth.Sender, [Frames.Ip("192.0.2.1", 65_000), Frames.Ip("192.0.2.1", 8980)]);
        CounterSnapshot snapshot = await CountAsync(pipeline, 2);
        Assert.Equal(new CounterCell(_four, new LinkId(1), 2, 65_020 + 9000), Assert.Single(snapshot.Cells));
        SourceStatistics statistics = source.GetStatistics();
        Assert.True(statistics.LongFrames > 0);
        Assert.InRange(statistics.LongestFrame, 8994, 65_034);
    }

    [LiveCaptureFact]
    public async Task Several_interfaces_go_down_away_and_come_back()
    {
        using VethPair one = new();
        using VethPair two = new();
        IReadOnlyList<AfPacketSource> sources = [.. AfPacketSource.Open(Options(one) with { Workers = 2 }), .. AfPacketSource.Open(Options(two))];
        await using (CapturePipeline pipeline = new(
            new PipelineOptions { Links = [new(new LinkId(1), null, null, one.Receiver), new(new LinkId(2), null, null, two.Receiver)] }, sources, _table.Lookup, TimeProvider.System))
        {
            pipeline.Start();
            Dictionary<ushort, long> packets = new() { [1] = 0, [2] = 0 };
            long sent = await SendBothAsync(0);

            VethPair.Ip("link", "set", one.Receiver, "down");
            await UntilAsync(() => Message(one).Contains("is down", StringComparison.Ordinal), pipeline);
            Assert.Empty(Message(two));
            VethPair.Ip("link", "set", one.Receiver, "up");
            await UntilAsync(() => Message(one).Length == 0, pipeline);
            sent = await SendBothAsync(sent);

            one.Remove();
            await UntilAsync(() => Message(one).Contains("no such interface", StringComparison.Ordinal), pipeline);
            one.Create();
            await UntilAsync(() => sources.All(s => s.GetStatistics().Message is null), pipeline);
            sent = await SendBothAsync(sent);
            Assert.Equal((sent / 2, sent / 2), (packets[1], packets[2]));
            AddsUp(pipeline.GetStatistics());

            async Task<long> SendBothAsync(long before)
            {
                Send(one.Sender, Enumerable.Range(0, 200).Select(i => Frames.Ip($"192.0.2.{i}")));
                Send(two.Sender, Enumerable.Range(0, 200).Select(i => Frames.Ip($"192.0.2.{i}")));
                foreach (CounterCell cell in (await CountAsync(pipeline, before + 400)).Cells)
                {
                    packets[cell.Link.Value] += cell.Packets;
                }

                return before + 400;
            }

            string Message(VethPair veth) => pipeline.GetStatistics().Sources[veth.Receiver].Message ?? "";
        }

        sources.ToList().ForEach(s => s.Dispose());
    }

    [LiveCaptureFact]
    public async Task Workers_share_frames_and_count_each_once()
    {
        foreach (FanoutMode mode in Enum.GetValues<FanoutMode>())
        {
            using VethPair veth = new();
            IReadOnlyList<AfPacketSource> sources = AfPacketSource.Open(Options(veth) with { Workers = 2, Fanout = mode });
            await using (CapturePipeline pipeline = Pipeline([.. sources]))
            {
                Send(veth.Sender, Enumerable.Range(0, 5000).Select(i => Flow(i % 250)));
                CounterSnapshot snapshot = await CountAsync(pipeline, 5000);
                Assert.Equal((5000, 5000), (snapshot.Statistics.Frames, snapshot.Cells.Sum(c => c.Packets)));
                long[] each = [.. snapshot.Statistics.Readers.Select(r => r.Received.ReceivedFrames)];
                Assert.Equal(snapshot.Statistics.Readers.Select(r => r.Packets), each);
                Assert.Equal(5000, each.Sum());
                if (mode is FanoutMode.Hash or FanoutMode.LoadBalance)
                {
                    Assert.All(each, n => Assert.True(n > 500, $"{mode}: {string.Join(" + ", each)}"));
                }

                AddsUp(snapshot.Statistics);
            }

            sources.ToList().ForEach(s => s.Dispose());
        }
    }

    [LiveCaptureFact]
    public async Task Ring_that_nobody_reads_drops_and_freezes_and_the_counters_add_up()
    {
        using VethPair veth = new();
        IReadOnlyList<AfPacketSource> sources = AfPacketSource.Open(
            Options(veth) with { RingBytes = 16 << 10, BlockBytes = 4096, SnapLength = 64, Workers = 2, Fanout = FanoutMode.LoadBalance });
        Send(veth.Sender, Enumerable.Range(0, 3000).Select(i => Flow(i % 250)));
        await using (CapturePipeline pipeline = Pipeline([.. sources]))
        {
            await UntilAsync(() => pipeline.GetStatistics().Sources[veth.Receiver] is var s && s.ReceivedFrames + s.DroppedFrames == 3000, pipeline);
            CounterSnapshot snapshot = await CountAsync(pipeline, pipeline.GetStatistics().Sources[veth.Receiver].ReceivedFrames);
            SourceStatistics source = snapshot.Statistics.Sources[veth.Receiver];
            Assert.True(source is { DroppedFrames: > 0, Freezes: > 0, ReceivedFrames: > 0 }, source.ToString());
            Assert.Equal(source.ReceivedFrames, snapshot.Statistics.Frames);
            AddsUp(snapshot.Statistics);
            Assert.All(snapshot.Statistics.Readers, r => Assert.True(r.Received.DroppedFrames > 0));

            // It thaws: what comes now is received.
            Send(veth.Sender, [Flow(1), Flow(2)]);
            await CountAsync(pipeline, source.ReceivedFrames + 2);
        }

        sources.ToList().ForEach(s => s.Dispose());
    }

    [LiveCaptureFact]
    public async Task Stripped_tag_and_filter_decide_the_link()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { Filter = "vlan and ip" }));
        PipelineOptions options = new() { Links = [new(new LinkId(1), null, 101, null), new(new LinkId(2), null, 102, null)] };
        await using CapturePipeline pipeline = new(options, [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        Send(
            veth.Sender,
            [
                Tagged(101), Tagged(102), Tagged(102), Tagged(103), Frames.Ip("192.0.2.1"), Frames.Ip("2001:db8::1", 8, Frames.DefaultMac, 0x8100_0065),
                Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x88A8_0065, 0x8100_0066),
            ]);

        // Of the last frame, the outer tag (101) names the link, and the filter does not look behind the inner one.
        CounterSnapshot snapshot = await CountAsync(pipeline, 4);
        Assert.Equal(
            [new CounterCell(_four, LinkId.None, 1, 28), new CounterCell(_four, new LinkId(1), 1, 28), new CounterCell(_four, new LinkId(2), 2, 56)],
            Ordered(snapshot.Cells));

        static byte[] Tagged(uint vlan) => Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x8100_0000 | vlan);
    }

    [LiveCaptureFact]
    public async Task Mirror_in_tunnels_counts_what_lies_in_them()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth)));
        PipelineOptions options = new()
        {
            Links = [new(new LinkId(1), Mac(OtherMac), null, null)],
            Decapsulation = Decapsulation.Erspan | Decapsulation.Vxlan,
        };
        await using CapturePipeline pipeline = new(options, [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        byte[] inner = Frames.Ip("192.0.2.1", 80, OtherMac);
        byte[] inner6 = Frames.Ip("2001:db8::1", 60, OtherMac, 0x8100_0007);
        Send(
            veth.Sender,
            [
                Tunnels.Frame(Tunnels.Ip("198.51.100.1", Tunnels.Gre, Tunnels.Erspan2(inner))), Tunnels.Frame(Tunnels.Ip("198.51.100.1", Tunnels.Gre, Tunnels.Erspan3(inner6, subheader: true))),
                Tunnels.Frame(Tunnels.Ip("198.51.100.1", Tunnels.Udp, Tunnels.Vxlan(inner))), Frames.Ip("192.0.2.9", 80, OtherMac),
                Tunnels.Frame(Tunnels.Ip("198.51.100.1", Tunnels.Gre, Tunnels.Erspan2(inner).AsSpan(0, 20))),
            ]);
        CounterSnapshot snapshot = await CountAsync(pipeline, 5);
        Assert.Equal([new CounterCell(_four, new LinkId(1), 3, 300), new CounterCell(_six, new LinkId(1), 1, 100)], Ordered(snapshot.Cells));
        Assert.Equal(1, snapshot.Statistics.Undecodable.Values.Sum());
        AddsUp(snapshot.Statistics);
    }

    [LiveCaptureFact]
    public void Capture_works_within_a_network_namespace()
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                // The namespace is this thread's and of what it starts, and ends with them.
                Assert.Equal(0, Unshare(CloneNewNet));
                using VethPair veth = new();
                using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth)));
                using AfPacketSource listed = Assert.Single(AfPacketSource.Open(Options(veth)));
                CapturePipeline first = Pipeline(source);
                CapturePipeline second = Pipeline(new ListingSource(listed));
                Send(veth.Sender, Enumerable.Range(0, 300).Select(i => Flow(i % 250)));
                Assert.Equal(300, CountAsync(first, 300).GetAwaiter().GetResult().Cells.Sum(c => c.Packets));
                Assert.Equal(300, CountAsync(second, 300).GetAwaiter().GetResult().Cells.Sum(c => c.Packets));
                first.DisposeAsync().AsTask().GetAwaiter().GetResult();
                second.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    [LiveCaptureFact]
    public void MergesSegments_follows_the_interfaces_offloads()
    {
        using VethPair veth = new();
        Assert.NotNull(AfPacketSource.MergesSegments(veth.Receiver));
        Assert.Null(AfPacketSource.MergesSegments("no-such-nic"));
    }

    private static AfPacketOptions Options(VethPair veth) => new()
    {
        Interface = veth.Receiver,
        RingBytes = 16 << 20,
        BlockBytes = 128 << 10,
        BlockTimeout = TimeSpan.FromMilliseconds(5),
    };

    private static MacAddress Mac(string text) => MacAddress.TryParse(text, out MacAddress mac) ? mac : throw new ArgumentException(text);

    /// <summary>A frame of one of 250 flows, told apart by their source addresses and ports as well.</summary>
    private static byte[] Flow(int number)
    {
        byte[] frame = Frames.Ip($"192.0.2.{number}");
        frame[29] = (byte)number;
        frame[35] = (byte)(number * 7);
        return frame;
    }

    private static byte[] AnyFrame(Random random) => random.Next(10) switch
    {
        0 => Frames.Ethernet(0x0806, new byte[28]),
        1 => Frames.Ip("192.0.2.1", random.Next(64), IgnoredMac),
        2 => Frames.Ip("198.51.100.1", random.Next(64)),
        3 => Frames.Ip("192.0.2.1")[..random.Next(15, 42)],
        4 => Frames.Ip("192.0.2.2", random.Next(1400), OtherMac, 0x8100_0065),
        5 => Frames.Ip("2001:db8::2", random.Next(1, 1400), OtherMac, 0x88A8_0065, 0x8100_0066),
        6 or 7 => Frames.Ip($"2001:db8::{random.Next(1, 9999)}", random.Next(1, 1400)),
        _ => Frames.Ip($"192.0.2.{random.Next(256)}", random.Next(1400)),
    };

    private static void Send(string interfaceName, IEnumerable<byte[]> frames)
    {
        using Socket socket = VethPair.OpenSender(interfaceName);
        foreach (byte[] frame in frames)
        {
            Assert.Equal(frame.Length, socket.Send(frame));
        }
    }

    private static CounterCell[] Ordered(IEnumerable<CounterCell> cells) => [.. cells.OrderBy(c => c.PrefixId).ThenBy(c => c.Link.Value)];

    private static void AddsUp(PipelineStatistics s)
    {
        Assert.Equal(s.Frames, s.Packets + s.NonIp + s.Ignored + s.Undecodable.Values.Sum() + s.PoolExhausted);
        Assert.Equal(s.Frames, s.Sources.Values.Sum(x => x.ReceivedFrames));
        Assert.Equal(s.Frames, s.Readers.Sum(r => r.Packets + r.NonIp + r.Ignored + r.Undecodable.Values.Sum() + r.PoolExhausted));
        Assert.Equal(s.IpBytes, s.Readers.Sum(r => r.IpBytes));
    }

    private static async Task<CounterSnapshot> CountAsync(CapturePipeline pipeline, long frames)
    {
        await UntilAsync(() => pipeline.GetStatistics().Frames >= frames, pipeline);
        CounterSnapshot snapshot = pipeline.TakeSnapshot();
        Assert.Equal(frames, snapshot.Statistics.Frames);
        return snapshot;
    }

    private static async Task UntilAsync(Func<bool> done, CapturePipeline pipeline)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (!done())
        {
            PipelineStatistics statistics = pipeline.GetStatistics();
            Assert.True(clock.Elapsed < Patience, $"{statistics}: {string.Join("; ", statistics.Sources)}");
            await Task.Delay(5);
        }
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    private CapturePipeline Pipeline(params IPacketSource[] sources)
    {
        PipelineOptions options = new()
        {
            Links = [new(new LinkId(1), Mac(Frames.DefaultMac), null, null), new(new LinkId(2), Mac(OtherMac), 0x65, null)],
            IgnoredMacs = [Mac(IgnoredMac)],
        };
        CapturePipeline pipeline = new(options, sources, _table.Lookup, TimeProvider.System);
        pipeline.Start();
        return pipeline;
    }

    /// <summary>Gives the frames of a live source as a list, as it does to readers that do not step over a ring's chain themselves.</summary>
    private sealed class ListingSource(AfPacketSource source) : IPacketSource
    {
        private readonly FrameBlock _own = new(capacity: 100);

        public string Name => source.Name;

        public unsafe SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
        {
            SourceReadStatus status = source.Read(_own, timeout);

            // Invariant: the ring's memory, which does not move and stays mapped until the next read.
            fixed (byte* memory = _own.Data)
            {
                block.Reset(memory, _own.Data.Length);
            }

            foreach (FrameHeader frame in _own.Frames)
            {
                Assert.True(block.TryAdd(frame));
            }

            return status;
        }

        public SourceStatistics GetStatistics() => source.GetStatistics();

        public void Dispose() => source.Dispose();
    }
}
