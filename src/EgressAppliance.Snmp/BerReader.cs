using System.Formats.Asn1;

namespace EgressAppliance.Snmp;

/// <summary>
/// Reads BER elements (X.690) of one buffer with the restrictions of RFC 3417 section 8: definite lengths, primitive strings.
/// Reports bad input by status; the framework's reader would throw, which a flood of bad datagrams could turn into load.
/// </summary>
internal ref struct BerReader(ReadOnlySpan<byte> data)
{
    public const byte IntegerTag = 0x02;
    public const byte OctetStringTag = 0x04;
    public const byte NullTag = 0x05;
    public const byte ObjectIdentifierTag = 0x06;
    public const byte SequenceTag = 0x30;

    private ReadOnlySpan<byte> _rest = data;

    public readonly bool IsEmpty => _rest.IsEmpty;

    public SnmpDecodeStatus Read(out byte tag, out ReadOnlySpan<byte> content)
    {
        tag = 0;
        content = default;
        if (_rest.Length < 2)
        {
            return SnmpDecodeStatus.Truncated;
        }

        tag = _rest[0];
        if ((tag & 0x1f) == 0x1f)
        {
            return SnmpDecodeStatus.UnexpectedTag;
        }

        if (!AsnDecoder.TryDecodeLength(_rest[1..], AsnEncodingRules.BER, out int? length, out int lengthBytes) || length is null)
        {
            return SnmpDecodeStatus.BadLength;
        }

        ReadOnlySpan<byte> behind = _rest[(1 + lengthBytes)..];
        if (length > behind.Length)
        {
            return SnmpDecodeStatus.Truncated;
        }

        content = behind[..length.Value];
        _rest = behind[length.Value..];
        return SnmpDecodeStatus.Ok;
    }

    public SnmpDecodeStatus Read(byte wantedTag, out ReadOnlySpan<byte> content)
    {
        SnmpDecodeStatus status = Read(out byte tag, out content);
        return status == SnmpDecodeStatus.Ok && tag != wantedTag ? SnmpDecodeStatus.UnexpectedTag : status;
    }

    public SnmpDecodeStatus ReadInteger32(out int value)
    {
        value = 0;
        SnmpDecodeStatus status = Read(IntegerTag, out ReadOnlySpan<byte> content);
        return status == SnmpDecodeStatus.Ok ? ParseInteger32(content, out value) : status;
    }

    public static SnmpDecodeStatus ParseInteger32(ReadOnlySpan<byte> content, out int value)
    {
        value = 0;
        if (content.IsEmpty)
        {
            return SnmpDecodeStatus.BadInteger;
        }

        bool negative = (content[0] & 0x80) != 0;
        byte sign = negative ? (byte)0xff : (byte)0;

        // X.690 forbids padding; agents exist that send every integer with a fixed number of bytes.
        while (content.Length > 4)
        {
            if (content[0] != sign || ((content[1] & 0x80) != 0) != negative)
            {
                return SnmpDecodeStatus.BadInteger;
            }

            content = content[1..];
        }

        value = negative ? -1 : 0;
        foreach (byte b in content)
        {
            value = value << 8 | b;
        }

        return SnmpDecodeStatus.Ok;
    }

    /// <summary>
    /// An unsigned number of at most <paramref name="bytes"/> bytes. A set top bit without the leading zero that X.690 wants is
    /// taken as part of the number: counters never are negative, and some agents leave the zero out.
    /// </summary>
    public static SnmpDecodeStatus ParseUnsigned(ReadOnlySpan<byte> content, int bytes, out ulong value)
    {
        value = 0;
        if (content.IsEmpty)
        {
            return SnmpDecodeStatus.BadInteger;
        }

        content = content.TrimStart((byte)0);
        if (content.Length > bytes)
        {
            return SnmpDecodeStatus.BadInteger;
        }

        foreach (byte b in content)
        {
            value = value << 8 | b;
        }

        return SnmpDecodeStatus.Ok;
    }

    public static SnmpDecodeStatus ParseObjectIdentifier(ReadOnlySpan<byte> content, out ObjectIdentifier value)
    {
        value = default;
        Span<uint> arcs = stackalloc uint[ObjectIdentifier.MaxArcs];
        int count = 0;
        ulong arc = 0;
        bool within = false;
        foreach (byte b in content)
        {
            arc = arc << 7 | (uint)(b & 0x7f);
            if (arc > uint.MaxValue)
            {
                return SnmpDecodeStatus.BadObjectIdentifier;
            }

            within = (b & 0x80) != 0;
            if (within)
            {
                continue;
            }

            if (count == 0)
            {
                // The first number holds two arcs (X.690 section 8.19.4).
                arcs[0] = (uint)Math.Min(arc / 40, 2);
                arc -= arcs[0] * 40;
                count = 1;
            }

            if (count == arcs.Length)
            {
                return SnmpDecodeStatus.BadObjectIdentifier;
            }

            arcs[count++] = (uint)arc;
            arc = 0;
        }

        return !within && ObjectIdentifier.TryCreate(arcs[..count], out value) ? SnmpDecodeStatus.Ok : SnmpDecodeStatus.BadObjectIdentifier;
    }
}
