using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Dataplane;

/// <summary>
/// Decodes real captures and compares every single frame, its first and its innermost IP header, with what tshark found.
/// </summary>
/// <remarks>
/// Where an IP header lies behind a link layer that is not one of ours (kind x in the truth), the frame must either be skipped or
/// give tshark's numbers.
/// </remarks>
public class FrameDecoderTruthTests(ITestOutputHelper output)
{
    [Fact]
    public void Decode_sample_captures_every_frame_as_truth_says() => CheckCorpus(CaptureCorpus.Sample, minFiles: 35);

    [Fact]
    public void Decode_shared_captures_every_frame_as_truth_says()
    {
        if (CaptureCorpus.Shared is not { } corpus)
        {
            output.WriteLine(CaptureCorpus.Absent);
            return;
        }

        CheckCorpus(corpus, minFiles: 1393);
    }

    private void CheckCorpus(CaptureCorpus corpus, int minFiles)
    {
        int files = 0;
        int frames = 0;
        int tunnelled = 0;
        int skippedExotic = 0;
        List<string> wrong = [];
        foreach (CaptureFile file in corpus.Files.Values.Where(f => f.IsExact))
        {
            files++;
            Dictionary<IpAddr, (long Packets, long Bytes)> outerTotals = [];
            Dictionary<IpAddr, (long Packets, long Bytes)> innerTotals = [];
            TruthQueue truths = new(file.FrameTruths);
            Walk(file.Path, (frame, header) =>
            {
                frames++;
                (IpAddr Destination, long Bytes)? outer = Decode(frame, header, Decapsulation.None, out DecodeStatus outerStatus);
                (IpAddr Destination, long Bytes)? inner = Decode(frame, header, Decapsulation.Innermost, out DecodeStatus innerStatus);
                FrameTruth? truth = truths.Next(frame.Length);
                if (truth is null)
                {
                    wrong.Add($"{file.Name}: a frame too many");
                    return;
                }

                if (truth.Kind == 'x')
                {
                    skippedExotic += outer is null ? 1 : 0;
                    if (outer is null && inner is null)
                    {
                        return;
                    }
                }
                else
                {
                    Add(outerTotals, outer);
                    Add(innerTotals, inner);
                }

                tunnelled += truth.Inner != truth.Outer ? 1 : 0;
                if (outer != truth.Outer || inner != truth.Inner)
                {
                    wrong.Add($"{file.Name} {truth.Number} {truth.Kind} {truth.Layers}: outer {outer} ({outerStatus}) for {truth.Outer}, inner {inner} ({innerStatus}) for {truth.Inner}");
                }
            });
            if (truths.Next(-1) is { } missing)
            {
                wrong.Add($"{file.Name} {missing.Number}: not seen");
            }

            // The frames add up to the totals that the truth file has.
            if (!CaptureCorpus.SameTotals(file.Outer, outerTotals) || !CaptureCorpus.SameTotals(file.Inner, innerTotals))
            {
                wrong.Add($"{file.Name}: totals");
            }
        }

        output.WriteLine($"{files} files, {frames} frames, {tunnelled} of them in tunnels, {skippedExotic} skipped behind link layers of other kinds; {wrong.Count} differ");
        wrong.ForEach(output.WriteLine);
        Assert.True(files >= minFiles, $"only {files} files");
        Assert.Empty(wrong);
    }

    private delegate void FrameAction(ReadOnlySpan<byte> frame, FrameHeader header);

    private static void Walk(string path, FrameAction action)
    {
        using PcapFileSource source = PcapFileSource.Open(path);
        FrameBlock block = new();
        while (source.Read(block, TimeSpan.Zero) == SourceReadStatus.Frames)
        {
            foreach (ref readonly FrameHeader header in block.Frames)
            {
                action(block.Data.Slice(header.Offset, header.CapturedLength), header);
            }
        }
    }

    private static (IpAddr Destination, long Bytes)? Decode(
        ReadOnlySpan<byte> frame, in FrameHeader header, Decapsulation decapsulation, out DecodeStatus status)
    {
        status = FrameDecoder.Decode(frame, header, decapsulation, out PacketFields fields);
        return status switch
        {
            DecodeStatus.IPv4 => (IpAddr.FromIPv4(fields.DestinationIPv4), fields.IpBytes),
            DecodeStatus.IPv6 => (IpAddr.FromIPv6(fields.DestinationHigh, fields.DestinationLow), fields.IpBytes),
            _ => null,
        };
    }

    private static void Add(Dictionary<IpAddr, (long Packets, long Bytes)> totals, (IpAddr Destination, long Bytes)? packet)
    {
        if (packet is { } p)
        {
            (long packets, long bytes) = totals.GetValueOrDefault(p.Destination);
            totals[p.Destination] = (packets + 1, bytes + p.Bytes);
        }
    }

    /// <summary>The truth's frames in order, without those that are no packets: they have no IP, and a length that is not the next frame's.</summary>
    private sealed class TruthQueue(List<FrameTruth> truths)
    {
        private int _next;

        public FrameTruth? Next(int capturedLength)
        {
            while (_next < truths.Count && truths[_next].Layers == "data" && truths[_next].CapturedLength != capturedLength)
            {
                _next++;
            }

            return _next < truths.Count ? truths[_next++] : null;
        }
    }
}
