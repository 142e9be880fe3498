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
        uint pathId = 0;
        if (addPath && !TryReadUInt32(out pathId))
        {
            return false;
        }

        if (!TryReadByte(out byte length) || length > (family == IpFamily.IPv4 ? 32 : 128)
            || !TryReadSpan((length + 7) / 8, out ReadOnlySpan<byte> bits))
        {
            return false;
        }

        Span<byte> padded = stackalloc byte[16];
        padded.Clear();
        bits.CopyTo(padded);
        IpAddr address = IpAddr.FromBits(
            family, BinaryPrimitives.ReadUInt64BigEndian(padded), BinaryPrimitives.ReadUInt64BigEndian(padded[8..]));
        nlri = new Nlri(IpPrefix.Create(address, length), pathId);
        return true;
    }
}
