using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using PacketDotNet;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Dataplane;

/// <summary>
/// PacketDotNet's reading of every Ethernet frame of the captures, beside ours: the first IP header, and the last where it follows a tunnel too.
/// </summary>
/// <remarks>
/// Built with <c>-p:WithSharpPcap=true</c> only. PacketDotNet does not decide which headers are whole and sound, so frames that we call undecodable are not
/// compared, and neither are those for which it throws or finds no IP header at all.
///
/// What lies in a tunnel is not compared where PacketDotNet 1.4.8 reads otherwise, or not at all: it follows Teredo (UDP port 3544), which is none of our tunnels;
/// it takes the GRE checksum for 2 octets where RFC 2784 section 2.1 has 4 with the reserved ones; it counts the length of AH in IPv6 in units of 8
/// octets where RFC 4302 section 2.2 has 4; it does not read PPP in GRE.
/// </remarks>
public sealed class PacketDotNetTests(ITestOutputHelper output)
{
    [Fact]
    public void Decode_and_PacketDotNet_agree_on_ethernet_frames()
    {
        CaptureCorpus corpus = CaptureCorpus.Shared ?? CaptureCorpus.Sample;
        output.WriteLine(corpus == CaptureCorpus.Shared ? "all captures" : CaptureCorpus.Absent + "; the sample only");
        int outerCompared = 0;
        int innerCompared = 0;
        int unparsed = 0;
        List<string> wrong = [];
        foreach (CaptureFile file in corpus.Files.Values.Where(f => f.IsExact && f.LinkLayers == "ethernet"))
        {
            using PcapFileSource source = PcapFileSource.Open(file.Path);
            FrameBlock block = new();
            int number = 0;
            while (source.Read(block, TimeSpan.Zero) == SourceReadStatus.Frames)
            {
                foreach (ref readonly FrameHeader header in block.Frames)
                {
                    number++;
                    ReadOnlySpan<byte> frame = block.Data.Slice(header.Offset, header.CapturedLength);
                    if (Decode(frame, header, Decapsulation.None) is not { } outer || Decode(frame, header, Decapsulation.Innermost) is not { } inner)
                    {
                        continue;
                    }

                    List<(IpAddr Destination, long Bytes)> theirs = Parse(frame.ToArray());
                    if (theirs.Count == 0)
                    {
                        unparsed++;
                        continue;
                    }

                    outerCompared++;
                    innerCompared += theirs.Count > 1 ? 1 : 0;
                    if (theirs[0] != outer || (theirs.Count > 1 && theirs[^1] != inner))
                    {
                        wrong.Add($"{file.Name} {number}: {string.Join(" / ", theirs)} for {outer} / {inner}");
                    }
                }
            }
        }

        output.WriteLine($"{outerCompared} first headers and {innerCompared} inner ones compared, {unparsed} frames that PacketDotNet does not parse, {wrong.Count} differ");
        wrong.ForEach(output.WriteLine);
        Assert.Empty(wrong);
        Assert.True(outerCompared > 40);
    }

    private static (IpAddr Destination, long Bytes)? Decode(ReadOnlySpan<byte> frame, in FrameHeader header, Decapsulation decapsulation)
    {
        DecodeStatus status = FrameDecoder.Decode(frame, header, decapsulation, out PacketFields fields);
        return status switch
        {
            DecodeStatus.IPv4 => (IpAddr.FromIPv4(fields.DestinationIPv4), fields.IpBytes),
            DecodeStatus.IPv6 => (IpAddr.FromIPv6(fields.DestinationHigh, fields.DestinationLow), fields.IpBytes),
            _ => null,
        };
    }

    /// <summary>All IP headers, as far as PacketDotNet gets.</summary>
    private static List<(IpAddr Destination, long Bytes)> Parse(byte[] frame)
    {
        List<(IpAddr, long)> headers = [];
        try
        {
            Packet? packet = Packet.ParsePacket(LinkLayers.Ethernet, frame);
            while (packet is not null)
            {
                if (packet is IPv4Packet four)
                {
                    headers.Add((IpAddr.Parse(four.DestinationAddress.ToString(), null), four.TotalLength));
                }
                else if (packet is IPv6Packet six)
                {
                    headers.Add((IpAddr.Parse(six.DestinationAddress.ToString(), null), IPv6Fields.HeaderLength + six.PayloadLength));
                }

                Packet? next = packet.HasPayloadPacket ? packet.PayloadPacket : null;
                bool isReadOtherwise = packet switch
                {
                    UdpPacket => next is IPPacket,
                    GrePacket gre => gre.HasCheckSum || next is null,
                    IPv6Packet { NextHeader: ProtocolType.IPSecAuthenticationHeader } => true,
                    _ => false,
                };
                if (isReadOtherwise)
                {
                    return headers[..1];
                }

                packet = next;
            }
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or InvalidOperationException or NotImplementedException or NotSupportedException or OverflowException)
        {
            // It checks less than we do and throws on what is cut.
        }

        return headers;
    }
}
