using System.Runtime.InteropServices;
using EgressAppliance.Capture;
using EgressAppliance.Capture.SharpPcap;

namespace EgressAppliance.Tests.Capture;

public class SharpPcapSourceTests
{
    [Fact]
    public void Read_copies_frames_until_none_comes()
    {
        FakeDevice device = new([[1, 2, 3], [4], [], null, [5, 6]]);
        using SharpPcapSource source = new("eth0", () => device, TimeProvider.System);
        FrameBlock block = new();
        Assert.Equal(SourceReadStatus.Frames, source.Read(block, TimeSpan.FromMinutes(1)));
        Assert.Equal([[1, 2, 3], [4], []], Bytes(block));
        Assert.Equal(new FrameHeader(0, 3, 1003, 0, false, LinkLayerType.RawIp), block.Frames[0]);
        Assert.Equal(SourceReadStatus.Frames, source.Read(block, TimeSpan.FromMinutes(1)));
        Assert.Equal([[5, 6]], Bytes(block));
        Assert.Equal(SourceReadStatus.Timeout, source.Read(block, TimeSpan.Zero));
        Assert.Equal(new SourceStatistics(4, 0, 0), source.GetStatistics());
    }

    [Fact]
    public void Read_full_block_or_buffer_keeps_the_frame_for_the_next_read()
    {
        byte[][] frames = [.. Enumerable.Range(0, 40).Select(i => Enumerable.Repeat((byte)i, 60_000).ToArray())];
        using SharpPcapSource byBuffer = new("eth0", () => new FakeDevice(frames), TimeProvider.System);
        Assert.Equal(frames, ReadAll(byBuffer, new FrameBlock()));
        using SharpPcapSource byBlock = new("eth0", () => new FakeDevice(frames), TimeProvider.System);
        Assert.Equal(frames, ReadAll(byBlock, new FrameBlock(capacity: 3)));
    }

    [Fact]
    public void GetStatistics_drop_counter_that_wraps_is_widened()
    {
        FakeDevice device = new([]);
        using SharpPcapSource source = new("eth0", () => device, TimeProvider.System);
        foreach (uint dropped in (uint[])[4_000_000_000, 4_294_967_295, 5])
        {
            device.Dropped = dropped;
            source.Read(new FrameBlock(), TimeSpan.Zero);
        }

        Assert.Equal(4_294_967_296 + 5, source.GetStatistics().DroppedFrames);
    }

    [Fact]
    public void Read_error_makes_it_unavailable_until_it_opens_again()
    {
        int opened = 0;
        FakeDevice first = new([[1]]) { EndsWithError = true, Dropped = 7 };
        using SharpPcapSource source = new(
            "eth0",
            () => ++opened switch
            {
                1 => first,
                2 => throw new CaptureException(CaptureError.NoSuchInterface, "eth0", "no such interface"),
                _ => new FakeDevice([[2]]) { Dropped = 3 },
            },
            TimeProvider.System);
        FrameBlock block = new();
        Assert.Equal(SourceReadStatus.Frames, source.Read(block, TimeSpan.FromMinutes(1)));
        Assert.True(first.IsDisposed);
        Assert.Equal("eth0: it is gone", source.GetStatistics().Message);
        Assert.Equal(SourceReadStatus.Unavailable, source.Read(block, TimeSpan.Zero));
        Assert.Equal("eth0: no such interface", source.GetStatistics().Message);
        Assert.Equal(SourceReadStatus.Frames, source.Read(block, TimeSpan.FromMinutes(1)));
        Assert.Equal(new SourceStatistics(2, 10, 0), source.GetStatistics());
    }

    private static List<byte[]> ReadAll(SharpPcapSource source, FrameBlock block)
    {
        List<byte[]> all = [];
        while (source.Read(block, TimeSpan.FromMinutes(1)) == SourceReadStatus.Frames)
        {
            all.AddRange(Bytes(block));
        }

        return all;
    }

    private static List<byte[]> Bytes(FrameBlock block)
    {
        List<byte[]> all = [];
        foreach (ref readonly FrameHeader frame in block.Frames)
        {
            all.Add(block.Data.Slice(frame.Offset, frame.CapturedLength).ToArray());
        }

        return all;
    }

    /// <summary>Gives frames as pcap_next_ex does: in memory that the next call overwrites. Null: none in time.</summary>
    private sealed unsafe class FakeDevice(byte[]?[] frames) : IPcapDevice
    {
        private readonly byte* _memory = (byte*)NativeMemory.AllocZeroed(70_000);
        private int _next;

        public bool EndsWithError { get; init; }

        public bool IsDisposed { get; private set; }

        public int LinkType => 101;

        public string LastError => "it is gone";

        public uint Dropped { get; set; }

        public int NextPacket(ref nint header, ref nint data)
        {
            if (_next == frames.Length)
            {
                return EndsWithError ? -1 : 0;
            }

            if (frames[_next++] is not { } frame)
            {
                return 0;
            }

            new Span<byte>(_memory, 70_000).Fill(0xEE);
            *(uint*)(_memory + 16) = (uint)frame.Length;
            *(uint*)(_memory + 20) = (uint)frame.Length + 1000;
            frame.CopyTo(new Span<byte>(_memory + 24, 69_000));
            header = (nint)_memory;
            data = (nint)(_memory + 24);
            return 1;
        }

        public void Dispose()
        {
            if (!IsDisposed)
            {
                IsDisposed = true;
                NativeMemory.Free(_memory);
            }
        }
    }
}
