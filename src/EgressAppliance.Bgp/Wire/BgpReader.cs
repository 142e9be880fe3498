using System.Buffers.Binary;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>
/// Reads network-order fields from one span. A read that does not fit returns false and moves nothing, so that truncation
/// is an outcome the caller must name, never an exception.
/// </summary>
public ref struct BgpReader
{
    private readonly ReadOnlySpan<byte> _span;
    private int _position;

    /// <summary>A reader at the start of the span.</summary>
    public BgpReader(ReadOnlySpan<byte> span) => _span = span;

    /// <summary>Octets read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Octets left.</summary>
    public readonly int Remaining => _span.Length - _position;

    /// <summary>True when everything was read.</summary>
    public readonly bool AtEnd => _position == _span.Length;

    /// <summary>What is left, without moving.</summary>
    public readonly ReadOnlySpan<byte> Rest => _span[_position..];

    /// <summary>Reads one octet.</summary>
    public bool TryReadByte(out byte value)
    {
        if (Remaining < 1)
        {
            value = 0;
            return false;
        }

        value = _span[_position++];
        return true;
    }

    /// <summary>Reads two octets.</summary>
    public bool TryReadUInt16(out ushort value)
    {
        bool fits = BinaryPrimitives.TryReadUInt16BigEndian(Rest, out value);
        _position += fits ? 2 : 0;
        return fits;
    }

    /// <summary>Reads four octets.</summary>
    public bool TryReadUInt32(out uint value)
    {
        bool fits = BinaryPrimitives.TryReadUInt32BigEndian(Rest, out value);
        _position += fits ? 4 : 0;
        return fits;
    }

    /// <summary>Reads eight octets.</summary>
    public bool TryReadUInt64(out ulong value)
    {
        bool fits = BinaryPrimitives.TryReadUInt64BigEndian(Rest, out value);
        _position += fits ? 8 : 0;
        return fits;
    }

    /// <summary>Takes the next octets as a span.</summary>
    public bool TryReadSpan(int length, out ReadOnlySpan<byte> value)
    {
        if (length > Remaining)
        {
            value = default;
            return false;
        }

        value = _span.Slice(_position, length);
        _position += length;
        return true;
    }

    /// <summary>
    /// Reads one NLRI entry (RFC 4271 section 4.3; with a path identifier, RFC 7911 section 3). Bits beyond the prefix length are ignored.
    /// False if the prefix length exceeds the family's or the entry is truncated.
    /// </summary>
    public bool TryReadNlri(IpFamily family, bool addPath, out Nlri nlri)
    {
        nlri = default;
        ReadOnlySpan<byte> rest = Rest;
        uint pathId = 0;
        int at = 0;
        if (addPath)
        {
            if (!BinaryPrimitives.TryReadUInt32BigEndian(rest, out pathId))
            {
                return false;
            }

            at = sizeof(uint);
        }

        if (at >= rest.Length)
        {
            return false;
        }

        byte length = rest[at++];
        int octets = (length + 7) / 8;
        if (length > (family == IpFamily.IPv4 ? 32 : 128) || octets > rest.Length - at)
        {
            return false;
        }

        // Eight octets at once where there are as many: what is not of this prefix is masked out.
        ulong high = ReadUpper(rest[at..], octets) & UpperBits(length);
        ulong low = length > 64 ? ReadUpper(rest[(at + 8)..], octets - 8) & UpperBits(length - 64) : 0;
        _position += at + octets;
        nlri = new Nlri(IpPrefix.OfMasked(IpAddr.FromBits(family, high, low), length), pathId);
        return true;
    }

    /// <summary>The first octets, eight at most, left-aligned; what follows them is what follows in memory or zero.</summary>
    private static ulong ReadUpper(ReadOnlySpan<byte> bytes, int octets)
    {
        if (BinaryPrimitives.TryReadUInt64BigEndian(bytes, out ulong value))
        {
            return value;
        }

        for (int i = 0; i < octets; i++)
        {
            value |= (ulong)bytes[i] << (56 - (8 * i));
        }

        return value;
    }

    private static ulong UpperBits(int count) => count >= 64 ? ulong.MaxValue : ~(ulong.MaxValue >> count);
}
