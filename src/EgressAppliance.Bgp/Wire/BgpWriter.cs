using System.Buffers.Binary;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>
/// Writes network-order fields into one span. What does not fit is dropped and sets <see cref="Overflowed"/>, which stays set:
/// encoders write straight through and look once at the end.
/// </summary>
public ref struct BgpWriter
{
    private readonly Span<byte> _span;
    private int _position;

    /// <summary>A writer at the start of the span.</summary>
    public BgpWriter(Span<byte> span) => _span = span;

    /// <summary>Octets written.</summary>
    public readonly int Position => _position;

    /// <summary>Octets that still fit.</summary>
    public readonly int Remaining => _span.Length - _position;

    /// <summary>True once something did not fit.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _span[.._position];

    /// <summary>Writes one octet.</summary>
    public void WriteByte(byte value)
    {
        if (Take(1, out Span<byte> place))
        {
            place[0] = value;
        }
    }

    /// <summary>Writes two octets.</summary>
    public void WriteUInt16(ushort value)
    {
        if (Take(2, out Span<byte> place))
        {
            BinaryPrimitives.WriteUInt16BigEndian(place, value);
        }
    }

    /// <summary>Writes four octets.</summary>
    public void WriteUInt32(uint value)
    {
        if (Take(4, out Span<byte> place))
        {
            BinaryPrimitives.WriteUInt32BigEndian(place, value);
        }
    }

    /// <summary>Writes eight octets.</summary>
    public void WriteUInt64(ulong value)
    {
        if (Take(8, out Span<byte> place))
        {
            BinaryPrimitives.WriteUInt64BigEndian(place, value);
        }
    }

    /// <summary>Writes octets as they are.</summary>
    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        if (Take(bytes.Length, out Span<byte> place))
        {
            bytes.CopyTo(place);
        }
    }

    /// <summary>Writes an address, 4 or 16 octets.</summary>
    public void WriteAddress(IpAddr address)
    {
        if (Take(address.BitLength / 8, out Span<byte> place))
        {
            address.WriteBytes(place);
        }
    }

    /// <summary>Writes one NLRI entry, with its path identifier if ADD-PATH is in force.</summary>
    public void WriteNlri(Nlri nlri, bool addPath)
    {
        if (addPath)
        {
            WriteUInt32(nlri.PathId);
        }

        Span<byte> address = stackalloc byte[16];
        nlri.Prefix.Address.WriteBytes(address);
        WriteByte(nlri.Prefix.Length);
        WriteBytes(address[..((nlri.Prefix.Length + 7) / 8)]);
    }

    /// <summary>Leaves room for a field that is known later and returns its position.</summary>
    public int Reserve(int length)
    {
        int at = _position;
        if (Take(length, out Span<byte> place))
        {
            place.Clear();
        }

        return at;
    }

    /// <summary>Fills a reserved two-octet field.</summary>
    public readonly void PatchUInt16(int position, int value)
    {
        if (!Overflowed)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_span[position..], checked((ushort)value));
        }
    }

    /// <summary>Fills a reserved octet.</summary>
    public readonly void PatchByte(int position, int value)
    {
        if (!Overflowed)
        {
            _span[position] = checked((byte)value);
        }
    }

    /// <summary>Writes marker, a length to be filled by <see cref="EndMessage"/>, and type; returns the message's start.</summary>
    public int BeginMessage(BgpMessageType type)
    {
        int start = _position;
        if (Take(BgpConstants.HeaderLength, out Span<byte> header))
        {
            header[..16].Fill(0xFF);
            header[16..].Clear();
            header[18] = (byte)type;
        }

        return start;
    }

    /// <summary>Fills the length of the message that began at <paramref name="start"/>.</summary>
    public readonly void EndMessage(int start) => PatchUInt16(start + 16, _position - start);

    private bool Take(int length, out Span<byte> place)
    {
        if (Overflowed || length > Remaining)
        {
            Overflowed = true;
            place = default;
            return false;
        }

        place = _span.Slice(_position, length);
        _position += length;
        return true;
    }
}
