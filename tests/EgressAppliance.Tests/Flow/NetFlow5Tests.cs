using System.Globalization;
using EgressAppliance.Flow;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Flow;

public sealed class NetFlow5Tests
{
    private static readonly IpAddr Exporter = IpAddr.Parse("192.0.2.1", CultureInfo.InvariantCulture);

    [Fact]
    public void Decode_reads_each_field()
    {
        List<FlowRecord> records = [];
        byte[] datagram = Header(1, 10_000, 100).Bytes(Record(5).ToArray()).ToArray();
        Assert.Equal(FlowStatus.Decoded, new FlowDecoder().Decode(Exporter, datagram, 0, records));
        Assert.Equal(
            new FlowRecord
            {
                Protocol = FlowProtocol.NetFlow5,
                Exporter = Exporter,
                Domain = 0x0102,
                Source = IpAddr.FromIPv4(0x0A000001),
                Destination = IpAddr.FromIPv4(0xC6336405),
                NextHop = IpAddr.FromIPv4(0xC0000202),
                InputInterface = 3,
                OutputInterface = 7,
                Packets = 11,
                Bytes = 1234,
                SourcePort = 1000,
                DestinationPort = 443,
                IpProtocol = 6,
                SamplingInterval = 100,
                StartMilliseconds = 1_700_000_000_500 - 4000,
                EndMilliseconds = 1_700_000_000_500 - 1000,
            },
            Assert.Single(records));
    }

    [Theory]
    [InlineData(0, 0, FlowStatus.BadLength)]
    [InlineData(31, 31, FlowStatus.BadLength)]
    [InlineData(2, 1, FlowStatus.Truncated)]
    [InlineData(1, 2, FlowStatus.BadLength)]
    public void Decode_count_against_length_is_refused(int count, int present, FlowStatus expected)
    {
        var writer = Header(count, 10_000, 0);
        for (int i = 0; i < present; i++)
        {
            writer.Bytes(Record(i).ToArray());
        }

        var decoder = new FlowDecoder();
        Assert.Equal(expected, decoder.Decode(Exporter, writer.ToArray(), 0, new List<FlowRecord>()));
        Assert.Equal(1, decoder.Statistics.Count(expected));
        Assert.Equal(0, decoder.Statistics.Count(FlowStatus.Decoded));
    }

    [Fact]
    public void Sequence_counts_lost_flows_and_takes_back_those_that_come_late()
    {
        var decoder = new FlowDecoder();
        FlowSequence At(uint sequence, long uptime)
        {
            decoder.Decode(Exporter, Header(1, uptime, 0, sequence).Bytes(Record(1).ToArray()).ToArray(), 0, new List<FlowRecord>());
            return decoder.Sequence(FlowProtocol.NetFlow5, Exporter, 0x0102)!;
        }

        At(uint.MaxValue, 100_000);
        Assert.Equal(0, At(0, 100_010).Lost);
        Assert.Equal(2, At(3, 100_020).Lost);
        FlowSequence late = At(2, 100_015);
        Assert.Equal((1, 1, 0), (late.Lost, late.Reordered, late.Restarts));
        FlowSequence restarted = At(1, 500);
        Assert.Equal((1, 1, 1), (restarted.Lost, restarted.Reordered, restarted.Restarts));
        Assert.Equal(1, At(2, 600).Lost);
    }

    internal static DatagramWriter Header(int count, long uptime, int sampling, uint sequence = 1) => new DatagramWriter()
        .U16(5).U16(count).U32(uptime).U32(1_700_000_000).U32(500_000_000).U32(sequence).U16(0x0102).U16(0x4000 | sampling);

    internal static DatagramWriter Record(int host) => new DatagramWriter()
        .U32(0x0A000001).U32(0xC6336400 + host).U32(0xC0000202).U16(3).U16(7).U32(11).U32(1234).U32(6000).U32(9000)
        .U16(1000).U16(443).U8(0).U8(0x10).U8(6).U8(0).U32(0).U16(0).U16(0);
}
