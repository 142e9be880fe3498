using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace EgressAppliance.Net;

/// <summary>
/// An IPv4 or IPv6 address as a 17-byte value without heap allocation. The bits are left-aligned in 128 bits for both
/// families (an IPv4 address fills the upper 32), so that tries and prefixes treat the families alike, bit 0 being the most significant.
/// </summary>
public readonly struct IpAddr : IEquatable<IpAddr>, IComparable<IpAddr>, ISpanFormattable, ISpanParsable<IpAddr>
{
    private static readonly SearchValues<char> NotInIPv6Text = SearchValues.Create("%[]/");
    private static readonly SearchValues<char> IPv4Text = SearchValues.Create("0123456789.");
    private readonly ulong _high;
    private readonly ulong _low;

    private IpAddr(IpFamily family, ulong high, ulong low)
    {
        Family = family;
        _high = high;
        _low = low;
    }

    /// <summary>The address family; 0 in a default value, which is no address.</summary>
    public IpFamily Family { get; }

    /// <summary>The upper 64 bits, left-aligned: an IPv4 address is in the upper half of them.</summary>
    public ulong High => _high;

    /// <summary>The lower 64 bits; 0 for IPv4.</summary>
    public ulong Low => _low;

    /// <summary>True for a default value, which stands for no address.</summary>
    public bool IsDefault => Family == 0;

    /// <summary>32 or 128.</summary>
    public int BitLength => Family == IpFamily.IPv4 ? 32 : 128;

    /// <summary>The address as a host-order 32-bit number. Meaningful for IPv4 only.</summary>
    public uint IPv4Value => (uint)(_high >> 32);

    /// <summary>An IPv4 address from its host-order value (192.0.2.1 is 0xC0000201).</summary>
    public static IpAddr FromIPv4(uint value) => new(IpFamily.IPv4, (ulong)value << 32, 0);

    /// <summary>An IPv6 address from its two host-order halves.</summary>
    public static IpAddr FromIPv6(ulong high, ulong low) => new(IpFamily.IPv6, high, low);

    /// <summary>An address from left-aligned bits; for IPv4 everything beyond the upper 32 bits must be zero.</summary>
    public static IpAddr FromBits(IpFamily family, ulong high, ulong low) =>
        family == IpFamily.IPv4 ? new(family, high & 0xFFFF_FFFF_0000_0000, 0) : new(family, high, low);

    /// <summary>Reads 4 bytes (IPv4) or 16 bytes (IPv6) in network order.</summary>
    /// <exception cref="ArgumentException">The span is neither 4 nor 16 bytes long.</exception>
    public static IpAddr FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        4 => FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes)),
        16 => FromIPv6(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..])),
        _ => throw new ArgumentException("An address is 4 or 16 bytes.", nameof(bytes)),
    };

    /// <summary>Converts from the framework's type. IPv4-mapped IPv6 addresses become IPv4; scope ids are dropped.</summary>
    public static IpAddr From(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        Span<byte> bytes = stackalloc byte[16];
        plain.TryWriteBytes(bytes, out int written);
        return FromBytes(bytes[..written]);
    }

    /// <summary>Converts to the framework's type.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..WriteBytes(bytes)]);
    }

    /// <summary>Writes 4 or 16 bytes in network order and returns how many.</summary>
    public int WriteBytes(Span<byte> destination)
    {
        if (Family == IpFamily.IPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, IPv4Value);
            return 4;
        }

        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        return 16;
    }

    /// <summary>Bit <paramref name="index"/>, 0 being the most significant.</summary>
    public bool Bit(int index) =>
        index < 64 ? (_high >> (63 - index) & 1) != 0 : (_low >> (127 - index) & 1) != 0;

    /// <inheritdoc/>
    public bool Equals(IpAddr other) => _high == other._high && _low == other._low && Family == other.Family;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is IpAddr other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low, Family);

    /// <summary>Orders by family, then numerically.</summary>
    public int CompareTo(IpAddr other)
    {
        // As numbers: an enum's own CompareTo boxes, and sorting a table compares millions of times.
        int c = ((byte)Family).CompareTo((byte)other.Family);
        if (c == 0)
        {
            c = _high.CompareTo(other._high);
        }

        return c != 0 ? c : _low.CompareTo(other._low);
    }

    /// <summary>Equality of family and bits.</summary>
    public static bool operator ==(IpAddr left, IpAddr right) => left.Equals(right);

    /// <summary>Inequality of family or bits.</summary>
    public static bool operator !=(IpAddr left, IpAddr right) => !left.Equals(right);

    /// <summary>Orders by family, then numerically.</summary>
    public static bool operator <(IpAddr left, IpAddr right) => left.CompareTo(right) < 0;

    /// <summary>Orders by family, then numerically.</summary>
    public static bool operator <=(IpAddr left, IpAddr right) => left.CompareTo(right) <= 0;

    /// <summary>Orders by family, then numerically.</summary>
    public static bool operator >(IpAddr left, IpAddr right) => left.CompareTo(right) > 0;

    /// <summary>Orders by family, then numerically.</summary>
    public static bool operator >=(IpAddr left, IpAddr right) => left.CompareTo(right) >= 0;

    /// <summary>Dotted quad, or IPv6 text as RFC 5952 recommends.</summary>
    public override string ToString() => IsDefault ? "-" : ToIPAddress().ToString();

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <inheritdoc/>
    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        string text = ToString();
        bool fits = text.TryCopyTo(destination);
        charsWritten = fits ? text.Length : 0;
        return fits;
    }

    /// <summary>Parses dotted-quad IPv4 (exactly four decimal parts) or IPv6 text. No scope ids, no ports.</summary>
    public static bool TryParse(ReadOnlySpan<char> s, out IpAddr result)
    {
        result = default;
        // The framework also takes "1.2", "0x1.2.3.4" and scope ids, and reads "010.0.0.1" as octal 8.0.0.1: no operator means any of this here.
        bool v6 = s.Contains(':');
        if (v6 ? s.ContainsAny(NotInIPv6Text) : s.Count('.') != 3 || s.ContainsAnyExcept(IPv4Text) || HasLeadingZero(s))
        {
            return false;
        }

        if (!IPAddress.TryParse(s, out IPAddress? parsed))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        parsed.TryWriteBytes(bytes, out int written);
        if (v6 != (parsed.AddressFamily == AddressFamily.InterNetworkV6))
        {
            return false;
        }

        result = FromBytes(bytes[..written]);
        return true;
    }

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out IpAddr result) => TryParse(s, out result);

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out IpAddr result) =>
        TryParse(s.AsSpan(), out result);

    /// <inheritdoc/>
    public static IpAddr Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    /// <inheritdoc/>
    public static IpAddr Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, out IpAddr result) ? result : throw new FormatException($"'{s}' is not an IP address.");

    private static bool HasLeadingZero(ReadOnlySpan<char> dotted)
    {
        foreach (Range part in dotted.Split('.'))
        {
            if (dotted[part] is ['0', _, ..])
            {
                return true;
            }
        }

        return false;
    }
}
