using System.Globalization;
using EgressAppliance.Flow;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Flow;

public sealed class SFlow5Tests
{
    private static readonly IpAddr Agent = IpAddr.FromIPv4(0xC0000209);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decode_reads_a_tagged_ipv4_packet_and_skips_the_rest(bool expanded)
    {
        DatagramWriter packet = W().U64(0).U32(0).U16(0x8100).U16(0x0064).U16(0x0800).Bytes(IPv4(1500));
        var decoder = new FlowDecoder();
        List<FlowRecord> records = [];
        byte[] datagram = Header(2, 1)
            .Bytes(Sample(expanded, 1, 1, packet, 1518)).U32(2).U32(4).U32(0).ToArray();
        Assert.Equal(FlowStatus.Decoded, decoder.Decode(IpAddr.FromIPv4(1), datagram, 0, records));
        FlowRecord expected = new()
        {
            Protocol = FlowProtocol.SFlow5,
            Exporter = Agent,
            Domain = 3,
            Destination = IpAddr.FromIPv4(0xC6336405),
            Bytes = 1500,
            Packets = 1,
            InputInterface = 5,
            OutputInterface = 6,
            SamplingInterval = 1000,
        };
        Assert.Equal(expected, Assert.Single(records));
        Assert.Equal((1, 1), (decoder.Statistics.CounterSamples, decoder.Statistics.SkippedRecords));
    }

    [Fact]
    public void Decode_reads_an_ipv6_header_without_ethernet()
    {
        DatagramWriter packet = W().U32(0x60000000).U16(100).U8(59).U8(64).U64(1).U64(2).U64(0x20010DB8_00000000).U64(5);
        List<FlowRecord> records = [];
        Assert.Equal(FlowStatus.Decoded, new FlowDecoder().Decode(default, Header(1, 1).Bytes(Sample(false, 1, 12, packet, 140)).ToArray(), 0, records));
        Assert.Equal((IpAddr.Parse("2001:db8::5", CultureInfo.InvariantCulture), 140ul), (records[0].Destination, records[0].Bytes));
    }

    [Fact]
    public void Decode_sample_without_ip_is_counted()
    {
        var decoder = new FlowDecoder();
        DatagramWriter arp = W().U64(0).U32(0).U16(0x0806).U64(0);
        Assert.Equal(FlowStatus.NoDestination, decoder.Decode(default, Header(1, 1).Bytes(Sample(false, 1, 1, arp, 64)).ToArray(), 0, new List<FlowRecord>()));
        Assert.Equal(1, decoder.Statistics.Count(FlowStatus.NoDestination));
    }

    [Fact]
    public void Sequences_of_datagrams_and_samples_are_followed_apart()
    {
        var decoder = new FlowDecoder();
        foreach ((uint datagram, uint sample) in new[] { (1u, 1u), (3u, 6u) })
        {
            DatagramWriter packet = W().Bytes(IPv4(40));
            decoder.Decode(default, Header(1, datagram).Bytes(Sample(false, sample, 11, packet, 40)).ToArray(), 0, new List<FlowRecord>());
        }

        Assert.Equal(1, decoder.Sequence(FlowProtocol.SFlow5, Agent, 3)!.Lost);
        Assert.Equal(4, decoder.Sequence(FlowProtocol.SFlow5, Agent, 3, 8)!.Lost);
    }

    private static DatagramWriter W() => new();

    private static DatagramWriter Header(int samples, uint sequence) =>
        W().U32(5).U32(1).U32(0xC0000209).U32(3).U32(sequence).U32(1000).U32(samples);

    private static byte[] IPv4(int length) =>
        W().U16(0x4500).U16(length).U32(0).U16(0x4006).U16(0).U32(0x0A000001).U32(0xC6336405).ToArray();

    private static byte[] Sample(bool expanded, uint sequence, int protocol, DatagramWriter packet, int frameLength)
    {
        byte[] header = packet.ToArray();
        DatagramWriter raw = W().U32(protocol).U32(frameLength).U32(0).U32(header.Length).Bytes(header);
        while (raw.Length % 4 != 0)
        {
            raw.U8(0);
        }

        DatagramWriter body = W().U32(sequence);
        body = expanded ? body.U32(0).U32(8) : body.U32(8);
        body.U32(1000).U32(9).U32(0);
        body = expanded ? body.U32(0).U32(5).U32(0).U32(6) : body.U32(5).U32(6);
        body.U32(2).U32(1002).U32(4).U32(0).U32(1).U32(raw.Length).Bytes(raw.ToArray());
        return W().U32(expanded ? 3 : 1).U32(body.Length).Bytes(body.ToArray()).ToArray();
    }
}
