using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using Microsoft.Win32.SafeHandles;

namespace EgressAppliance.Tests.Capture;

public sealed class PcapFileSourceTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(0xA1B2C3D4, false)]
    [InlineData(0xA1B2C3D4, true)]
    [InlineData(0xA1B23C4D, false)]
    [InlineData(0xA1B23C4D, true)]
    public void Read_pcap_of_any_byte_order_and_resolution(uint magic, bool bigEndian)
    {
        byte[] first = Frames.Ip("192.0.2.1");
        byte[] second = Frames.Ip("2001:db8::1", 300);
        List<Captured> frames = ReadAll(new PcapBuilder(bigEndian).FileHeader(magic, linkType: 113).Record(first, 1500).Record(second), out SourceStatistics statistics);
        Assert.Equal([first, second], frames.Select(f => f.Bytes));
        Assert.Equal([1500, second.Length], frames.Select(f => f.Header.WireLength));
        Assert.All(frames, f => Assert.Equal(LinkLayerType.LinuxSll, f.Header.LinkLayer));
        Assert.Equal(new SourceStatistics(2, 0, 0), statistics);
    }

    [Fact]
    public void Read_modified_pcap_steps_over_longer_record_headers()
    {
        PcapBuilder file = new PcapBuilder().FileHeader(0xA1B2CD34);
        file.UInt32(1).UInt32(2).UInt32(3).UInt32(3).UInt32(7).UInt32(0).Bytes([1, 2, 3]);
        Assert.Equal([1, 2, 3], Assert.Single(ReadAll(file, out _)).Bytes);
    }

    [Fact]
    public void Read_pcap_before_2_3_has_lengths_in_the_other_order()
    {
        PcapBuilder file = new PcapBuilder().FileHeader(minor: 2);
        file.UInt32(1).UInt32(2).UInt32(60).UInt32(3).Bytes([1, 2, 3]);
        Captured frame = Assert.Single(ReadAll(file, out _));
        Assert.Equal((3, 60), (frame.Header.CapturedLength, frame.Header.WireLength));
    }

    [Fact]
    public void Read_link_type_without_the_fcs_bits()
    {
        List<Captured> frames = ReadAll(new PcapBuilder().FileHeader(linkType: 0x5400_0001).Record([1]), out _);
        Assert.Equal(LinkLayerType.Ethernet, Assert.Single(frames).Header.LinkLayer);
    }

    [Fact]
    public void Read_pcapng_with_sections_of_both_byte_orders_and_all_packet_blocks()
    {
        PcapBuilder file = new PcapBuilder()
            .Section().Interface(1, snapLength: 4).Interface(101)
            .Block(0x0BAD, new PcapBuilder().UInt32(42))
            .Enhanced(1, [1, 2, 3, 4, 5], 1500)
            .Simple(9, [6, 7, 8, 9])
            .Obsolete(0, [10, 11])
            .Append(new PcapBuilder(bigEndian: true).Section().Interface(276).Enhanced(0, [12]).Simple(2, [13, 14]));
        List<Captured> frames = ReadAll(file, out SourceStatistics statistics);
        Assert.Null(statistics.Message);
        Assert.Equal([[1, 2, 3, 4, 5], [6, 7, 8, 9], [10, 11], [12], [13, 14]], frames.Select(f => f.Bytes));
        Assert.Equal([101, 1, 1, 276, 276], frames.Select(f => (int)f.Header.LinkLayer));
        Assert.Equal([1500, 9, 2, 1, 2], frames.Select(f => f.Header.WireLength));
    }

    [Fact]
    public void Read_file_cut_anywhere_gives_whole_frames_and_says_so()
    {
        byte[] frame = Frames.Ip("192.0.2.1");
        byte[] pcap = new PcapBuilder().FileHeader().Record(frame).Record(frame).ToArray();
        byte[] pcapng = new PcapBuilder().Section().Interface().Enhanced(0, frame).Enhanced(0, frame).ToArray();
        int[] wholePcap = [24, 24 + 16 + frame.Length, pcap.Length];
        for (int length = 24; length <= pcap.Length; length++)
        {
            Check(pcap.AsSpan(0, length), wholePcap.Count(end => end <= length) - 1, wholePcap.Contains(length));
        }

        int block = (pcapng.Length - 48) / 2;
        int[] wholePcapng = [48, 48 + block, pcapng.Length];
        for (int length = 49; length <= pcapng.Length; length++)
        {
            Check(pcapng.AsSpan(0, length), wholePcapng.Count(end => end <= length) - 1, wholePcapng.Contains(length));
        }

        void Check(ReadOnlySpan<byte> bytes, int frames, bool whole)
        {
            Assert.Equal(frames, ReadAll(new PcapBuilder().Bytes(bytes), out SourceStatistics statistics).Count);
            Assert.True(whole ? statistics.Message is null : statistics.Message!.StartsWith("the file is cut short", StringComparison.Ordinal), statistics.Message);
        }
    }

    [Fact]
    public void Read_contradictions_end_the_file_with_a_message()
    {
        byte[] frame = [1, 2, 3, 4];
        PcapBuilder Start() => new PcapBuilder().Section().Interface().Enhanced(0, frame);
        PcapBuilder[] files =
        [
            new PcapBuilder().FileHeader().Record(frame).UInt32(0).UInt32(0).UInt32(0xFFFF_FFF0).UInt32(0),
            Start().UInt32(6).UInt32(4).UInt32(0),
            Start().Enhanced(1, frame),
            Start().Block(6, new PcapBuilder().UInt32(0).UInt32(0).UInt32(0).UInt32(400).UInt32(400).Bytes(frame)),
            Start().Block(6, new PcapBuilder().UInt32(0)),
            Start().Block(1, new PcapBuilder().UInt32(0)),
            Start().Block(0x0A0D0D0A, new PcapBuilder().UInt32(0x11111111).UInt32(0).UInt32(0).UInt32(0)),
            Start().UInt32(6).UInt32(36).Bytes(new byte[24]).UInt32(40),
        ];
        foreach (PcapBuilder file in files)
        {
            Assert.Equal(frame, Assert.Single(ReadAll(file, out SourceStatistics statistics)).Bytes);
            Assert.Contains("at offset", statistics.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_random_bytes_and_flipped_bits_ends()
    {
        Random random = new(7);
        byte[] pcap = new PcapBuilder().FileHeader().Record(Frames.Ip("192.0.2.1")).Record(Frames.Ip("192.0.2.2")).ToArray();
        byte[] pcapng = new PcapBuilder().Section().Interface().Enhanced(0, Frames.Ip("192.0.2.1")).Simple(50, new byte[50]).ToArray();
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = [.. (i % 2 == 0 ? pcap : pcapng)];
            for (int flips = random.Next(1, 6); flips > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }

            try
            {
                List<Captured> frames = ReadAll(new PcapBuilder().Bytes(bytes), out SourceStatistics statistics);
                Assert.Equal(frames.Count, statistics.ReceivedFrames);
            }
            catch (CaptureException e)
            {
                Assert.Equal(CaptureError.UnknownFileFormat, e.Error);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_through_small_windows_gives_the_same_frames(bool pcapng)
    {
        Random random = new(3);
        byte[][] sent = [.. Enumerable.Range(0, 700).Select(_ => RandomBytes(random, random.Next(2000)))];
        PcapBuilder file = pcapng ? new PcapBuilder().Section().Interface() : new PcapBuilder().FileHeader();
        foreach (byte[] frame in sent)
        {
            _ = pcapng ? file.Enhanced(0, frame).Block(99, new PcapBuilder().Bytes(new byte[random.Next(500)])) : file.Record(frame);
        }

        Assert.True(file.ToArray().Length > 8 * (64 << 10));
        Assert.Equal(sent, ReadAll(file, out SourceStatistics statistics, windowBytes: 64 << 10).Select(f => f.Bytes));
        Assert.Null(statistics.Message);
    }

    [Fact]
    public void Read_frame_longer_than_the_window_makes_it_grow()
    {
        List<Captured> frames = ReadAll(
            new PcapBuilder().FileHeader().Record([1]).Record(new byte[700_000]).Record([2]), out SourceStatistics statistics, windowBytes: 64 << 10);
        Assert.Equal([1, 700_000, 1], frames.Select(f => f.Bytes.Length));
        Assert.Null(statistics.Message);
    }

    [Fact]
    public void Read_file_of_more_than_4_GiB()
    {
        // A hole in a block of an unknown type: the file takes no room on disk.
        byte[] head = new PcapBuilder().Section().Interface().Enhanced(0, [1, 2, 3]).ToArray();
        const long Hole = 3L << 30;
        using (SafeFileHandle file = File.OpenHandle(_path, FileMode.Create, FileAccess.Write))
        {
            long at = 0;
            Write(head);
            for (int i = 0; i < 2; i++)
            {
                Write(new PcapBuilder().UInt32(99).UInt32(Hole).ToArray());
                at += Hole - 8;
            }

            Write(new PcapBuilder().Enhanced(0, [4, 5]).ToArray());

            void Write(byte[] bytes)
            {
                RandomAccess.Write(file, bytes, at);
                at += bytes.Length;
            }
        }

        using PcapFileSource source = PcapFileSource.Open(_path);
        Assert.Equal([[1, 2, 3], [4, 5]], ReadAll(source).Select(f => f.Bytes));
        Assert.Null(source.GetStatistics().Message);
    }

    [Theory]
    [InlineData("", CaptureError.FileUnreadable, "empty")]
    [InlineData("hello, this is no capture file", CaptureError.UnknownFileFormat, "neither pcap nor pcapng")]
    [InlineData("abc", CaptureError.UnknownFileFormat, "neither pcap nor pcapng")]
    public void Open_other_files_says_what_they_are(string content, CaptureError error, string reason)
    {
        File.WriteAllText(_path, content);
        CaptureException exception = Assert.Throws<CaptureException>(() => PcapFileSource.Open(_path));
        Assert.Equal((error, _path), (exception.Error, exception.SourceName));
        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nonexistent/file.pcap")]
    [InlineData("/tmp")]
    [InlineData("/dev/null")]
    public void Open_what_is_no_regular_file_is_refused(string path) =>
        Assert.Equal(CaptureError.FileUnreadable, Assert.Throws<CaptureException>(() => PcapFileSource.Open(path)).Error);

    private static byte[] RandomBytes(Random random, int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static List<Captured> ReadAll(PcapFileSource source)
    {
        FrameBlock block = new(capacity: 5);
        List<Captured> frames = [];
        while (source.Read(block, TimeSpan.Zero) == SourceReadStatus.Frames)
        {
            foreach (ref readonly FrameHeader frame in block.Frames)
            {
                frames.Add(new(frame, block.Data.Slice(frame.Offset, frame.CapturedLength).ToArray()));
            }
        }

        Assert.Equal(SourceReadStatus.End, source.Read(block, TimeSpan.Zero));
        return frames;
    }

    private List<Captured> ReadAll(PcapBuilder file, out SourceStatistics statistics, int windowBytes = PcapFileSource.DefaultWindowBytes)
    {
        File.WriteAllBytes(_path, file.ToArray());
        using PcapFileSource source = PcapFileSource.Open(_path, _path, windowBytes, long.MaxValue);
        List<Captured> frames = ReadAll(source);
        statistics = source.GetStatistics();
        return frames;
    }

    private sealed record Captured(FrameHeader Header, byte[] Bytes);
}
