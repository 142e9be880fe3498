using System.Net;
using EgressAppliance.Snmp;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Snmp;

public class CommunityMessageTests
{
    private static readonly CommunityMessage Codec = new(new Community("test"));

    private static readonly Gen<ObjectIdentifier> Oids =
        from head in Gen.Choose(0, 2)
        from second in Gen.Choose(0, 39)
        from size in Gen.Choose(0, 126)
        from tail in ArbMap.Default.GeneratorFor<uint>().ArrayOf(size)
        select Make([(uint)head, (uint)second, .. tail]);

    private static readonly Gen<SnmpValue> Values = Gen.OneOf(
        Gen.Elements(
            SnmpValue.Null,
            SnmpValue.NoSuchObject,
            SnmpValue.NoSuchInstance,
            SnmpValue.EndOfMibView,
            SnmpValue.Integer32(int.MinValue),
            SnmpValue.Integer32(int.MaxValue),
            SnmpValue.Counter32(uint.MaxValue),
            SnmpValue.Counter64(ulong.MaxValue),
            SnmpValue.Counter64(1UL << 63)),
        ArbMap.Default.GeneratorFor<int>().Select(SnmpValue.Integer32),
        ArbMap.Default.GeneratorFor<byte[]>().Select(bytes => SnmpValue.OctetString(bytes)),
        ArbMap.Default.GeneratorFor<byte[]>().Select(bytes => SnmpValue.Opaque(bytes)),
        Oids.Select(SnmpValue.ObjectId),
        ArbMap.Default.GeneratorFor<uint>().Select(number => SnmpValue.IpAddress(new IPAddress(number))),
        ArbMap.Default.GeneratorFor<uint>().Select(SnmpValue.Counter32),
        ArbMap.Default.GeneratorFor<uint>().Select(SnmpValue.Gauge32),
        ArbMap.Default.GeneratorFor<uint>().Select(SnmpValue.TimeTicks),
        ArbMap.Default.GeneratorFor<ulong>().Select(SnmpValue.Counter64));

    private static readonly Gen<SnmpPdu> Pdus =
        from type in Gen.Elements(Enum.GetValues<PduType>())
        from id in ArbMap.Default.GeneratorFor<int>()
        from first in ArbMap.Default.GeneratorFor<int>()
        from second in ArbMap.Default.GeneratorFor<int>()
        from bindings in Oids.SelectMany(name => Values.Select(value => new VarBind(name, value))).ArrayOf()
        select new SnmpPdu { Type = type, RequestId = id, ErrorStatus = (SnmpErrorStatus)first, ErrorIndex = second, Bindings = bindings };

    [Fact]
    public void Decode_of_encode_is_identity()
    {
        Prop.ForAll(Pdus.ToArbitrary(), pdu =>
            Codec.Decode(Codec.Encode(pdu), out SnmpPdu? back) == SnmpDecodeStatus.Ok && Same(pdu, back!)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Decode_random_bytes_never_throws_and_never_yields_half_a_pdu()
    {
        Prop.ForAll<byte[]>(bytes =>
            (Codec.Decode(bytes, out SnmpPdu? pdu) == SnmpDecodeStatus.Ok) == (pdu is not null)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Decode_damaged_message_never_throws_and_what_it_accepts_can_be_encoded()
    {
        Gen<byte[]> damaged =
            from pdu in Pdus
            from edits in (from at in Gen.Choose(0, 65535) from to in Gen.Choose(0, 255) select (at, to)).ArrayOf(3)
            from cut in Gen.Choose(0, 20)
            select Damage(Codec.Encode(pdu), edits, cut);
        Prop.ForAll(damaged.ToArbitrary(), bytes =>
            Codec.Decode(bytes, out SnmpPdu? pdu) != SnmpDecodeStatus.Ok
            || (Codec.Decode(Codec.Encode(pdu!), out SnmpPdu? again) == SnmpDecodeStatus.Ok && Same(pdu!, again!)))
            .Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void Decode_every_prefix_of_a_message_is_an_error()
    {
        byte[] whole = Codec.Encode(SnmpPdu.Response(1, [new VarBind(ObjectIdentifier.Parse("1.3.6.1"), SnmpValue.Counter64(5_000_000_000))]));
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Equal(SnmpDecodeStatus.Truncated, Codec.Decode(whole.AsSpan(0, length), out _));
        }

        Assert.Equal(SnmpDecodeStatus.TrailingBytes, Codec.Decode([.. whole, 0], out _));
    }

    // One binding 1.3.6.1 in a Response of community "test"; the theory gives the value's bytes.
    [Theory]
    [InlineData("020100", SnmpDecodeStatus.Ok, "Integer32 0")]
    [InlineData("0201ff", SnmpDecodeStatus.Ok, "Integer32 -1")]
    [InlineData("0205ffffffffff", SnmpDecodeStatus.Ok, "Integer32 -1")]
    [InlineData("02050080000000", SnmpDecodeStatus.BadInteger, "")]
    [InlineData("0200", SnmpDecodeStatus.BadInteger, "")]
    [InlineData("4104ffffffff", SnmpDecodeStatus.Ok, "Counter32 4294967295")]
    [InlineData("410500ffffffff", SnmpDecodeStatus.Ok, "Counter32 4294967295")]
    [InlineData("41050100000000", SnmpDecodeStatus.BadInteger, "")]
    [InlineData("4100", SnmpDecodeStatus.BadInteger, "")]
    [InlineData("420101", SnmpDecodeStatus.Ok, "Gauge32 1")]
    [InlineData("43020100", SnmpDecodeStatus.Ok, "TimeTicks 256")]
    [InlineData("4608ffffffffffffffff", SnmpDecodeStatus.Ok, "Counter64 18446744073709551615")]
    [InlineData("460900ffffffffffffffff", SnmpDecodeStatus.Ok, "Counter64 18446744073709551615")]
    [InlineData("4609010000000000000000", SnmpDecodeStatus.BadInteger, "")]
    [InlineData("4004c0000201", SnmpDecodeStatus.Ok, "IpAddress 192.0.2.1")]
    [InlineData("4003c00002", SnmpDecodeStatus.BadValue, "")]
    [InlineData("0403616263", SnmpDecodeStatus.Ok, "OctetString \"abc\"")]
    [InlineData("04020001", SnmpDecodeStatus.Ok, "OctetString 0001")]
    [InlineData("0481036162", SnmpDecodeStatus.Truncated, "")]
    [InlineData("240704026162", SnmpDecodeStatus.Truncated, "")]
    [InlineData("240404026162", SnmpDecodeStatus.UnexpectedTag, "")]
    [InlineData("04800000", SnmpDecodeStatus.BadLength, "")]
    [InlineData("0500", SnmpDecodeStatus.Ok, "Null")]
    [InlineData("050100", SnmpDecodeStatus.BadValue, "")]
    [InlineData("8000", SnmpDecodeStatus.Ok, "NoSuchObject")]
    [InlineData("8100", SnmpDecodeStatus.Ok, "NoSuchInstance")]
    [InlineData("8200", SnmpDecodeStatus.Ok, "EndOfMibView")]
    [InlineData("820100", SnmpDecodeStatus.BadValue, "")]
    [InlineData("06032b0601", SnmpDecodeStatus.Ok, "ObjectIdentifier 1.3.6.1")]
    [InlineData("06022b86", SnmpDecodeStatus.BadObjectIdentifier, "")]
    [InlineData("06062b9080808000", SnmpDecodeStatus.BadObjectIdentifier, "")]
    [InlineData("0600", SnmpDecodeStatus.BadObjectIdentifier, "")]
    [InlineData("1f8101", SnmpDecodeStatus.UnexpectedTag, "")]
    [InlineData("470101", SnmpDecodeStatus.UnexpectedTag, "")]
    [InlineData("0201000500", SnmpDecodeStatus.TrailingBytes, "")]
    public void Decode_value_bytes_give_value_or_typed_error(string hex, SnmpDecodeStatus expected, string shown)
    {
        byte[] pair = [0x06, 0x03, 0x2b, 0x06, 0x01, .. Convert.FromHexString(hex)];
        byte[] list = Wrap(0x30, Wrap(0x30, pair));
        byte[] pdu = Wrap(0xa2, [2, 1, 7, 2, 1, 0, 2, 1, 0, .. list]);
        byte[] message = Wrap(0x30, [2, 1, 1, 4, 4, .. "test"u8, .. pdu]);

        Assert.Equal(expected, Codec.Decode(message, out SnmpPdu? decoded));
        Assert.Equal(shown, decoded?.Bindings[0].Value.ToString() ?? "");
    }

    [Fact]
    public void Decode_other_community_or_version_is_told_apart()
    {
        SnmpPdu pdu = SnmpPdu.Request(PduType.Get, 1, []);
        byte[] foreign = new CommunityMessage(new Community("other")).Encode(pdu);
        byte[] version1 = Codec.Encode(pdu);
        version1[4] = 0;

        Assert.Equal(SnmpDecodeStatus.WrongCommunity, Codec.Decode(foreign, out _));
        Assert.Equal(SnmpDecodeStatus.UnsupportedVersion, Codec.Decode(version1, out _));
    }

    [Theory]
    [InlineData("get-request", SnmpDecodeStatus.Ok, PduType.Get, 1, "1.3.6.1.2.1.2.2.1.17.1 = Null")]
    [InlineData("get-response", SnmpDecodeStatus.Ok, PduType.Response, 1, "1.3.6.1.2.1.2.2.1.17.1 = Counter32 854387")]
    [InlineData("bulk-request", SnmpDecodeStatus.Ok, PduType.GetBulk, 1, "1.3.6.1.2.1.1.5.0 = Null")]
    [InlineData("if-counters-response", SnmpDecodeStatus.Ok, PduType.Response, 31, "1.3.6.1.2.1.31.1.1.1.6.100 = Counter64 0")]
    [InlineData("private-error-response", SnmpDecodeStatus.Ok, PduType.Response, 1, "1.3.6.1.4.1.5875.91.1.1.1.1.1.15.1 = OctetString")]
    [InlineData("net-snmp-response", SnmpDecodeStatus.Ok, PduType.Response, 7, "1.3.6.1.2.1.1.3.0 = TimeTicks 197")]
    [InlineData("version-1", SnmpDecodeStatus.UnsupportedVersion, PduType.Get, 0, "")]
    [InlineData("version-3", SnmpDecodeStatus.UnsupportedVersion, PduType.Get, 0, "")]
    public void Decode_recorded_datagram_gives_its_content(string name, SnmpDecodeStatus expected, PduType type, int count, string first)
    {
        string[] row = File.ReadLines(TestData.Path("snmp", "datagrams.txt")).Select(line => line.Split(' ')).Single(parts => parts[0] == name);
        byte[] datagram = Convert.FromHexString(row[2]);
        CommunityMessage codec = new(new Community(row[1] == "-" ? "" : row[1]));

        Assert.Equal(expected, codec.Decode(datagram, out SnmpPdu? pdu));
        if (pdu is not null)
        {
            Assert.Equal(type, pdu.Type);
            Assert.Equal(count, pdu.Bindings.Count);
            Assert.StartsWith(first, pdu.Bindings[0].ToString(), StringComparison.Ordinal);
            Assert.Equal(SnmpDecodeStatus.Ok, codec.Decode(codec.Encode(pdu), out SnmpPdu? again));
            Assert.True(Same(pdu, again!));
        }
    }

    [Fact]
    public void Encode_of_recorded_net_snmp_response_gives_the_same_bytes()
    {
        string hex = File.ReadLines(TestData.Path("snmp", "datagrams.txt")).Single(line => line.StartsWith("net-snmp-response", StringComparison.Ordinal)).Split(' ')[2];
        CommunityMessage codec = new(new Community("labcomm"));
        codec.Decode(Convert.FromHexString(hex), out SnmpPdu? pdu);

        string[] shown = [.. pdu!.Bindings.Select(binding => binding.Value.ToString())];
        Assert.Equal(
            ["TimeTicks 197", "OctetString \"lo\"", "Gauge32 10", "Counter64 3193", "Integer32 1", "NoSuchInstance", "NoSuchObject"], shown);

        // net-snmp codes the request-id in the fewest bytes and lengths as we do; TimeTicks 197 carries its leading zero.
        Assert.Equal(hex, Convert.ToHexStringLower(codec.Encode(pdu)));
    }

    [Fact]
    public void Community_is_never_shown()
    {
        SnmpClientOptions options = new() { Agent = new IPEndPoint(IPAddress.Loopback, 161), Credentials = new Community("s3cret") };
        Assert.DoesNotContain("s3cret", options.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", options.Credentials.ToString(), StringComparison.Ordinal);
    }

    private static ObjectIdentifier Make(uint[] arcs)
    {
        Assert.True(ObjectIdentifier.TryCreate(arcs, out ObjectIdentifier oid));
        return oid;
    }

    private static bool Same(SnmpPdu left, SnmpPdu right) =>
        left with { Bindings = [] } is var a && right with { Bindings = a.Bindings } == a && left.Bindings.SequenceEqual(right.Bindings);

    private static byte[] Damage(byte[] bytes, (int At, int To)[] edits, int cut)
    {
        foreach ((int at, int to) in edits)
        {
            bytes[at % bytes.Length] = (byte)to;
        }

        return cut >= 10 ? bytes : bytes[..^Math.Min(cut, bytes.Length)];
    }

    private static byte[] Wrap(byte tag, byte[] content) => [tag, (byte)content.Length, .. content];
}
