using System.Buffers;
using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace EgressAppliance.Snmp;

/// <summary>
/// A version 3 message with the user-based security model: written by <see cref="Encode(UsmHeader, ScopedPdu, LocalizedKeys?, ulong)"/>; read in steps, since the header has to be known
/// before the keys are. Of a message that was not found authentic (<see cref="IsAuthentic"/>) nothing is to be believed.
/// </summary>
/// <remarks>Reading never throws, whatever the octets are, but for a cipher that the system does not have (<see cref="Open"/>).</remarks>
public readonly ref struct UsmDatagram
{
    private const int Version3 = 3;
    private const int UserBasedModel = 3;
    private const byte ReportableBit = 4;
    private const int LeastMaxSize = 484;

    private readonly ReadOnlySpan<byte> _whole;
    private readonly ReadOnlySpan<byte> _digest;
    private readonly ReadOnlySpan<byte> _salt;
    private readonly ReadOnlySpan<byte> _data;

    private UsmDatagram(UsmHeader header, ReadOnlySpan<byte> whole, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> data)
    {
        Header = header;
        _whole = whole;
        _digest = digest;
        _salt = salt;
        _data = data;
    }

    /// <summary>The header.</summary>
    public UsmHeader Header { get; }

    /// <summary>msgPrivacyParameters.</summary>
    internal ReadOnlySpan<byte> Salt => _salt;

    /// <summary>The datagram for a scoped PDU.</summary>
    /// <param name="header">The header; its level says what the keys are used for.</param>
    /// <param name="scoped">The scoped PDU.</param>
    /// <param name="keys">The user's keys at the engine; null for <see cref="SecurityLevel.NoAuthNoPriv"/>.</param>
    /// <param name="salt">With privacy, a number that no other message with this key has.</param>
    /// <exception cref="CryptographicException">The system does not have the cipher.</exception>
    public static byte[] Encode(UsmHeader header, ScopedPdu scoped, LocalizedKeys? keys = null, ulong salt = 0)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(scoped);
        return Seal(header, Encode(scoped), keys, salt);
    }

    /// <summary>The same for an encoded scoped PDU, which may be anything.</summary>
    internal static byte[] Seal(UsmHeader header, byte[] plain, LocalizedKeys? keys, ulong salt)
    {
        bool authenticated = header.Level != SecurityLevel.NoAuthNoPriv;
        bool enciphered = header.Level == SecurityLevel.AuthPriv;
        if (authenticated && (keys is null || keys.DigestBytes == 0 || (enciphered && keys.Privacy == PrivacyProtocol.None)))
        {
            throw new ArgumentException("there is no key for this level", nameof(keys));
        }

        Span<byte> saltOctets = stackalloc byte[UsmCipher.SaltBytes];
        BinaryPrimitives.WriteUInt64BigEndian(saltOctets, salt);
        AsnWriter writer = new(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(Version3);
            using (writer.PushSequence())
            {
                writer.WriteInteger(header.MessageId);
                writer.WriteInteger(header.MaxSize);
                writer.WriteOctetString([(byte)((int)header.Level | (header.Reportable ? ReportableBit : 0))]);
                writer.WriteInteger(UserBasedModel);
            }

            using (writer.PushOctetString())
            using (writer.PushSequence())
            {
                writer.WriteOctetString(header.EngineId.Octets);
                writer.WriteInteger(header.Boots);
                writer.WriteInteger(header.Time);
                writer.WriteOctetString(Encoding.UTF8.GetBytes(header.UserName));
                writer.WriteOctetString(new byte[authenticated ? keys!.DigestBytes : 0]);
                writer.WriteOctetString(enciphered ? saltOctets : []);
            }

            if (enciphered)
            {
                writer.WriteOctetString(keys!.Encrypt(header.Boots, header.Time, saltOctets, plain));
            }
            else
            {
                writer.WriteEncodedValue(plain);
            }
        }

        byte[] datagram = writer.Encode();
        if (authenticated && TryRead(datagram, out UsmDatagram written) == SnmpDecodeStatus.Ok && datagram.AsSpan().Overlaps(written._digest, out int at))
        {
            // RFC 3414 section 6.3.1: the digest is over the message with zeros in its place.
            keys!.Sign(datagram, datagram.AsSpan(at, written._digest.Length));
        }

        return datagram;
    }

    /// <summary>Reads everything but the scoped PDU.</summary>
    /// <param name="datagram">The whole datagram; the result points into it.</param>
    /// <param name="result">The message if the result is <see cref="SnmpDecodeStatus.Ok"/>.</param>
    public static SnmpDecodeStatus TryRead(ReadOnlySpan<byte> datagram, out UsmDatagram result)
    {
        result = default;
        BerReader outer = new(datagram);
        SnmpDecodeStatus status = outer.Read(BerReader.SequenceTag, out ReadOnlySpan<byte> message);
        BerReader reader = new(message);
        if (status != SnmpDecodeStatus.Ok || (status = reader.ReadInteger32(out int version)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (version != Version3)
        {
            return SnmpDecodeStatus.UnsupportedVersion;
        }

        if ((status = reader.Read(BerReader.SequenceTag, out ReadOnlySpan<byte> global)) != SnmpDecodeStatus.Ok ||
            (status = ReadGlobal(global, out int id, out int maxSize, out byte flags)) != SnmpDecodeStatus.Ok ||
            (status = reader.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> wrapped)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        SecurityLevel level = (SecurityLevel)(flags & (int)SecurityLevel.AuthPriv);
        BerReader parameters = new(wrapped);
        if ((status = parameters.Read(BerReader.SequenceTag, out ReadOnlySpan<byte> security)) != SnmpDecodeStatus.Ok ||
            (status = reader.Read(out byte tag, out ReadOnlySpan<byte> data)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (tag != (level == SecurityLevel.AuthPriv ? BerReader.OctetStringTag : BerReader.SequenceTag))
        {
            return SnmpDecodeStatus.UnexpectedTag;
        }

        BerReader items = new(security);
        if ((status = items.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> engine)) != SnmpDecodeStatus.Ok ||
            (status = items.ReadInteger32(out int boots)) != SnmpDecodeStatus.Ok ||
            (status = items.ReadInteger32(out int time)) != SnmpDecodeStatus.Ok ||
            (status = items.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> user)) != SnmpDecodeStatus.Ok ||
            (status = items.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> digest)) != SnmpDecodeStatus.Ok ||
            (status = items.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> salt)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (!items.IsEmpty || !parameters.IsEmpty || !reader.IsEmpty || !outer.IsEmpty)
        {
            return SnmpDecodeStatus.TrailingBytes;
        }

        if (!EngineId.TryCreate(engine, out EngineId engineId) || boots < 0 || time < 0 || user.Length > UsmUser.MaxNameBytes)
        {
            return SnmpDecodeStatus.BadValue;
        }

        UsmHeader header = new()
        {
            MessageId = id,
            MaxSize = maxSize,
            Level = level,
            Reportable = (flags & ReportableBit) != 0,
            EngineId = engineId,
            Boots = boots,
            Time = time,
            UserName = Encoding.UTF8.GetString(user),
        };
        result = new UsmDatagram(header, datagram, digest, salt, data);
        return SnmpDecodeStatus.Ok;
    }

    /// <summary>True if the message claims a digest and it is that of the keys (RFC 3414 section 6.3.2). The time taken does not tell how many octets agree.</summary>
    public bool IsAuthentic(LocalizedKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (Header.Level == SecurityLevel.NoAuthNoPriv || keys.DigestBytes == 0 || _digest.Length != keys.DigestBytes || !_whole.Overlaps(_digest, out int at))
        {
            return false;
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent(_whole.Length);
        try
        {
            Span<byte> message = copy.AsSpan(0, _whole.Length);
            _whole.CopyTo(message);
            message.Slice(at, _digest.Length).Clear();
            Span<byte> expected = stackalloc byte[UsmHash.MaxDigestBytes];
            expected = expected[.._digest.Length];
            keys.Sign(message, expected);
            return CryptographicOperations.FixedTimeEquals(expected, _digest);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    /// <summary>Deciphers, if it is enciphered, and reads the scoped PDU.</summary>
    /// <param name="keys">The keys; null if there are none.</param>
    /// <param name="scoped">The scoped PDU if the result is <see cref="SnmpDecodeStatus.Ok"/>, otherwise null.</param>
    /// <exception cref="CryptographicException">The system does not have the cipher.</exception>
    public SnmpDecodeStatus Open(LocalizedKeys? keys, out ScopedPdu? scoped)
    {
        if (Header.Level != SecurityLevel.AuthPriv)
        {
            return Read(_data, out scoped);
        }

        scoped = null;
        if (keys is null || keys.Privacy == PrivacyProtocol.None || keys.Decrypt(Header.Boots, Header.Time, _salt, _data) is not { } plain)
        {
            return SnmpDecodeStatus.NotDecipherable;
        }

        // What stands behind is padding of the cipher (RFC 3414 section 8.1.1.2).
        BerReader reader = new(plain);
        SnmpDecodeStatus status = reader.Read(BerReader.SequenceTag, out ReadOnlySpan<byte> content);
        return status == SnmpDecodeStatus.Ok ? Read(content, out scoped) : status;
    }

    private static SnmpDecodeStatus ReadGlobal(ReadOnlySpan<byte> content, out int id, out int maxSize, out byte flags)
    {
        BerReader reader = new(content);
        maxSize = 0;
        flags = 0;
        SnmpDecodeStatus status;
        if ((status = reader.ReadInteger32(out id)) != SnmpDecodeStatus.Ok ||
            (status = reader.ReadInteger32(out maxSize)) != SnmpDecodeStatus.Ok ||
            (status = reader.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> octets)) != SnmpDecodeStatus.Ok ||
            (status = reader.ReadInteger32(out int model)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (model != UserBasedModel)
        {
            return SnmpDecodeStatus.UnsupportedSecurityModel;
        }

        if (id < 0 || maxSize < LeastMaxSize || octets.Length != 1)
        {
            return SnmpDecodeStatus.BadValue;
        }

        flags = octets[0];

        // RFC 3412 section 7.2 step 5: privacy without authentication is an invalid message.
        return (flags & 3) == 2 ? SnmpDecodeStatus.BadValue : reader.IsEmpty ? SnmpDecodeStatus.Ok : SnmpDecodeStatus.TrailingBytes;
    }

    private static SnmpDecodeStatus Read(ReadOnlySpan<byte> content, out ScopedPdu? scoped)
    {
        scoped = null;
        BerReader reader = new(content);
        SnmpDecodeStatus status;
        if ((status = reader.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> engine)) != SnmpDecodeStatus.Ok ||
            (status = reader.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> name)) != SnmpDecodeStatus.Ok ||
            (status = PduCodec.Read(ref reader, out SnmpPdu? pdu)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (!reader.IsEmpty)
        {
            return SnmpDecodeStatus.TrailingBytes;
        }

        if (!EngineId.TryCreate(engine, out EngineId engineId))
        {
            return SnmpDecodeStatus.BadValue;
        }

        scoped = new ScopedPdu(engineId, Encoding.UTF8.GetString(name), pdu!);
        return SnmpDecodeStatus.Ok;
    }

    private static byte[] Encode(ScopedPdu scoped)
    {
        AsnWriter writer = new(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString(scoped.ContextEngineId.Octets);
            writer.WriteOctetString(Encoding.UTF8.GetBytes(scoped.ContextName));
            PduCodec.Write(writer, scoped.Pdu);
        }

        return writer.Encode();
    }
}
