using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Mrt;

public sealed class MrtRecordReaderTests
{
    private const string Keepalive = "ffffffffffffffffffffffffffffffff001304";
    private const string Ends4 = "000100000001" + "c0000201" + "c0000202"; // interface 1, IPv4, 192.0.2.1, 192.0.2.2

    [Theory]
    [InlineData(1, false, false, false)]
    [InlineData(4, true, false, false)]
    [InlineData(6, false, false, true)]
    [InlineData(7, true, false, true)]
    [InlineData(8, false, true, false)]
    [InlineData(9, true, true, false)]
    [InlineData(10, false, true, true)]
    [InlineData(11, true, true, true)]
    public void Message_subtypes_say_how_the_message_is_read(int subtype, bool wide, bool addPath, bool fromCollector)
    {
        string head = wide ? "0000fde9" + "0000fdea" : "fde9fdea";
        MrtMessage message = Assert.IsType<MrtMessage>(One(Record(16, subtype, head + "00010001" + "c0000201" + "c0000202" + Keepalive)));
        Assert.Equal((new MrtPeer(IpAddr.Parse("192.0.2.1"), 65001), new MrtPeer(IpAddr.Parse("192.0.2.2"), 65002), 1), (message.Peer, message.Local, message.InterfaceIndex));
        Assert.Equal((fromCollector, Keepalive), (message.FromCollector, Convert.ToHexStringLower(message.Message.Span)));
        Assert.Equal(new BgpCodecOptions { FourOctetAs = wide, AddPathIPv4 = addPath, AddPathIPv6 = addPath, ExtendedMessage = true }, message.Codec);
    }

    [Fact]
    public void Extended_timestamp_has_microseconds()
    {
        MrtRecord record = One(Record(17, 5, "0007a120" + "0000fde9" + "0000fdea" + "00000002" + new string('0', 31) + "1" + new string('0', 31) + "2" + "00050006"));
        MrtStateChange change = Assert.IsType<MrtStateChange>(record);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_000_000_500), change.Time);
        Assert.Equal((5, 6, "::1", "BGP4MP_ET", "STATE_CHANGE_AS4"), (change.Old, change.New, change.Peer.Address.ToString(), change.TypeName, change.SubtypeName));
    }

    [Fact]
    public void Generic_table_of_a_unicast_family_is_read_with_the_identifier_of_its_prefix()
    {
        string peers = Record(13, 1, "0a000001" + "0000" + "0001" + "02" + "0a000002" + "c0000201" + "0000fde9");
        string rib = Record(13, 12, "00000005" + "000101" + "00000063" + "18cb0071" + "0001" + "0000" + "00000001" + "000e" + "40010100" + "400200" + "400304c0000209");
        List<MrtRecord> records = Read(peers + rib, out MrtRecordReader reader);
        MrtRib table = Assert.IsType<MrtRib>(records[1]);
        MrtRibPath path = Assert.Single(table.Paths);
        Assert.Equal(("203.0.113.0/24", 5u, 99u, "192.0.2.9"), (table.Prefix.ToString(), table.Sequence, path.PathId, path.Attributes!.NextHop.ToString()));
        Assert.Equal((2, 0, 0), (reader.Records, reader.Malformed, reader.Skipped));
        Assert.Equal(99u, new MrtReader(new MemoryStream(Convert.FromHexString(peers + rib))).Read().Single().Paths[0].PathId);
    }

    [Theory]
    [InlineData(48, 1, "00")] // OSPFv3
    [InlineData(16, 2, "00")] // BGP4MP_ENTRY
    [InlineData(13, 7, "00")] // GEO_PEER_TABLE
    [InlineData(13, 6, "00000005" + "000180" + "00")] // VPN
    [InlineData(12, 3, "00")]
    [InlineData(5, 4, "00")]
    public void Kinds_that_are_not_read_are_told_and_counted(int type, int subtype, string body)
    {
        MrtRecord record = Assert.Single(Read(Record(type, subtype, body), out MrtRecordReader reader));
        Assert.Equal(body.Length / 2, Assert.IsType<MrtOther>(record).Length);
        Assert.Equal((1, 0), (reader.Skipped, reader.Malformed));
    }

    [Theory]
    [InlineData(16, 1, "fde9fdea0001")]
    [InlineData(16, 1, "fde9fdea00010003c0000201c0000202")] // no such address family
    [InlineData(16, 0, "fde9fdea" + "00010001" + "c0000201" + "c0000202" + "0005")]
    [InlineData(17, 1, "0000")]
    [InlineData(13, 1, "0a000001" + "0000" + "0001")]
    [InlineData(13, 2, "00000001" + "21cb007100")] // a prefix of 33 bits
    [InlineData(12, 1, "00000001" + "cb007100" + "21" + "01" + "00000000" + "c0000201" + "fde9" + "0000")]
    [InlineData(12, 2, "0000")]
    [InlineData(5, 1, "fde9")]
    [InlineData(5, 3, "fde9" + "c0000201" + "0001")]
    public void Malformed_records_are_told_and_counted_and_the_next_one_is_read(int type, int subtype, string body)
    {
        List<MrtRecord> records = Read(Record(type, subtype, body) + Record(16, 1, "fde9fdea" + Ends4[4..] + Keepalive), out MrtRecordReader reader);
        Assert.NotEmpty(Assert.IsType<MrtMalformed>(records[0]).Problem);
        Assert.IsType<MrtMessage>(records[1]);
        Assert.Equal((1, 0, false), (reader.Malformed, reader.Skipped, reader.Truncated));
    }

    [Fact]
    public void Table_entry_without_its_peer_or_with_bad_attributes_is_told_and_counted()
    {
        MrtRib rib = Assert.IsType<MrtRib>(Assert.Single(Read(
            Record(13, 2, "00000001" + "18cb0071" + "0002" + "0007" + "00000001" + "0004" + "40010109" + "0001"), out MrtRecordReader reader)));
        MrtRibPath path = Assert.Single(rib.Paths);
        Assert.Equal((null, null, ErrorAction.TreatAsWithdraw, true), (path.Peer, path.Attributes, path.Error!.Action, rib.CutOff));
        Assert.Equal(1, reader.Malformed);
    }

    [Fact]
    public void File_that_ends_within_a_record_gives_what_came_before_and_says_so()
    {
        string whole = Record(16, 1, "fde9fdea" + Ends4[4..] + Keepalive);
        Assert.Single(Read(whole + whole[..^2], out MrtRecordReader reader));
        Assert.Equal((true, false), (reader.Truncated, reader.Lost));
        Assert.Single(Read(whole + "000f4240" + "0010" + "0001" + "7fffffff" + "00", out reader));
        Assert.Equal((false, true), (reader.Truncated, reader.Lost));
    }

    [Theory]
    [InlineData("000f4240" + "0010" + "0001" + "01000000" + "00")] // a body of 16 MiB
    [InlineData("000f4240" + "000d" + "0001" + "00000008" + "00000000" + "0000" + "ffff")] // 65535 peers
    [InlineData("000f4240" + "000d" + "0002" + "00000008" + "00000000" + "08" + "0a" + "ffff")] // 65535 paths
    public void Memory_follows_what_is_there_and_not_what_is_claimed(string hex)
    {
        byte[] file = Convert.FromHexString(hex);

        long records = Allocations.InSteadyState(() => Assert.InRange(new MrtRecordReader(new MemoryStream(file)).Read().Count(), 0, 1));
        long tables = Allocations.InSteadyState(() => Assert.Empty(new MrtReader(new MemoryStream(file)).Read()));

        Assert.InRange(records, 1, 400_000);
        Assert.InRange(tables, 1, 400_000);
    }

    [Fact]
    public void Record_longer_than_the_buffer_is_read_whole()
    {
        byte[] body = new byte[300_000];
        new Random(1).NextBytes(body);
        string whole = Record(16, 1, "fde9fdea" + Ends4[4..] + Convert.ToHexString(body));

        IReadOnlyList<MrtRecord> records = Read(whole + whole, out MrtRecordReader reader);

        Assert.All(records, r => Assert.True(Assert.IsType<MrtMessage>(r).Message.Span.SequenceEqual(body)));
        Assert.Equal((2, false), (reader.Records, reader.Truncated));
    }

    [Fact]
    public void Damaged_files_end_without_an_exception() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            string[] files = Directory.GetFiles(TestData.Path("bgp", "mrt"), "mrtparse.*").Where(f => !f.EndsWith(".gz", StringComparison.Ordinal)).Order().ToArray();
            byte[] file = make.Mutate(File.ReadAllBytes(files[(seed & int.MaxValue) % files.Length]));
            var reader = new MrtRecordReader(new MemoryStream(file));
            long records = 0;
            foreach (MrtRecord record in reader.Read())
            {
                using var json = System.Text.Json.JsonDocument.Parse(EgressAppliance.Bgp.Text.MrtJson.ToJson(record));
                Assert.Equal(System.Text.Json.JsonValueKind.Object, json.RootElement.ValueKind);
                records++;
            }

            Assert.Equal(records, reader.Records);
        }).QuickCheckThrowOnFailure();

    private static string Record(int type, int subtype, string body) => $"000f4240{type:x4}{subtype:x4}{body.Length / 2:x8}{body}";

    private static MrtRecord One(string hex) => Assert.Single(Read(hex, out _));

    private static List<MrtRecord> Read(string hex, out MrtRecordReader reader)
    {
        reader = new MrtRecordReader(new MemoryStream(Convert.FromHexString(hex)));
        return [.. reader.Read()];
    }
}
