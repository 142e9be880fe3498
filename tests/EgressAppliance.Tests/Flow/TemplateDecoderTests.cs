using System.Globalization;
using EgressAppliance.Flow;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Flow;

public sealed class TemplateDecoderTests
{
    private static readonly IpAddr Exporter = IpAddr.Parse("192.0.2.1", CultureInfo.InvariantCulture);
    private static readonly IpAddr Destination = IpAddr.FromIPv4(0xC6336405);

    [Fact]
    public void NetFlow9_takes_times_from_uptime_and_sampling_from_options()
    {
        var decoder = new FlowDecoder();
        List<FlowRecord> records = [];
        // Options: scope system (4 octets), then sampling interval; data: destination, bytes, packets, output, first, last.
        byte[] datagram = NetFlow9(1)
            .Set(1, W().U16(300).U16(4).U16(4).U16(1).U16(4).U16(34).U16(4).U16(0))
            .Set(0, Template(256, 12, 4, 1, 4, 2, 4, 14, 2, 22, 4, 21, 4))
            .Set(300, W().U32(1).U32(512))
            .Set(256, W().U32(0xC6336405).U32(1500).U32(2).U16(7).U32(6000).U32(9000).U16(0)).ToArray();
        Assert.Equal(FlowStatus.Decoded, decoder.Decode(Exporter, datagram, 0, records));
        FlowRecord r = Assert.Single(records);
        Assert.Equal((Destination, 1500ul, 2ul, 7u, 512u), (r.Destination, r.Bytes, r.Packets, r.OutputInterface, r.SamplingInterval));
        Assert.Equal((1_699_999_996_000, 1_699_999_999_000), (r.StartMilliseconds, r.EndMilliseconds));
    }

    [Fact]
    public void Ipfix_steps_over_enterprise_and_variable_fields_and_reads_short_numbers()
    {
        var decoder = new FlowDecoder();
        List<FlowRecord> records = [];
        DatagramWriter template = W().U16(256).U16(6)
            .U16(0x8000 | 12).U16(4).U32(29305).U16(82).U16(0xFFFF).U16(12).U16(4).U16(1).U16(3).U16(305).U16(4).U16(306).U16(4);
        byte[] name = new byte[300];
        byte[] datagram = Ipfix(0).Set(2, template).Set(256, W()
            .U32(0x01010101).U8(2).U16(0x6162).U32(0xC6336405).U8(1).U16(2).U32(1).U32(99)
            .U32(0x01010101).U8(255).U16(300).Bytes(name).U32(0xC6336406).U8(0).U16(5).U32(2).U32(6)).ToIpfix();
        Assert.Equal(FlowStatus.Decoded, decoder.Decode(Exporter, datagram, 0, records));
        Assert.Equal([(Destination, 65538ul, 100u), (IpAddr.FromIPv4(0xC6336406), 5ul, 4u)], records.Select(r => (r.Destination, r.Bytes, r.SamplingInterval)));
    }

    [Fact]
    public void Ipfix_finds_the_sampler_of_a_record_and_reads_absolute_times()
    {
        var decoder = new FlowDecoder();
        List<FlowRecord> records = [];
        DatagramWriter options = W().U16(300).U16(3).U16(1).U16(302).U16(2).U16(309).U16(4).U16(310).U16(4);
        byte[] datagram = Ipfix(0)
            .Set(3, options).Set(300, W().U16(4).U32(1).U32(64).U16(5).U32(2).U32(1000))
            .Set(2, Template(256, 12, 4, 302, 2, 152, 8, 155, 8))
            .Set(256, W().U32(0xC6336405).U16(5).U64(1_700_000_000_123).U64((1_700_000_000ul + 2_208_988_800ul) << 32 | 0x8000_0000)
                .U32(0xC6336406).U16(6).U64(0).U64(0)).ToIpfix();
        Assert.Equal(FlowStatus.Decoded, decoder.Decode(Exporter, datagram, 0, records));
        Assert.Equal([500u, 0u], records.Select(r => r.SamplingInterval));
        Assert.Equal((1_700_000_000_123, 1_700_000_000_500), (records[0].StartMilliseconds, records[0].EndMilliseconds));
    }

    [Fact]
    public void Data_before_expired_or_withdrawn_template_is_refused()
    {
        var decoder = new FlowDecoder(new() { TemplateLifetimeMilliseconds = 1000 });
        byte[] data = Ipfix(0).Set(256, W().U32(0xC6336405)).ToIpfix();
        byte[] template = Ipfix(0).Set(2, Template(256, 12, 4)).ToIpfix();
        byte[] withdraw = Ipfix(0).Set(2, W().U16(2).U16(0)).ToIpfix();
        FlowStatus At(byte[] datagram, long now) => decoder.Decode(Exporter, datagram, now, new List<FlowRecord>());

        Assert.Equal(FlowStatus.TemplateUnknown, At(data, 0));
        Assert.Equal(FlowStatus.Decoded, At(template, 0));
        Assert.Equal(FlowStatus.Decoded, At(data, 1000));
        Assert.Equal(FlowStatus.TemplateUnknown, At(data, 1001));
        Assert.Equal(FlowStatus.Decoded, At(template, 2000));
        Assert.Equal(FlowStatus.Decoded, At(withdraw, 2000));
        Assert.Equal(FlowStatus.TemplateUnknown, At(data, 2000));
        Assert.Equal(FlowStatus.TemplateUnknown, decoder.Decode(IpAddr.FromIPv4(9), data, 0, new List<FlowRecord>()));
        Assert.Equal(4, decoder.Statistics.Count(FlowStatus.TemplateUnknown));
    }

    [Fact]
    public void Bounds_of_the_template_cache_hold()
    {
        var decoder = new FlowDecoder(new() { MaxTemplates = 2, MaxFieldsPerTemplate = 1, TemplateLifetimeMilliseconds = 1000 });
        FlowStatus Store(int id, long now, params int[] fields) =>
            decoder.Decode(Exporter, Ipfix(0).Set(2, Template(id, fields)).ToIpfix(), now, new List<FlowRecord>());

        Assert.Equal(FlowStatus.TemplateTooLarge, Store(256, 0, 12, 4, 1, 4));
        Assert.Equal(FlowStatus.BadTemplate, Store(255, 0, 12, 4));
        Assert.Equal(FlowStatus.BadTemplate, Store(256, 0, 12, 0));
        Assert.Equal(FlowStatus.Decoded, Store(256, 0, 12, 4));
        Assert.Equal(FlowStatus.Decoded, Store(257, 0, 12, 4));
        Assert.Equal(FlowStatus.TemplateCacheFull, Store(258, 1000, 12, 4));
        Assert.Equal(FlowStatus.Decoded, Store(257, 1000, 28, 16));
        Assert.Equal(FlowStatus.Decoded, Store(258, 1001, 12, 4));
        Assert.Equal(2, decoder.Templates.Count);
    }

    [Fact]
    public void Sequence_counts_datagrams_in_version_9_and_records_in_ipfix()
    {
        var decoder = new FlowDecoder();
        void Give(byte[] datagram) => decoder.Decode(Exporter, datagram, 0, new List<FlowRecord>());

        Give(NetFlow9(10).Set(0, Template(256, 12, 4)).ToArray());
        Give(NetFlow9(13).Set(256, W().U32(1).U32(2)).ToArray());
        Assert.Equal(2, decoder.Sequence(FlowProtocol.NetFlow9, Exporter, 77)!.Lost);

        Give(Ipfix(10).Set(2, Template(256, 12, 4)).ToIpfix());
        Give(Ipfix(10).Set(256, W().U32(1).U32(2)).ToIpfix());
        Give(Ipfix(15).Set(256, W().U32(1)).Set(999, W().U32(1)).ToIpfix());
        FlowSequence ipfix = decoder.Sequence(FlowProtocol.Ipfix, Exporter, 77)!;
        Assert.Equal(3, ipfix.Lost);
        // What the unknown set held was not counted, so the next number cannot be foretold.
        Give(Ipfix(40).Set(256, W().U32(1)).ToIpfix());
        Assert.Equal(3, ipfix.Lost);
        Assert.Equal(5, decoder.Lost);
    }

    [Fact]
    public void Decode_gives_back_what_was_encoded()
    {
        var random = new Random(7);
        for (int round = 0; round < 300; round++)
        {
            bool isIpfix = random.Next(2) == 0;
            (int Element, int Length)[] fields = [(12, 4), (8, 4), (1, random.Next(3, 9)), (2, random.Next(2, 9)), (10, 4), (14, random.Next(2, 5)), (4, 1), (7, 2), (11, 2), (15, 4), (61, 1)];
            random.Shuffle(fields);
            var data = W();
            List<FlowRecord> expected = [];
            for (int n = random.Next(1, 20); n > 0; n--)
            {
                var values = fields.ToDictionary(f => f.Element, f => (ulong)random.Next(1, f.Length == 1 ? 256 : 65536));
                foreach ((int element, int length) in fields)
                {
                    for (int i = length - 1; i >= 0; i--)
                    {
                        data.U8((int)(values[element] >> (8 * i)));
                    }
                }

                expected.Add(new FlowRecord
                {
                    Protocol = isIpfix ? FlowProtocol.Ipfix : FlowProtocol.NetFlow9,
                    Exporter = Exporter,
                    Domain = 77,
                    Destination = IpAddr.FromIPv4((uint)values[12]),
                    Source = IpAddr.FromIPv4((uint)values[8]),
                    Bytes = values[1],
                    Packets = values[2],
                    InputInterface = (uint)values[10],
                    OutputInterface = (uint)values[14],
                    IpProtocol = (byte)values[4],
                    SourcePort = (ushort)values[7],
                    DestinationPort = (ushort)values[11],
                    NextHop = IpAddr.FromIPv4((uint)values[15]),
                    Direction = (byte)values[61],
                });
            }

            DatagramWriter template = Template(400, [.. fields.SelectMany(f => new[] { f.Element, f.Length })]);
            List<FlowRecord> records = [];
            byte[] datagram = isIpfix ? Ipfix(0).Set(2, template).Set(400, data).ToIpfix() : NetFlow9(0).Set(0, template).Set(400, data).ToArray();
            Assert.Equal(FlowStatus.Decoded, new FlowDecoder().Decode(Exporter, datagram, 0, records));
            Assert.Equal(expected, records);
        }
    }

    private static DatagramWriter W() => new();

    private static DatagramWriter NetFlow9(uint sequence) => W().U16(9).U16(1).U32(10_000).U32(1_700_000_000).U32(sequence).U32(77);

    private static DatagramWriter Ipfix(uint sequence) => W().U16(10).U16(0).U32(1_700_000_000).U32(sequence).U32(77);

    private static DatagramWriter Template(int id, params int[] fields)
    {
        DatagramWriter writer = W().U16(id).U16(fields.Length / 2);
        foreach (int number in fields)
        {
            writer.U16(number);
        }

        return writer;
    }
}
