namespace EgressAppliance.Net;

/// <summary>
/// A prefix in 64 bits: all of IPv4, and IPv6 up to /56, which is nearly all that is announced. From above: the address, 6 bits of length, 2 bits of kind.
/// In the order of the numbers, prefixes of one family are in their own order.
/// </summary>
internal static class PackedPrefix
{
    /// <summary>Lowest bits of a word, which tell its kind.</summary>
    public const int KindBits = 2;

    /// <summary>Kind of a word that stands for a prefix too long to pack; the bits above are the caller's.</summary>
    public const ulong Unpacked = 3;

    private const int LengthBits = 6;
    private const ulong KindMask = (1 << KindBits) - 1;
    private const ulong LengthMask = (1 << LengthBits) - 1;
    private const ulong IPv4 = 1;
    private const ulong IPv6 = 2;
    private const int LongestIPv6 = 64 - LengthBits - KindBits;

    /// <summary>Packs; false if the prefix is too long.</summary>
    public static bool TryPack(IpPrefix prefix, out ulong word)
    {
        bool v4 = prefix.Family == IpFamily.IPv4;
        word = prefix.Address.High | ((ulong)prefix.Length << KindBits) | (v4 ? IPv4 : IPv6);
        return v4 || prefix.Length <= LongestIPv6;
    }

    /// <summary>The prefix of a packed word; a default value for any other.</summary>
    public static IpPrefix Unpack(ulong word)
    {
        ulong high = word & ~((1UL << (LengthBits + KindBits)) - 1);
        int length = (int)((word >> KindBits) & LengthMask);
        return (word & KindMask) switch
        {
            IPv4 => IpPrefix.OfMasked(IpAddr.FromIPv4((uint)(high >> 32)), length),
            IPv6 => IpPrefix.OfMasked(IpAddr.FromIPv6(high, 0), length),
            _ => default,
        };
    }

    /// <summary>Whether the word stands for a prefix too long to pack.</summary>
    public static bool IsUnpacked(ulong word) => (word & KindMask) == Unpacked;
}
