using System.Diagnostics.CodeAnalysis;

namespace EgressAppliance.Net;

/// <summary>
/// An IPv4 or IPv6 prefix: an address whose bits beyond <see cref="Length"/> are zero. Held as a value; a default value is no prefix.
/// </summary>
public readonly struct IpPrefix : IEquatable<IpPrefix>, IComparable<IpPrefix>, ISpanFormattable, ISpanParsable<IpPrefix>
{
    private IpPrefix(IpAddr address, byte length)
    {
        Address = address;
        Length = length;
    }

    /// <summary>The network address, host bits zero.</summary>
    public IpAddr Address { get; }

    /// <summary>Prefix length, 0–32 (IPv4) or 0–128 (IPv6).</summary>
    public byte Length { get; }

    /// <summary>The address family; 0 in a default value.</summary>
    public IpFamily Family => Address.Family;

    /// <summary>True for a default value, which stands for no prefix.</summary>
    public bool IsDefault => Address.IsDefault;

    /// <summary>A prefix of <paramref name="address"/>; host bits are cleared.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length exceeds that of the family.</exception>
    public static IpPrefix Create(IpAddr address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, address.BitLength);
        return new(Mask(address, length), (byte)length);
    }

    /// <summary>A prefix whose host bits are known to be zero and whose length is known to be right.</summary>
    internal static IpPrefix OfMasked(IpAddr address, int length) => new(address, (byte)length);

    /// <summary>The address with all bits from <paramref name="length"/> on cleared.</summary>
    public static IpAddr Mask(IpAddr address, int length)
    {
        ulong high = length >= 64 ? address.High : length == 0 ? 0 : address.High & (ulong.MaxValue << (64 - length));
        ulong low = length >= 128 ? address.Low : length <= 64 ? 0 : address.Low & (ulong.MaxValue << (128 - length));
        return IpAddr.FromBits(address.Family, high, low);
    }

    /// <summary>True if the address is of the same family and inside.</summary>
    public bool Contains(IpAddr address) => address.Family == Family && Mask(address, Length) == Address;

    /// <summary>True if the other prefix is equal or more specific and inside.</summary>
    public bool Contains(IpPrefix other) => other.Length >= Length && Contains(other.Address);

    /// <inheritdoc/>
    public bool Equals(IpPrefix other) => Length == other.Length && Address == other.Address;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is IpPrefix other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Address.High, Address.Low, (int)Length << 8 | (int)Family);

    /// <summary>Orders by family, address, then length: a covering prefix stands before what it covers.</summary>
    public int CompareTo(IpPrefix other)
    {
        int c = Address.CompareTo(other.Address);
        return c != 0 ? c : Length.CompareTo(other.Length);
    }

    /// <summary>Equality of family, address and length.</summary>
    public static bool operator ==(IpPrefix left, IpPrefix right) => left.Equals(right);

    /// <summary>Inequality of family, address or length.</summary>
    public static bool operator !=(IpPrefix left, IpPrefix right) => !left.Equals(right);

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator <(IpPrefix left, IpPrefix right) => left.CompareTo(right) < 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator <=(IpPrefix left, IpPrefix right) => left.CompareTo(right) <= 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator >(IpPrefix left, IpPrefix right) => left.CompareTo(right) > 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator >=(IpPrefix left, IpPrefix right) => left.CompareTo(right) >= 0;

    /// <summary><c>192.0.2.0/24</c>, <c>2001:db8::/32</c>.</summary>
    public override string ToString() => IsDefault ? "-" : $"{Address}/{Length}";

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

    /// <summary>Parses <c>address/length</c>. Host bits that are set make it fail: they are a typing error more often than not.</summary>
    public static bool TryParse(ReadOnlySpan<char> s, out IpPrefix result)
    {
        result = default;
        int slash = s.IndexOf('/');
        if (slash <= 0 || !IpAddr.TryParse(s[..slash], out IpAddr address))
        {
            return false;
        }

        ReadOnlySpan<char> digits = s[(slash + 1)..];
        if (digits.Length is 0 or > 3 || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        int length = int.Parse(digits, System.Globalization.CultureInfo.InvariantCulture);
        if (length > address.BitLength || Mask(address, length) != address)
        {
            return false;
        }

        result = new(address, (byte)length);
        return true;
    }

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out IpPrefix result) => TryParse(s, out result);

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out IpPrefix result) =>
        TryParse(s.AsSpan(), out result);

    /// <inheritdoc/>
    public static IpPrefix Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    /// <inheritdoc/>
    public static IpPrefix Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, out IpPrefix result) ? result : throw new FormatException($"'{s}' is not a prefix (address/length, host bits zero).");
}
