using System.Globalization;

namespace EgressAppliance.Bgp.Rib;

/// <summary>Communities of RFC 1997 as numbers and text.</summary>
public static class Community
{
    /// <summary>NO_EXPORT: not beyond the AS (RFC 1997).</summary>
    public const uint NoExport = 0xFFFF_FF01;

    /// <summary>NO_ADVERTISE: not to any other peer (RFC 1997).</summary>
    public const uint NoAdvertise = 0xFFFF_FF02;

    /// <summary><c>65000:666</c>.</summary>
    public static string Format(uint community) => string.Create(CultureInfo.InvariantCulture, $"{community >> 16}:{community & 0xFFFF}");

    /// <summary>Reads <c>65000:666</c>, both parts 0–65535.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out uint community)
    {
        int colon = text.IndexOf(':');
        ushort low = 0;
        ushort high = 0;
        bool good = colon > 0
            && ushort.TryParse(text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out high)
            && ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out low);
        community = good ? ((uint)high << 16) | low : 0;
        return good;
    }
}
