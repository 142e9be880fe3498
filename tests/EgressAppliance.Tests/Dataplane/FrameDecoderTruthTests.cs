using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Dataplane;

public class FrameDecoderTruthTests(ITestOutputHelper output)
{
    [Fact]
    public void Decode_sample_captures_equal_truth() => CheckCorpus(CaptureCorpus.Sample, minPlainFiles: 8);

    [Fact]
    public void Decode_shared_captures_equal_truth() =>
        CheckCorpus(CaptureCorpus.Shared ?? CaptureCorpus.Sample, CaptureCorpus.Shared is null ? 8 : 900);

    private static Dictionary<IpAddr, (long Packets, long Bytes)> Decode(CaptureFile file, out long frames)
    {
        Dictionary<IpAddr, (long Packets, long Bytes)> totals = [];
        frames = 0;
        PcapFileSource source;
        try
        {
            source = PcapFileSource.Open(file.Path);
        }
        catch (CaptureException) when (!file.IsExact)
        {
            return totals;
        }

        using (source)
        {
            FrameBlock block = new();
            while (source.Read(block, TimeSpan.Zero) == SourceReadStatus.Frames)
            {
                foreach (ref readonly FrameHeader frame in block.Frames)
                {
                    frames++;
                    DecodeStatus status = FrameDecoder.Decode(
                        block.Data.Slice(frame.Offset, frame.CapturedLength), frame, out PacketFields fields);
                    if (status is DecodeStatus.IPv4 or DecodeStatus.IPv6)
                    {
                        IpAddr destination = status == DecodeStatus.IPv4
                            ? IpAddr.FromIPv4(fields.DestinationIPv4)
                            : IpAddr.FromIPv6(fields.DestinationHigh, fields.DestinationLow);
                        (long packets, long bytes) = totals.GetValueOrDefault(destination);
                        totals[destination] = (packets + 1, bytes + fields.IpBytes);
                    }
                }
            }
        }

        return totals;
    }

    private void CheckCorpus(CaptureCorpus corpus, int minPlainFiles)
    {
        int plain = 0;
        int plainEqual = 0;
        int other = 0;
        int otherEqual = 0;
        List<string> wrong = [];
        foreach (CaptureFile file in corpus.Files.Values)
        {
            Dictionary<IpAddr, (long Packets, long Bytes)> actual = Decode(file, out long frames);
            if (!file.IsExact)
            {
                continue;
            }

            // tshark counts some pcapng blocks that hold no packet (systemd journal entries) as frames, of an encapsulation of their own.
            bool isPlain = file.IsPlainEthernet && file.LinkLayers == "ethernet" && !file.HasExoticFrames;
            bool equal = CaptureCorpus.SameTotals(file.Outer, actual) && (!isPlain || frames == file.Frames);
            plain += isPlain ? 1 : 0;
            plainEqual += isPlain && equal ? 1 : 0;
            other += isPlain ? 0 : 1;
            otherEqual += !isPlain && equal ? 1 : 0;
            if (!equal)
            {
                wrong.Add($"{(isPlain ? "plain" : "other")} {file.LinkLayers} exotic={file.HasExoticFrames} frames {frames}/{file.Frames} {file.Name}");
            }
        }

        output.WriteLine($"Ethernet, VLAN and IP alone: {plainEqual} of {plain} equal; others: {otherEqual} of {other} equal");
        wrong.ForEach(output.WriteLine);
        Assert.True(plain >= minPlainFiles, $"only {plain} plain files");
        Assert.Equal(plain, plainEqual);
    }
}
