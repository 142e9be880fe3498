using System.Diagnostics;
using System.Net.Sockets;
using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;

namespace EgressAppliance.Tests.Capture;

public class AfPacketTests
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [LiveCaptureFact]
    public void Read_gives_every_frame_once_in_order()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth)));
        Send(veth.Sender, Enumerable.Range(0, 3000).Select(i => Frames.Ip($"192.0.2.{i % 250}", payload: 8 + (i % 50))));
        List<Captured> frames = ReadFrames(source, 3000);
        for (int i = 0; i < frames.Count; i++)
        {
            Assert.Equal(Frames.Ip($"192.0.2.{i % 250}", payload: 8 + (i % 50)), frames[i].Bytes);
            Assert.False(frames[i].Header.HasVlan);
            Assert.Equal(LinkLayerType.Ethernet, frames[i].Header.LinkLayer);
        }

        Assert.Equal(SourceReadStatus.Timeout, source.Read(new FrameBlock(), ReadTimeout));
        SourceStatistics statistics = source.GetStatistics();
        Assert.Equal(new SourceStatistics(3000, 0, 0), statistics);
    }

    [LiveCaptureFact]
    public void Read_small_frame_block_takes_ring_block_in_pieces()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth)));
        Send(veth.Sender, Enumerable.Range(0, 500).Select(i => Frames.Ip($"192.0.2.{i % 250}")));
        List<Captured> frames = ReadFrames(source, 500, new FrameBlock(capacity: 7));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => (byte)(i % 250)), frames.Select(f => f.Bytes[33]));
    }

    [LiveCaptureFact]
    public void Read_tagged_frames_reports_stripped_outer_tag()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth)));
        Send(veth.Sender, [Frames.Ip("192.0.2.1", 8, Frames.DefaultMac, 0x8100_2065), Frames.Ip("192.0.2.2", 8, Frames.DefaultMac, 0x88A8_0064, 0x8100_0065)]);
        List<Captured> frames = ReadFrames(source, 2);
        Assert.True(frames[0].Header.HasVlan);
        Assert.Equal(0x2065, frames[0].Header.VlanTci);
        Assert.Equal(Frames.Ip("192.0.2.1"), frames[0].Bytes);
        Assert.True(frames[1].Header.HasVlan);
        Assert.Equal(0x0064, frames[1].Header.VlanTci);
        Assert.Equal(Frames.Ip("192.0.2.2", 8, Frames.DefaultMac, 0x8100_0065), frames[1].Bytes);
    }

    [LiveCaptureFact]
    public void Read_long_frames_keeps_snaplen_and_tells_wire_length()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { SnapLength = 96 }));
        Send(veth.Sender, [Frames.Ip("192.0.2.1", 1400), Frames.Ip("192.0.2.1", 60000), Frames.Ip("192.0.2.1", 8)]);
        List<Captured> frames = ReadFrames(source, 3);
        Assert.Equal([(96, 1434), (96, 60034), (42, 42)], frames.Select(f => (f.Header.CapturedLength, f.Header.WireLength)));
    }

    [LiveCaptureFact]
    public void Read_frame_of_64_KiB_is_kept_whole_when_snaplen_allows()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { SnapLength = 65536 }));
        byte[] sent = Frames.Ip("2001:db8::1", 65000);
        new Random(1).NextBytes(sent.AsSpan(60));
        Send(veth.Sender, [sent]);
        Assert.Equal(sent, Assert.Single(ReadFrames(source, 1)).Bytes);
    }

    [LiveCaptureFact]
    public void Read_with_filter_gives_matching_frames_only()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { Filter = "dst host 192.0.2.7" }));
        Send(veth.Sender, [Frames.Ip("192.0.2.1"), Frames.Ip("192.0.2.7"), Frames.Ip("2001:db8::7"), Frames.Ip("192.0.2.7")]);
        List<Captured> frames = ReadFrames(source, 2);
        Assert.All(frames, f => Assert.Equal(7, f.Bytes[33]));
        Assert.Equal(SourceReadStatus.Timeout, source.Read(new FrameBlock(), ReadTimeout));
    }

    [LiveCaptureFact]
    public void Read_with_vlan_filter_sees_the_tag_that_the_kernel_stripped()
    {
        using VethPair veth = new();
        using AfPacketSource one = Assert.Single(AfPacketSource.Open(Options(veth) with { Filter = "vlan 101 and ip" }));
        using AfPacketSource any = Assert.Single(AfPacketSource.Open(Options(veth) with { Filter = "ip or ip6 or vlan" }));
        byte[] arp = Frames.Ethernet(0x0806, new byte[28]);
        byte[] taggedArp = Frames.Ethernet(0x0806, new byte[28], Frames.DefaultMac, 0x8100_0066);
        Send(
            veth.Sender,
            [arp, taggedArp, Frames.Ip("192.0.2.1"), Frames.Ip("192.0.2.2", 8, Frames.DefaultMac, 0x8100_0065), Frames.Ip("192.0.2.3", 8, Frames.DefaultMac, 0x8100_0066), Frames.Ip("2001:db8::1")]);
        Captured tagged = Assert.Single(ReadFrames(one, 1));
        Assert.Equal((0x0065, (byte)2), (tagged.Header.VlanTci, tagged.Bytes[33]));
        Assert.Equal(SourceReadStatus.Timeout, one.Read(new FrameBlock(), ReadTimeout));

        // All but the untagged ARP.
        Assert.Equal(5, ReadFrames(any, 5).Count);
        Assert.Equal(SourceReadStatus.Timeout, any.Read(new FrameBlock(), ReadTimeout));
    }

    [LiveCaptureFact]
    public void GetStatistics_full_ring_counts_every_dropped_frame()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { RingBytes = 8192, BlockBytes = 4096, SnapLength = 64 }));
        Send(veth.Sender, Enumerable.Repeat(Frames.Ip("192.0.2.1"), 2000));
        FrameBlock block = new();
        while (source.Read(block, ReadTimeout) == SourceReadStatus.Frames)
        {
        }

        SourceStatistics statistics = source.GetStatistics();
        Assert.True(statistics.DroppedFrames > 0);
        Assert.True(statistics.Freezes > 0);
        Assert.Equal(2000, statistics.ReceivedFrames + statistics.DroppedFrames);
        Assert.Equal(statistics, source.GetStatistics());
    }

    [LiveCaptureFact]
    public void Read_interface_removed_and_back_goes_on_by_itself()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { Filter = "ip or vlan" }));
        Send(veth.Sender, [Frames.Ip("192.0.2.1")]);
        ReadFrames(source, 1);
        veth.Remove();
        ReadUntil(source, SourceReadStatus.Unavailable);
        ReadUntil(source, () => source.GetStatistics().Message?.Contains("no such interface", StringComparison.Ordinal) == true);
        veth.Create();
        ReadUntil(source, SourceReadStatus.Timeout);
        Assert.Null(source.GetStatistics().Message);
        Send(veth.Sender, [Frames.Ip("192.0.2.2")]);
        Assert.Equal(2, Assert.Single(ReadFrames(source, 1)).Bytes[33]);
        Assert.Equal(2, source.GetStatistics().ReceivedFrames);
    }

    [LiveCaptureFact]
    public void Read_interface_down_and_up_goes_on_by_itself()
    {
        using VethPair veth = new();
        IReadOnlyList<AfPacketSource> sources = AfPacketSource.Open(Options(veth) with { Workers = 2 });
        VethPair.Ip("link", "set", veth.Receiver, "down");
        foreach (AfPacketSource source in sources)
        {
            ReadUntil(source, SourceReadStatus.Unavailable);
            Assert.Contains("is down", source.GetStatistics().Message, StringComparison.Ordinal);
        }

        VethPair.Ip("link", "set", veth.Receiver, "up");
        foreach (AfPacketSource source in sources)
        {
            ReadUntil(source, SourceReadStatus.Timeout);
            Assert.Null(source.GetStatistics().Message);
        }

        Send(veth.Sender, Enumerable.Range(0, 100).Select(i => Frames.Ip($"192.0.2.{i}")));
        ReadUntil(sources[0], () => Drain(sources) == 100);
        sources.ToList().ForEach(source => source.Dispose());
    }

    [LiveCaptureFact]
    public void Open_absent_interface_is_unavailable_until_it_comes()
    {
        using VethPair veth = new();
        veth.Remove();
        IReadOnlyList<AfPacketSource> sources = AfPacketSource.Open(Options(veth) with { Workers = 2 });
        Assert.Equal(SourceReadStatus.Unavailable, sources[0].Read(new FrameBlock(), ReadTimeout));
        Assert.Equal($"{veth.Receiver}: no such interface", sources[0].GetStatistics().Message);
        veth.Create();
        foreach (AfPacketSource source in sources)
        {
            ReadUntil(source, SourceReadStatus.Timeout);
        }

        Send(veth.Sender, Enumerable.Range(0, 100).Select(i => Frames.Ip($"192.0.2.{i}")));
        ReadUntil(sources[0], () => Drain(sources) == 100);
        sources.ToList().ForEach(source => source.Dispose());
    }

    [LiveCaptureFact]
    public void Open_several_workers_share_the_frames()
    {
        foreach (FanoutMode mode in Enum.GetValues<FanoutMode>())
        {
            using VethPair veth = new();
            IReadOnlyList<AfPacketSource> sources = AfPacketSource.Open(Options(veth) with { Workers = 3, Fanout = mode });
            Send(veth.Sender, Enumerable.Range(0, 300).Select(i => Frames.Ip($"192.0.2.{i % 250}")));
            ReadUntil(sources[0], () => Drain(sources) >= 300);
            Assert.Equal(300, Drain(sources));
            if (mode == FanoutMode.LoadBalance)
            {
                Assert.All(sources, source => Assert.Equal(100, source.GetStatistics().ReceivedFrames));
            }

            sources.ToList().ForEach(source => source.Dispose());
        }
    }

    [LiveCaptureFact]
    public void Read_frames_that_the_interface_sends_are_ignored()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth)));
        Send(veth.Receiver, [Frames.Ip("192.0.2.1")]);
        Send(veth.Sender, [Frames.Ip("192.0.2.2")]);
        Assert.Equal(2, Assert.Single(ReadFrames(source, 1)).Bytes[33]);
    }

    [LiveCaptureFact]
    public void Read_allocates_nothing_per_frame()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth)));
        FrameBlock block = new();
        byte[][] frames = [.. Enumerable.Repeat(Frames.Ip("192.0.2.1"), 5000)];
        AfPacketSource[] sources = [source];
        long least = long.MaxValue;
        int runs = 0;
        for (; runs < 10 && least > 0; runs++)
        {
            Send(veth.Sender, frames);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Drain(sources, block);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.Equal(5000 * runs, source.GetStatistics().ReceivedFrames);
    }

    [LiveCaptureFact]
    public void Read_binds_the_reading_thread_to_its_cpu()
    {
        using VethPair veth = new();
        using AfPacketSource source = Assert.Single(AfPacketSource.Open(Options(veth) with { Cpus = [0] }));
        string? allowed = null;
        Thread thread = new(() =>
        {
            source.Read(new FrameBlock(), TimeSpan.Zero);
            allowed = File.ReadLines("/proc/thread-self/status").Single(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
        });
        thread.Start();
        thread.Join();
        Assert.Equal("0", allowed!.Split('\t')[1]);
    }

    [LiveCaptureFact]
    public void Check_good_options_finds_nothing()
    {
        using VethPair veth = new();
        Assert.Empty(AfPacketSource.Check(Options(veth) with { Filter = "ip or ip6 or vlan", Workers = 2 }));
    }

    [LiveCaptureFact]
    public void Check_interface_absent_or_down_is_told()
    {
        using VethPair veth = new();
        VethPair.Ip("link", "set", veth.Receiver, "down");
        Assert.Equal(CaptureError.InterfaceDown, Assert.Single(AfPacketSource.Check(Options(veth))).Error);
        veth.Remove();
        Assert.Equal(CaptureError.NoSuchInterface, Assert.Single(AfPacketSource.Check(Options(veth))).Error);
    }

    private static AfPacketOptions Options(VethPair veth) => new()
    {
        Interface = veth.Receiver,

        // Many blocks: a quiet block is handed over by timeout, and the sender must not fill them all before the test reads.
        RingBytes = 16 << 20,
        BlockBytes = 128 << 10,
        BlockTimeout = TimeSpan.FromMilliseconds(5),
    };

    private static void Send(string interfaceName, IEnumerable<byte[]> frames)
    {
        using Socket socket = VethPair.OpenSender(interfaceName);
        foreach (byte[] frame in frames)
        {
            Assert.Equal(frame.Length, socket.Send(frame));
        }
    }

    private static List<Captured> ReadFrames(AfPacketSource source, int count, FrameBlock? block = null)
    {
        block ??= new FrameBlock();
        List<Captured> frames = [];
        Stopwatch clock = Stopwatch.StartNew();
        while (frames.Count < count)
        {
            Assert.True(clock.Elapsed < Patience, $"{frames.Count} of {count} frames: {source.GetStatistics()}");
            if (source.Read(block, ReadTimeout) == SourceReadStatus.Frames)
            {
                foreach (ref readonly FrameHeader frame in block.Frames)
                {
                    frames.Add(new(frame, block.Data.Slice(frame.Offset, frame.CapturedLength).ToArray()));
                }
            }
        }

        Assert.Equal(count, frames.Count);
        return frames;
    }

    private static void ReadUntil(AfPacketSource source, SourceReadStatus wanted)
    {
        FrameBlock block = new();
        ReadUntil(source, () => source.Read(block, ReadTimeout) == wanted);
    }

    private static void ReadUntil(AfPacketSource source, Func<bool> done)
    {
        Stopwatch clock = Stopwatch.StartNew();
        FrameBlock block = new();
        while (!done())
        {
            Assert.True(clock.Elapsed < Patience, source.GetStatistics().ToString());
            source.Read(block, ReadTimeout);
        }
    }

    /// <summary>Reads what is there, and gives the frames received so far.</summary>
    private static long Drain(IReadOnlyList<AfPacketSource> sources, FrameBlock? block = null)
    {
        block ??= new FrameBlock();
        long sum = 0;
        for (int i = 0; i < sources.Count; i++)
        {
            while (sources[i].Read(block, ReadTimeout) == SourceReadStatus.Frames)
            {
            }

            sum += sources[i].GetStatistics().ReceivedFrames;
        }

        return sum;
    }

    private sealed record Captured(FrameHeader Header, byte[] Bytes);
}
