using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Dataplane;

/// <summary>
/// Whatever the bytes: the decoder ends in one status, and claims nothing that is not in the frame. Real frames, cut and bent, reach further into
/// it than random ones do.
/// </summary>
public sealed class FrameDecoderRobustnessTests(ITestOutputHelper output)
{
    private const int FramesPerFile = 4;

    private static readonly Decapsulation[] Decapsulations =
        [Decapsulation.None, Decapsulation.Innermost, Decapsulation.Erspan | Decapsulation.Vxlan, Decapsulation.Gre | Decapsulation.IpInIp];

    private static readonly Lazy<List<(byte[] Bytes, FrameHeader Header)>> FirstFrames = new(() => ReadFirstFrames(CaptureCorpus.Shared ?? CaptureCorpus.Sample));

    [Fact]
    public void Decode_frames_cut_at_every_byte()
    {
        output.WriteLine(CaptureCorpus.Shared is null ? CaptureCorpus.Absent + "; the sample is cut instead" : $"{FirstFrames.Value.Count} frames");
        foreach ((byte[] bytes, FrameHeader header) in FirstFrames.Value)
        {
            for (int length = 0; length <= bytes.Length; length++)
            {
                // Long payloads have nothing to find: the last bytes and these are enough.
                length = length == 2048 ? Math.Max(length, bytes.Length - 8) : length;
                Check(bytes.AsSpan(0, length), header with { CapturedLength = length });
            }
        }
    }

    [Fact]
    public void Decode_frames_with_flipped_bits()
    {
        Random random = new(20260101);
        for (int i = 0; i < 60_000; i++)
        {
            (byte[] bytes, FrameHeader header) = Mutate(random);
            Check(bytes, header);
        }
    }

    [Fact]
    public void Decode_random_bytes_behind_tunnel_headers()
    {
        Random random = new(20260102);
        int[] linkLayers = [0, 1, 9, 12, 14, 50, 101, 108, 113, 228, 229, 276, 300];
        byte[] noise = new byte[200];
        HashSet<DecodeStatus> seen = [];
        for (int i = 0; i < 100_000; i++)
        {
            Span<byte> bytes = noise.AsSpan(0, random.Next(noise.Length));
            random.NextBytes(bytes);

            // Small numbers are more telling than random ones: version, flags, lengths, protocol numbers.
            for (int at = 0; at < bytes.Length; at++)
            {
                bytes[at] = random.Next(4) == 0 ? bytes[at] : (byte)random.Next(3);
            }

            byte[] frame = (i % 5) switch
            {
                0 => [.. bytes],
                1 => Tunnels.Frame(Tunnels.Ip("192.0.2.1", Tunnels.Gre, [(byte)(random.Next(16) << 4), 0, 0x88, 0xBE, .. bytes])),
                2 => Tunnels.Frame(Tunnels.Ip("2001:db8::1", (byte)random.Next(64), bytes)),
                3 => Tunnels.Frame(Tunnels.Ip("192.0.2.1", Tunnels.Gre, Tunnels.Erspan3(bytes, random.Next(3), random.Next(2) == 0))),
                _ => Frames.Ethernet(0x8847, bytes),
            };
            int linkLayer = i % 5 == 0 ? linkLayers[random.Next(linkLayers.Length)] : 1;
            int wire = random.Next(4) == 0 ? random.Next() : frame.Length;
            seen.UnionWith(Check(frame, new FrameHeader(0, frame.Length, wire, (ushort)random.Next(), random.Next(2) == 0, (LinkLayerType)linkLayer)));
        }

        output.WriteLine(string.Join(' ', seen));
        Assert.True(seen.Count >= 15, $"only {seen.Count} kinds of end");
    }

    [Theory]
    [InlineData(Decapsulation.None)]
    [InlineData(Decapsulation.Innermost)]
    [InlineData(Decapsulation.Erspan | Decapsulation.Vxlan)]
    public async Task Run_pipeline_counts_every_bent_frame_once(Decapsulation decapsulation)
    {
        const int Blocks = 5;
        const int BlockFrames = 1000;
        Random random = new(20260103);
        using TestSource source = new();
        long packets = 0;
        long bytes = 0;
        for (int i = 0; i < Blocks; i++)
        {
            (byte[] Bytes, FrameHeader Header)[] frames = [.. Enumerable.Range(0, BlockFrames).Select(_ => Mutate(random))];
            int next = 0;
            source.Give(
                frames.Select(f => f.Bytes),
                at => at with { LinkLayer = frames[next].Header.LinkLayer, WireLength = frames[next++].Header.WireLength });
            foreach ((byte[] frame, FrameHeader header) in frames)
            {
                bool isIp = FrameDecoder.Decode(frame, header, decapsulation, out PacketFields fields) is DecodeStatus.IPv4 or DecodeStatus.IPv6;
                packets += isIp ? 1 : 0;
                bytes += isIp ? fields.IpBytes : 0;
            }
        }

        source.End();
        using PrefixTable table = new();
        PipelineOptions options = new() { Decapsulation = decapsulation, WaitForBatch = true };
        await using CapturePipeline pipeline = new(options, [source], table.Lookup, TimeProvider.System);
        pipeline.Start();
        await pipeline.Completion.WaitAsync(TimeSpan.FromMinutes(2));
        PipelineStatistics totals = pipeline.TakeSnapshot().Statistics;
        Assert.Equal(Blocks * BlockFrames, totals.Frames);
        Assert.Equal(totals.Frames, totals.Packets + totals.NonIp + totals.Ignored + totals.Undecodable.Values.Sum() + totals.PoolExhausted);
        Assert.Equal((packets, bytes), (totals.Packets, totals.IpBytes));
        Assert.True(totals.Undecodable.Count > 3, string.Join(' ', totals.Undecodable.Keys));
    }

    private static List<(byte[] Bytes, FrameHeader Header)> ReadFirstFrames(CaptureCorpus corpus)
    {
        List<(byte[], FrameHeader)> frames = [];
        FrameBlock block = new(FramesPerFile);
        foreach (CaptureFile file in corpus.Files.Values)
        {
            try
            {
                using PcapFileSource source = PcapFileSource.Open(file.Path);
                source.Read(block, TimeSpan.Zero);
                foreach (ref readonly FrameHeader header in block.Frames)
                {
                    frames.Add((block.Data.Slice(header.Offset, header.CapturedLength).ToArray(), header with { Offset = 0 }));
                }
            }
            catch (CaptureException) when (!file.IsExact)
            {
                // Not a capture file, as the index says.
            }
        }

        return frames;
    }

    private static (byte[] Bytes, FrameHeader Header) Mutate(Random random)
    {
        (byte[] original, FrameHeader header) = FirstFrames.Value[random.Next(FirstFrames.Value.Count)];
        byte[] bytes = original.AsSpan(0, random.Next(4) == 0 ? random.Next(original.Length + 1) : Math.Min(original.Length, 4096)).ToArray();

        // Most of the headers lie near the start.
        int reach = Math.Min(bytes.Length, random.Next(2) == 0 ? 64 : 512);
        for (int flips = reach == 0 ? 0 : random.Next(1, 9); flips > 0; flips--)
        {
            bytes[random.Next(reach)] ^= (byte)(1 << random.Next(8));
        }

        return (bytes, header with { CapturedLength = bytes.Length });
    }

    /// <summary>Decodes in every way, and holds what came out against the bytes.</summary>
    private static HashSet<DecodeStatus> Check(ReadOnlySpan<byte> frame, in FrameHeader header)
    {
        HashSet<DecodeStatus> ends = [];
        DecodeStatus outer = FrameDecoder.Decode(frame, header, out PacketFields first);
        foreach (Decapsulation decapsulation in Decapsulations)
        {
            DecodeStatus status = FrameDecoder.Decode(frame, header, decapsulation, out PacketFields fields);
            ends.Add(status);
            Require(Enum.IsDefined(status) && status.ToReason().Length > 0, "a status", frame);
            Require(fields.Vlan <= 4094 && (fields.DestinationMac < 1UL << 48 || fields.DestinationMac == PacketFields.NoMac), "MAC and VLAN", frame);
            if (decapsulation == Decapsulation.None)
            {
                Require(status == outer && fields.Equals(first), "the same by both overloads", frame);
            }
            else if (outer is not (DecodeStatus.IPv4 or DecodeStatus.IPv6))
            {
                Require(status == outer, "no way behind an unreadable header", frame);
            }

            if (status is not (DecodeStatus.IPv4 or DecodeStatus.IPv6))
            {
                continue;
            }

            bool isIPv4 = status == DecodeStatus.IPv4;
            Require(fields.IpBytes >= (isIPv4 ? 20 : 40), "a packet holds its header", frame);
            Require(fields.CapturedIpBytes >= (isIPv4 ? 20 : 40) && fields.CapturedIpBytes <= frame.Length, "the header lies in the frame", frame);
            Require(fields.IpBytes <= 40 + ushort.MaxValue || fields.IpBytes <= header.WireLength, "only a long frame holds a jumbogram", frame);

            // The destination is in the frame, where a header of its version has it.
            byte[] destination = new byte[isIPv4 ? 4 : 16];
            (isIPv4 ? IpAddr.FromIPv4(fields.DestinationIPv4) : IpAddr.FromIPv6(fields.DestinationHigh, fields.DestinationLow)).WriteBytes(destination);
            int offset = isIPv4 ? 16 : 24;
            bool isThere = false;
            for (int at = frame.Length - fields.CapturedIpBytes; at >= 0 && !isThere; at--)
            {
                isThere = frame[at] >> 4 == (isIPv4 ? 4 : 6) && frame.Slice(at + offset, destination.Length).SequenceEqual(destination);
                if (decapsulation == Decapsulation.None)
                {
                    break;
                }
            }

            Require(isThere, "the destination is in the frame", frame);
        }

        return ends;
    }

    private static void Require(bool condition, string what, ReadOnlySpan<byte> frame)
    {
        if (!condition)
        {
            Assert.Fail($"{what}: {Convert.ToHexString(frame[..Math.Min(frame.Length, 512)])}");
        }
    }
}
