using System.Buffers.Binary;
using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Capture.Interop;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;
using EgressAppliance.Net.Lpm;
using EgressAppliance.Tests.Capture;

namespace EgressAppliance.Tests.Dataplane;

/// <summary>
/// The decoder's loop must count every frame as <see cref="FrameDecoder"/> and <see cref="LinkResolver"/> say of it alone, however the frames lie in memory.
/// </summary>
public sealed unsafe class BlockDecoderTests : IDisposable
{
    private readonly PrefixTable _table = new();

    public static TheoryData<string> RuleSets => ["none", "mac", "vlan", "ignored"];

    public void Dispose() => _table.Dispose();

    [Theory]
    [MemberData(nameof(RuleSets))]
    public void Decode_bent_frames_equals_one_by_one(string rules)
    {
        (byte[] Bytes, FrameHeader Header)[] frames = [.. BentFrames(seed: 5, count: 6000)];
        LinkResolver links = Links(rules);
        Expected expected = OneByOne(frames, links, Decapsulation.None);
        Assert.True(expected.Packets4.Count > 1000 && expected.Packets6.Count > 400, $"{expected.Packets4.Count}, {expected.Packets6.Count}");
        Assert.Equal(rules == "ignored", expected.Totals.Ignored > 0);
        fixed (byte* memory = Lay(frames, out FrameHeader[] headers))
        fixed (FrameHeader* first = headers)
        {
            FrameListCursor list = new(memory, first, headers.Length);
            AssertSame(expected, DecodeAll(list, links, Decapsulation.None, capacity: 100));
        }
    }

    [Theory]
    [MemberData(nameof(RuleSets))]
    public void Decode_file_records_equals_one_by_one(string rules)
    {
        // A file's frames are all Ethernet in this layout, and bring no stripped tag.
        (byte[] Bytes, FrameHeader Header)[] frames =
            [.. BentFrames(seed: 6, count: 6000).Select(f => (f.Bytes, f.Header with { LinkLayer = LinkLayerType.Ethernet, HasVlan = false, VlanTci = 0 }))];
        LinkResolver links = Links(rules);
        PcapBuilder file = new();
        foreach ((byte[] bytes, FrameHeader header) in frames)
        {
            file.Record(bytes, header.WireLength);
        }

        byte[] records = file.ToArray();
        fixed (byte* memory = records)
        {
            PcapRecordCursor cursor = new(memory, memory + records.Length - 15, memory + records.Length);
            AssertSame(OneByOne(frames, links, Decapsulation.None), DecodeAll(cursor, links, Decapsulation.None, capacity: 1024));
        }
    }

    [Theory]
    [MemberData(nameof(RuleSets))]
    public void Decode_ring_frames_equals_one_by_one(string rules)
    {
        (byte[] Bytes, FrameHeader Header)[] frames =
            [.. BentFrames(seed: 7, count: 6000).Select(f => (f.Bytes, f.Header with { LinkLayer = LinkLayerType.Ethernet }))];
        LinkResolver links = Links(rules);
        fixed (byte* memory = LayAsRing(frames))
        {
            AssertSame(
                OneByOne(frames, links, Decapsulation.None), DecodeAll(new RingFrameCursor(memory, (uint)frames.Length), links, Decapsulation.None, capacity: 1000));
        }
    }

    [Fact]
    public void Decode_with_decapsulation_goes_the_long_way()
    {
        (byte[] Bytes, FrameHeader Header)[] frames = [.. BentFrames(seed: 8, count: 3000)];
        LinkResolver links = Links("mac");
        fixed (byte* memory = Lay(frames, out FrameHeader[] headers))
        fixed (FrameHeader* first = headers)
        {
            FrameListCursor list = new(memory, first, headers.Length);
            AssertSame(OneByOne(frames, links, Decapsulation.Innermost), DecodeAll(list, links, Decapsulation.Innermost, capacity: 64));
        }
    }

    [Fact]
    public void Decode_stops_at_a_record_that_is_not_whole()
    {
        byte[] records = new PcapBuilder().Record(Frames.Ip("192.0.2.1", 40)).Record(Frames.Ip("192.0.2.2", 40)).ToArray();
        fixed (byte* memory = records)
        {
            for (int length = 0; length <= records.Length; length++)
            {
                PcapRecordCursor cursor = new(memory, memory + Math.Max(0, length - 15), memory + length);
                PacketBatch batch = new(16);
                int frames = BlockDecoder.Decode(ref cursor, Links("none"), Decapsulation.None, _table.Lookup.IPv4Prefetch, batch);
                Assert.Equal(length < records.Length / 2 ? 0 : length < records.Length ? 1 : 2, frames);
                Assert.Equal(frames * (records.Length / 2), cursor.At - memory);
            }
        }
    }

    [Fact]
    public void Decode_allocates_nothing()
    {
        (byte[] Bytes, FrameHeader Header)[] frames = [.. BentFrames(seed: 9, count: 2000)];
        LinkResolver links = Links("vlan");
        PacketBatch batch = new(1024);
        byte[] memory = Lay(frames, out FrameHeader[] headers);
        long seen = 0;
        Assert.Equal(0, Allocations.InSteadyState(() =>
        {
            fixed (byte* bytes = memory)
            fixed (FrameHeader* first = headers)
            {
                for (FrameListCursor list = new(bytes, first, headers.Length); list.HasFrame;)
                {
                    batch.Clear();
                    seen += BlockDecoder.Decode(ref list, links, Decapsulation.None, _table.Lookup.IPv4Prefetch, batch);
                }
            }
        }));
        Assert.True(seen > 0 && seen % frames.Length == 0);
    }

    private static LinkResolver Links(string rules)
    {
        Assert.True(MacAddress.TryParse(Frames.DefaultMac, out MacAddress mac));
        LinkMatch byMac = new(new LinkId(1), mac, null, null);
        return rules switch
        {
            "none" => new LinkResolver([], [], "x"),
            "mac" => new LinkResolver([byMac, new LinkMatch(new LinkId(9), null, null, "x")], [], "x"),
            "vlan" => new LinkResolver([byMac, new LinkMatch(new LinkId(2), mac, 101, null), new LinkMatch(new LinkId(3), null, 102, null)], [], "x"),
            _ => new LinkResolver([new LinkMatch(new LinkId(2), null, 101, null)], [mac], "x"),
        };
    }

    /// <summary>Frames of the usual kinds and of the sample, most of them whole, some cut, some with bits flipped or another link layer.</summary>
    private static IEnumerable<(byte[] Bytes, FrameHeader Header)> BentFrames(int seed, int count)
    {
        Random random = new(seed);
        List<byte[]> whole = [];
        foreach (CaptureFile file in CaptureCorpus.Sample.Files.Values)
        {
            using PcapFileSource source = PcapFileSource.Open(file.Path);
            FrameBlock block = new();
            while (source.Read(block, TimeSpan.Zero) == SourceReadStatus.Frames)
            {
                foreach (ref readonly FrameHeader frame in block.Frames)
                {
                    whole.Add(block.Data.Slice(frame.Offset, Math.Min(frame.CapturedLength, 300)).ToArray());
                }
            }
        }

        uint[][] tags = [[], [], [], [0x8100_0065], [0x88A8_0066], [0x8100_0000], [0x8100_0FFF], [0x88A8_0066, 0x8100_0065], [0x9100_0065]];
        string[] macs = [Frames.DefaultMac, Frames.DefaultMac, "02:00:00:00:0b:02", "02:00:00:00:0a:03", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"];
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = random.Next(4) == 0
                ? [.. whole[random.Next(whole.Count)]]
                : Frames.Ip(random.Next(3) == 0 ? "2001:db8::1" : $"192.0.2.{random.Next(256)}", random.Next(60), macs[random.Next(macs.Length)], tags[random.Next(tags.Length)]);
            for (int flips = random.Next(3) == 0 ? random.Next(1, 4) : 0; flips > 0 && bytes.Length > 0; flips--)
            {
                // Most of what decides stands in the first octets.
                bytes[random.Next(Math.Min(bytes.Length, random.Next(2) == 0 ? 24 : 80))] ^= (byte)(1 << random.Next(8));
            }

            bytes = random.Next(8) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;
            LinkLayerType linkLayer = random.Next(20) == 0 ? LinkLayerType.RawIp : LinkLayerType.Ethernet;
            bool hasVlan = random.Next(4) == 0;
            yield return (bytes, new FrameHeader(0, bytes.Length, bytes.Length, hasVlan ? (ushort)random.Next(100, 104) : (ushort)0, hasVlan, linkLayer));
        }
    }

    private static byte[] Lay((byte[] Bytes, FrameHeader Header)[] frames, out FrameHeader[] headers)
    {
        List<byte> memory = [];
        headers = new FrameHeader[frames.Length];
        for (int i = 0; i < frames.Length; i++)
        {
            headers[i] = frames[i].Header with { Offset = memory.Count };
            memory.AddRange(frames[i].Bytes);
        }

        return [.. memory];
    }

    private static byte[] LayAsRing((byte[] Bytes, FrameHeader Header)[] frames)
    {
        List<byte> memory = [];
        foreach ((byte[] bytes, FrameHeader frame) in frames)
        {
            int macOffset = sizeof(RingFrameHeader) + 10;
            RingFrameHeader header = new()
            {
                NextOffset = (uint)((macOffset + bytes.Length + 7) & ~7),
                CapturedLength = (uint)bytes.Length,
                WireLength = (uint)frame.WireLength,
                MacOffset = (ushort)macOffset,
                Status = frame.HasVlan ? LibC.TpStatusVlanValid : 0u,
                VlanTci = frame.VlanTci,
            };
            memory.AddRange(new ReadOnlySpan<byte>(&header, sizeof(RingFrameHeader)));
            memory.AddRange(new byte[10]);
            memory.AddRange(bytes);
            memory.AddRange(new byte[header.NextOffset - macOffset - bytes.Length]);
        }

        return [.. memory];
    }

    private static Expected OneByOne((byte[] Bytes, FrameHeader Header)[] frames, LinkResolver links, Decapsulation decapsulation)
    {
        Expected expected = new();
        foreach ((byte[] bytes, FrameHeader header) in frames)
        {
            DecodeStatus status = FrameDecoder.Decode(bytes, header, decapsulation, out PacketFields fields);
            int link = links.Resolve(fields.DestinationMac, fields.Vlan);
            expected.Totals.Frames++;
            if (link == LinkResolver.Ignored)
            {
                expected.Totals.Ignored++;
                continue;
            }

            expected.Totals.ByStatus[(int)status]++;
            if (status == DecodeStatus.IPv4)
            {
                expected.Packets4.Add((fields.DestinationIPv4, fields.IpBytes, (byte)link));
                expected.Totals.IpBytes += fields.IpBytes;
            }
            else if (status == DecodeStatus.IPv6)
            {
                expected.Packets6.Add((fields.DestinationHigh, fields.DestinationLow, fields.IpBytes, (byte)link));
                expected.Totals.IpBytes += fields.IpBytes;
            }
        }

        return expected;
    }

    private static void AssertSame(Expected expected, Expected actual)
    {
        Assert.Equal(expected.Packets4, actual.Packets4);
        Assert.Equal(expected.Packets6, actual.Packets6);
        Assert.Equal((expected.Totals.Frames, expected.Totals.Ignored, expected.Totals.IpBytes), (actual.Totals.Frames, actual.Totals.Ignored, actual.Totals.IpBytes));
        for (int status = 0; status < DecodeStatusNames.Count; status++)
        {
            Assert.Equal(expected.Totals.ByStatus[status], actual.Totals.ByStatus[status]);
        }
    }

    private Expected DecodeAll<TCursor>(TCursor cursor, LinkResolver links, Decapsulation decapsulation, int capacity)
        where TCursor : struct, IFrameCursor
    {
        Expected sum = new();
        PacketBatch batch = new(capacity);
        while (cursor.HasFrame)
        {
            batch.Clear();
            int frames = BlockDecoder.Decode(ref cursor, links, decapsulation, _table.Lookup.IPv4Prefetch, batch);
            Assert.Equal(frames, batch.Totals.Frames);
            Assert.True(batch.IsFull || !cursor.HasFrame);
            for (int i = 0; i < batch.Count4; i++)
            {
                sum.Packets4.Add((batch.Destinations4[i], batch.Lengths4[i], batch.Links4[i]));
            }

            for (int i = 0; i < batch.Count6; i++)
            {
                sum.Packets6.Add((batch.Highs6[i], batch.Lows6[i], batch.Lengths6[i], batch.Links6[i]));
            }

            sum.Totals.Add(batch.Totals);
        }

        return sum;
    }

    private sealed class Expected
    {
        public FrameTotals Totals;

        public List<(uint Destination, uint IpBytes, byte Link)> Packets4 { get; } = [];

        public List<(ulong High, ulong Low, uint IpBytes, byte Link)> Packets6 { get; } = [];
    }
}
