using System.Formats.Asn1;

namespace EgressAppliance.Snmp;

/// <summary>
/// Messages of community-based SNMPv2 (RFC 1901 section 3) around a PDU, for one community. A message model of version 3
/// would stand beside this type with the same two operations; PDUs, client and agent logic do not depend on the version.
/// </summary>
/// <param name="community">The community sent, and the only one accepted.</param>
public sealed class CommunityMessage(Community community)
{
    private const int Version2c = 1;

    /// <summary>The datagram for a PDU.</summary>
    public byte[] Encode(SnmpPdu pdu)
    {
        ArgumentNullException.ThrowIfNull(pdu);
        AsnWriter writer = new(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(Version2c);
            writer.WriteOctetString(community.Bytes);
            PduCodec.Write(writer, pdu);
        }

        return writer.Encode();
    }

    /// <summary>Reads a datagram. Never throws, whatever the bytes are.</summary>
    /// <param name="datagram">The whole datagram.</param>
    /// <param name="pdu">The PDU if the result is <see cref="SnmpDecodeStatus.Ok"/>, otherwise null.</param>
    public SnmpDecodeStatus Decode(ReadOnlySpan<byte> datagram, out SnmpPdu? pdu)
    {
        pdu = null;
        BerReader outer = new(datagram);
        SnmpDecodeStatus status = outer.Read(BerReader.SequenceTag, out ReadOnlySpan<byte> content);
        if (status != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        BerReader reader = new(content);
        if ((status = reader.ReadInteger32(out int version)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (version != Version2c)
        {
            return SnmpDecodeStatus.UnsupportedVersion;
        }

        if ((status = reader.Read(BerReader.OctetStringTag, out ReadOnlySpan<byte> name)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (!community.Matches(name))
        {
            return SnmpDecodeStatus.WrongCommunity;
        }

        if ((status = PduCodec.Read(ref reader, out SnmpPdu? decoded)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (!reader.IsEmpty || !outer.IsEmpty)
        {
            return SnmpDecodeStatus.TrailingBytes;
        }

        pdu = decoded;
        return SnmpDecodeStatus.Ok;
    }
}
