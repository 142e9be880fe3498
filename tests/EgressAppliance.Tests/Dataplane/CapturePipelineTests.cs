using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;

namespace EgressAppliance.Tests.Dataplane;

public sealed class CapturePipelineTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly PrefixTable _table = new();

    public void Dispose() => _table.Dispose();

    [Fact]
    public async Task Run_counts_packets_by_prefix_and_link()
    {
        uint wide = _table.Add(IpPrefix.Parse("192.0.2.0/24"));
        uint narrow = _table.Add(IpPrefix.Parse("192.0.2.128/25"));
        uint six = _table.Add(IpPrefix.Parse("2001:db8::/32"));
        using TestSource source = new();
        source.Give(
        [
            Frames.Ip("192.0.2.1", 80), Frames.Ip("192.0.2.200", 80), Frames.Ip("192.0.2.2", 80, "02:00:00:00:0b:02"),
            Frames.Ip("2001:db8::1", 60), Frames.Ip("198.51.100.1", 30), Frames.Ip("192.0.2.1", 80, "02:00:00:00:0c:02"),
            Frames.Ethernet(0x0806, new byte[28]), Frames.Ip("192.0.2.1", 80), Frames.Ip("192.0.2.1")[..20],
        ]).End();
        PipelineOptions options = new()
        {
            Links = [Match(1, "02:00:00:00:0a:02"), Match(2, "02:00:00:00:0b:02")],
            IgnoredMacs = [Mac("02:00:00:00:0c:02")],
        };
        await using CapturePipeline pipeline = new(options, [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        await pipeline.Completion.WaitAsync(Patience);
        CounterSnapshot snapshot = pipeline.TakeSnapshot();
        Assert.Equal(
            [
                new CounterCell(0, new LinkId(1), 1, 50), new CounterCell(wide, new LinkId(1), 2, 200), new CounterCell(wide, new LinkId(2), 1, 100),
                new CounterCell(narrow, new LinkId(1), 1, 100), new CounterCell(six, new LinkId(1), 1, 100),
            ],
            snapshot.Cells.OrderBy(c => c.PrefixId).ThenBy(c => c.Link.Value));
        PipelineStatistics totals = snapshot.Statistics;
        Assert.Equal((9, 6, 550, 1, 1), (totals.Frames, totals.Packets, totals.IpBytes, totals.NonIp, totals.Ignored));
        Assert.Equal((1, 50), (totals.UnroutedPackets, totals.UnroutedIpBytes));
        Assert.Equal(new Dictionary<string, long> { ["truncated_ipv4"] = 1 }, totals.Undecodable);
        Assert.Equal(new SourceStatistics(9, 3, 1), totals.Sources["test"]);
        ReaderStatistics reader = Assert.Single(totals.Readers);
        Assert.Equal(("test", totals.Sources["test"]), (reader.Source, reader.Received));
        Assert.Equal((6, 550, 1, 1), (reader.Packets, reader.IpBytes, reader.NonIp, reader.Ignored));
        Assert.Equal(totals.Undecodable, reader.Undecodable);
        Assert.Empty(pipeline.TakeSnapshot().Cells);
    }

    [Fact]
    public async Task Run_link_by_vlan_and_source()
    {
        _table.Add(IpPrefix.Parse("0.0.0.0/0"));
        using TestSource first = new("mir0");
        using TestSource second = new("mir1");
        first.Give([Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x8100_0065)]).Give([Frames.Ip("192.0.2.1")], h => h with { HasVlan = true, VlanTci = 0x65 }).End();
        second.Give([Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x8100_0065), Frames.Ip("192.0.2.1")]).End();
        PipelineOptions options = new()
        {
            Links = [new(new LinkId(1), null, 101, "mir0"), new(new LinkId(2), null, 101, null), new(new LinkId(3), null, null, "mir1")],
        };
        await using CapturePipeline pipeline = new(options, [first, second], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        await pipeline.Completion.WaitAsync(Patience);

        // In mir1 both rules name one thing: the VLAN goes before the source.
        Assert.Equal([(1, 2L), (2, 1L), (3, 1L)], pipeline.TakeSnapshot().Cells.Select(c => ((int)c.Link.Value, c.Packets)).Order());
    }

    [Fact]
    public async Task SetLinks_frames_after_it_follow_the_new_rules()
    {
        _table.Add(IpPrefix.Parse("0.0.0.0/0"));
        using TestSource source = new();
        PipelineOptions options = new() { IgnoredMacs = [Mac("02:00:00:00:0c:02")] };
        await using CapturePipeline pipeline = new(options, [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        byte[][] frames = [Frames.Ip("192.0.2.1", 80), Frames.Ip("192.0.2.1", 80, "02:00:00:00:0b:02"), Frames.Ip("192.0.2.1", 80, "02:00:00:00:0c:02")];
        Assert.Equal([(0, 2L)], CountAgain());

        pipeline.SetLinks([Match(1, "02:00:00:00:0a:02")]);
        Assert.Equal([(0, 1L), (1, 1L)], CountAgain());

        // Rules that cannot be followed leave those before in force.
        Assert.Throws<ArgumentException>(() => pipeline.SetLinks([new(new LinkId(2), null, null, null)]));
        Assert.Equal([(0, 1L), (1, 1L)], CountAgain());

        pipeline.SetLinks([Match(1, "02:00:00:00:0b:02"), Match(2, "02:00:00:00:0a:02")]);
        Assert.Equal([(1, 1L), (2, 1L)], CountAgain());
        source.End();
        await pipeline.Completion.WaitAsync(Patience);
        Assert.Equal(4, pipeline.GetStatistics().Ignored);

        IEnumerable<(int, long)> CountAgain()
        {
            source.Give(frames);
            List<CounterCell> cells = [];
            Assert.True(SpinWait.SpinUntil(
                () =>
                {
                    cells.AddRange(pipeline.TakeSnapshot().Cells);
                    return cells.Sum(c => c.Packets) == 2;
                },
                Patience));
            return cells.GroupBy(c => (int)c.Link.Value, (link, own) => (link, own.Sum(c => c.Packets))).Order();
        }
    }

    [Fact]
    public async Task Run_broken_frames_add_up()
    {
        _table.Add(IpPrefix.Parse("192.0.0.0/8"));
        _table.Add(IpPrefix.Parse("2000::/3"));
        Random random = new(17);
        using TestSource source = new();
        long sent = 0;
        for (int b = 0; b < 40; b++)
        {
            List<byte[]> frames = [];
            for (int i = 0; i < 250; i++, sent++)
            {
                byte[] frame = random.Next(2) == 0 ? Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x8100_0001) : Frames.Ip("2001:db8::1");
                if (random.Next(4) == 0)
                {
                    random.NextBytes(frame);
                }

                for (int flips = random.Next(4); flips > 0; flips--)
                {
                    frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
                }

                frames.Add(random.Next(4) == 0 ? frame[..random.Next(frame.Length)] : frame);
            }

            LinkLayerType[] layers = [LinkLayerType.Ethernet, LinkLayerType.Null, LinkLayerType.RawIp, LinkLayerType.LinuxSll, LinkLayerType.LinuxSll2, (LinkLayerType)9, (LinkLayerType)77];
            source.Give(frames, h => h with { LinkLayer = random.Next(3) == 0 ? layers[random.Next(layers.Length)] : LinkLayerType.Ethernet });
        }

        source.End();
        PipelineOptions options = new() { CountingThreads = 2, BatchSize = 37, Batches = 8, WaitForBatch = true, IgnoredMacs = [Mac("02:00:00:00:0a:03")] };
        await using CapturePipeline pipeline = new(options, [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        await pipeline.Completion.WaitAsync(Patience);
        CounterSnapshot snapshot = pipeline.TakeSnapshot();
        Assert.Equal(sent, snapshot.Statistics.Frames);
        AssertAddsUp(snapshot.Statistics);
        Assert.True(snapshot.Statistics.Ignored > 0);
        Assert.True(snapshot.Statistics.Undecodable.Count > 8, string.Join(' ', snapshot.Statistics.Undecodable.Keys));
        Assert.Equal(snapshot.Statistics.Packets, snapshot.Cells.Sum(c => c.Packets));
        Assert.Equal(snapshot.Statistics.IpBytes, snapshot.Cells.Sum(c => c.IpBytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task TakeSnapshot_while_running_puts_every_packet_in_exactly_one(int countingThreads)
    {
        const int Blocks = 600;
        const int PerBlock = 200;
        for (int i = 0; i < 256; i++)
        {
            _table.Add(IpPrefix.Parse($"192.0.2.{i}/32"));
        }

        using TestSource first = new("a");
        using TestSource second = new("b");
        byte[][] frames = [.. Enumerable.Range(0, PerBlock).Select(i => Frames.Ip($"192.0.2.{i}", 8))];
        PipelineOptions options = new() { CountingThreads = countingThreads, BatchSize = 64, WaitForBatch = true };
        await using CapturePipeline pipeline = new(options, [first, second], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        Dictionary<uint, long> sum = [];
        long previous = 0;
        Task feed = Task.Run(() =>
        {
            for (int b = 0; b < Blocks; b++)
            {
                (b % 2 == 0 ? first : second).Give(frames);
            }

            first.End();
            second.End();
        });
        bool last = false;
        while (!last)
        {
            last = pipeline.Completion.IsCompleted;
            CounterSnapshot snapshot = pipeline.TakeSnapshot();
            Assert.Equal(snapshot.Cells.Count, snapshot.Cells.Select(c => (c.PrefixId, c.Link)).Distinct().Count());
            foreach (CounterCell cell in snapshot.Cells)
            {
                sum[cell.PrefixId] = sum.GetValueOrDefault(cell.PrefixId) + cell.Packets;
            }

            // The totals are of the same moment as the cells.
            Assert.Equal(snapshot.Statistics.Packets - previous, snapshot.Cells.Sum(c => c.Packets));
            previous = snapshot.Statistics.Packets;
            AssertAddsUp(snapshot.Statistics);
        }

        await feed;
        Assert.Equal(PerBlock, sum.Count);
        Assert.All(sum.Values, count => Assert.Equal(Blocks, count));
    }

    [Fact]
    public async Task TakeSnapshot_of_a_live_source_lets_it_catch_up_first()
    {
        const int Blocks = 50;
        byte[][] frames = [.. Enumerable.Repeat(Frames.Ip("192.0.2.1"), 200)];
        using TestSource source = new();
        await using CapturePipeline pipeline = new(new PipelineOptions(), [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        int whole = 0;
        for (int round = 0; round < 20; round++)
        {
            long before = pipeline.GetStatistics().Frames;
            for (int b = 0; b < Blocks; b++)
            {
                source.Give(frames);
            }

            whole += pipeline.TakeSnapshot().Statistics.Frames - before == Blocks * frames.Length ? 1 : 0;
            Assert.True(SpinWait.SpinUntil(() => pipeline.GetStatistics().Frames - before == Blocks * frames.Length, Patience));
        }

        // The wait is bounded, so a machine that is busy elsewhere may miss some; without the wait no round would be whole.
        Assert.True(whole > 0);
    }

    [Fact]
    public async Task TakeSnapshot_idle_workers_answer()
    {
        _table.Add(IpPrefix.Parse("0.0.0.0/0"));
        using TestSource source = new();
        await using CapturePipeline pipeline = new(new PipelineOptions { CountingThreads = 2 }, [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        Assert.Empty(pipeline.TakeSnapshot().Cells);

        // One frame in a batch of 1024: a live source's counts do not wait for the batch to fill.
        source.Give([Frames.Ip("192.0.2.1")]);
        Assert.True(SpinWait.SpinUntil(() => pipeline.GetStatistics().Packets == 1, Patience));
        Assert.Single(pipeline.TakeSnapshot().Cells);
        Assert.Empty(pipeline.TakeSnapshot().Cells);
        Assert.False(pipeline.Completion.IsCompleted);
    }

    [Fact]
    public void DecodeBlock_no_free_batch_counts_pool_exhausted()
    {
        PipelineOptions options = new() { BatchSize = 4, Batches = 2 };
        using BatchRing ring = new(options.Batches, options.BatchSize);
        using TestSource source = new();
        SourceReader reader = new(source, options, ring, _table.Lookup, counting: null);
        FrameBlock block = new();
        source.Give(Enumerable.Repeat(Frames.Ip("192.0.2.1"), 13));
        Assert.Equal(SourceReadStatus.Frames, source.Read(block, TimeSpan.Zero));
        reader.DecodeBlock(block, CancellationToken.None);
        Assert.Equal(13 - 8, reader.PoolExhausted);

        // A batch that comes back is used again.
        ring.Return(ring.Take()!);
        reader.DecodeBlock(block, CancellationToken.None);
        Assert.Equal(5 + 9, reader.PoolExhausted);
    }

    [Fact]
    public async Task Run_live_source_and_tiny_pool_adds_up()
    {
        _table.Add(IpPrefix.Parse("0.0.0.0/0"));
        using TestSource source = new();
        byte[][] frames = [.. Enumerable.Repeat(Frames.Ip("192.0.2.1"), 1000)];
        for (int i = 0; i < 50; i++)
        {
            source.Give(frames);
        }

        source.End();
        await using CapturePipeline pipeline = new(new PipelineOptions { CountingThreads = 1, BatchSize = 1, Batches = 4 }, [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        await pipeline.Completion.WaitAsync(Patience);
        PipelineStatistics totals = pipeline.GetStatistics();
        Assert.Equal(50_000, totals.Frames);
        Assert.True(totals.PoolExhausted > 0);
        AssertAddsUp(totals);
    }

    [Fact]
    public async Task Completion_failing_source_faults_and_stops_all()
    {
        using TestSource bad = new("bad") { Failure = new InvalidOperationException("broken") };
        using TestSource good = new("good");
        bad.Give([]);
        await using CapturePipeline pipeline = new(new PipelineOptions { CountingThreads = 2 }, [bad, good], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() => pipeline.Completion.WaitAsync(Patience));
        Assert.Equal("broken", error.Message);
    }

    [Fact]
    public async Task DisposeAsync_running_pipeline_stops_and_keeps_counts()
    {
        _table.Add(IpPrefix.Parse("0.0.0.0/0"));
        using TestSource source = new();
        source.Give([Frames.Ip("192.0.2.1")]);
        CapturePipeline pipeline = new(new PipelineOptions(), [source], _table.Lookup, TimeProvider.System);
        pipeline.Start();
        Assert.True(SpinWait.SpinUntil(() => source.GetStatistics().ReceivedFrames == 1, Patience));
        await pipeline.DisposeAsync();
        Assert.True(pipeline.Completion.IsCompletedSuccessfully);
        Assert.Equal(1, pipeline.GetStatistics().Packets);
        await pipeline.DisposeAsync();
    }

    [Fact]
    public void New_options_out_of_range_are_refused()
    {
        using TestSource source = new();
        PipelineOptions[] bad = [new() { CountingThreads = -1 }, new() { BatchSize = 0 }, new() { Batches = 1 }];
        Assert.All(bad, options => Assert.Throws<ArgumentException>(() => new CapturePipeline(options, [source], _table.Lookup, TimeProvider.System)));
        Assert.Throws<ArgumentException>(() => new CapturePipeline(new PipelineOptions(), [], _table.Lookup, TimeProvider.System));
    }

    [Fact]
    public void Packet_path_allocates_nothing()
    {
        for (int i = 0; i < 250; i++)
        {
            _table.Add(IpPrefix.Parse($"192.0.{i}.0/24"));
        }

        _table.Add(IpPrefix.Parse("2001:db8::/32"));
        PipelineOptions options = new() { Links = [Match(1, Frames.DefaultMac)] };
        using BatchRing ring = new(options.Batches, options.BatchSize);
        using TestSource source = new();
        SourceReader reader = new(source, options, ring, _table.Lookup, counting: null);
        using CountingWorker worker = new(_table.Lookup, options.BatchSize);
        FrameBlock block = new();
        source.Give(Enumerable.Range(0, 4096).Select(i => i % 5 == 0 ? Frames.Ip("2001:db8::1") : Frames.Ip($"192.0.{i % 256}.1", 8, Frames.DefaultMac, 0x8100_0001)));
        source.Read(block, TimeSpan.Zero);
        FrameTotals totals = default;
        void Round()
        {
            reader.DecodeBlock(block, CancellationToken.None);
            for (int i = 0; i < 4096 / options.BatchSize; i++)
            {
                PacketBatch batch = ring.Take()!;
                worker.Count(batch);
                ring.Return(batch);
            }
        }

        int rounds = 0;
        Assert.Equal(0, Allocations.InSteadyState(() =>
        {
            for (int i = 0; i < 25; i++)
            {
                Round();
                rounds++;
            }
        }));
        worker.AddTotalsTo(ref totals);
        Assert.Equal(rounds * 4096, totals.Frames);
        Assert.Equal(rounds * 4096, totals.ByStatus[(int)DecodeStatus.IPv4] + totals.ByStatus[(int)DecodeStatus.IPv6]);
    }

    private static void AssertAddsUp(PipelineStatistics s) =>
        Assert.Equal(s.Frames, s.Packets + s.NonIp + s.Ignored + s.Undecodable.Values.Sum() + s.PoolExhausted);

    private static MacAddress Mac(string text)
    {
        Assert.True(MacAddress.TryParse(text, out MacAddress mac));
        return mac;
    }

    private static LinkMatch Match(ushort link, string mac) => new(new LinkId(link), Mac(mac), null, null);
}
