using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

public class UsmDatagramTests
{
    public static TheoryData<string> Recorded()
    {
        TheoryData<string> rows = [];
        foreach (string line in File.ReadLines(TestData.Path("snmp", "usm.txt")).Where(line => !line.StartsWith('#')))
        {
            rows.Add(line);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Recorded_message_is_authentic_deciphered_and_written_the_same(string line)
    {
        string[] row = line.Split(' ');
        byte[] datagram = Convert.FromHexString(row[4]);
        using UsmUser user = User(row);

        Assert.Equal(SnmpDecodeStatus.Ok, UsmDatagram.TryRead(datagram, out UsmDatagram message));
        bool discovery = row[0].StartsWith("discovery", StringComparison.Ordinal);
        using LocalizedKeys keys = user.Localize(message.Header.EngineId);
        Assert.Equal(user.Level, message.Header.Level);
        Assert.Equal(discovery ? "" : user.Name, message.Header.UserName);
        Assert.Equal(user.Level != SecurityLevel.NoAuthNoPriv, message.IsAuthentic(keys));
        Assert.Equal(SnmpDecodeStatus.Ok, message.Open(keys, out ScopedPdu? scoped));
        string expected = row[0] switch
        {
            "discovery-request" => "",
            "discovery-report" => "1.3.6.1.6.3.15.1.1.4.0 = Counter32",
            _ when row[0].EndsWith("request", StringComparison.Ordinal) => "1.3.6.1.2.1.1.3.0 = Null",
            _ => "1.3.6.1.2.1.1.3.0 = TimeTicks",
        };
        Assert.StartsWith(expected, scoped!.Pdu.Bindings.Count == 0 ? "" : scoped.Pdu.Bindings[0].ToString(), StringComparison.Ordinal);

        byte[] again = UsmDatagram.Encode(message.Header, scoped, keys, Salt(message));
        if (user.Privacy != PrivacyProtocol.Des)
        {
            // DES pads as the sender likes.
            Assert.Equal(row[4], Convert.ToHexStringLower(again));
        }

        Assert.Equal(SnmpDecodeStatus.Ok, UsmDatagram.TryRead(again, out UsmDatagram reread));
        Assert.Equal(user.Level != SecurityLevel.NoAuthNoPriv, reread.IsAuthentic(keys));
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Recorded_message_with_any_octet_changed_is_not_authentic(string line)
    {
        string[] row = line.Split(' ');
        byte[] datagram = Convert.FromHexString(row[4]);
        using UsmUser user = User(row);
        UsmDatagram.TryRead(datagram, out UsmDatagram original);
        using LocalizedKeys keys = user.Localize(original.Header.EngineId);
        for (int at = 0; at < datagram.Length; at++)
        {
            datagram[at] ^= 0x10;
            Assert.False(UsmDatagram.TryRead(datagram, out UsmDatagram message) == SnmpDecodeStatus.Ok && message.IsAuthentic(keys), $"octet {at}");
            datagram[at] ^= 0x10;
        }
    }

    [Fact]
    public void TryRead_tells_what_is_wrong()
    {
        UsmHeader header = new() { MessageId = 1 };
        ScopedPdu scoped = new(default, "", SnmpPdu.Request(PduType.Get, 1, []));
        byte[] good = UsmDatagram.Encode(header, scoped);

        Assert.Equal(SnmpDecodeStatus.Ok, Read(good));
        Assert.Equal(SnmpDecodeStatus.UnsupportedVersion, Read(new CommunityMessage(new Community("c")).Encode(scoped.Pdu)));
        Assert.Equal(SnmpDecodeStatus.TrailingBytes, Read([.. good, 0]));
        Assert.Equal(SnmpDecodeStatus.Truncated, Read(good[..^1]));
        Assert.Equal(SnmpDecodeStatus.BadValue, Read(UsmDatagram.Encode(header with { MaxSize = 483 }, scoped)));
        Assert.Equal(SnmpDecodeStatus.BadValue, Read(UsmDatagram.Encode(header with { MessageId = -1 }, scoped)));
        Assert.Equal(SnmpDecodeStatus.BadValue, Read(UsmDatagram.Encode(header with { Boots = -1 }, scoped)));
        Assert.Equal(SnmpDecodeStatus.BadValue, Read(UsmDatagram.Encode(header with { UserName = new string('u', 33) }, scoped)));
        Assert.Equal(SnmpDecodeStatus.UnsupportedSecurityModel, Read(Changed(good, "04010002 0103", "04010002 0104")));

        // Privacy without authentication.
        Assert.Equal(SnmpDecodeStatus.BadValue, Read(Changed(good, "04010002 0103", "04010202 0103")));

        // Privacy claimed, but a plain scoped PDU.
        Assert.Equal(SnmpDecodeStatus.UnexpectedTag, Read(Changed(good, "04010002 0103", "04010302 0103")));
    }

    [Fact]
    public void Encode_without_the_keys_of_the_level_is_refused()
    {
        ScopedPdu scoped = new(default, "", SnmpPdu.Request(PduType.Get, 1, []));
        using UsmUser user = new("u", AuthenticationProtocol.HmacSha1, "authpass123");
        using LocalizedKeys keys = user.Localize(default);

        Assert.Throws<ArgumentException>(() => UsmDatagram.Encode(new UsmHeader { MessageId = 1, Level = SecurityLevel.AuthNoPriv }, scoped));
        Assert.Throws<ArgumentException>(() => UsmDatagram.Encode(new UsmHeader { MessageId = 1, Level = SecurityLevel.AuthPriv }, scoped, keys));
    }

    private static UsmUser User(string[] row)
    {
        AuthenticationProtocol authentication = Enum.Parse<AuthenticationProtocol>(row[2]);
        PrivacyProtocol privacy = Enum.Parse<PrivacyProtocol>(row[3]);
        return new UsmUser(
            row[1], authentication, authentication == AuthenticationProtocol.None ? null : "authpass123",
            privacy, privacy == PrivacyProtocol.None ? null : "privpass123");
    }

    private static ulong Salt(UsmDatagram message) => message.Salt.Length == 8 ? System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(message.Salt) : 0;

    private static SnmpDecodeStatus Read(byte[] datagram) => UsmDatagram.TryRead(datagram, out _);

    private static byte[] Changed(byte[] datagram, string from, string to)
    {
        string hex = Convert.ToHexString(datagram);
        from = from.Replace(" ", "", StringComparison.Ordinal);
        Assert.Contains(from, hex, StringComparison.Ordinal);
        return Convert.FromHexString(hex.Replace(from, to.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal));
    }
}
