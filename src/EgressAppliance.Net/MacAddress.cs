using System.Globalization;

namespace EgressAppliance.Net;

/// <summary>A 48-bit Ethernet address in the lower bits of a number, first octet most significant.</summary>
/// <param name="Value">0 to 2^48 − 1.</param>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Reads six octets.</summary>
    public static MacAddress FromBytes(ReadOnlySpan<byte> bytes) =>
        new((ulong)bytes[0] << 40 | (ulong)bytes[1] << 32 | (uint)bytes[2] << 24 | (uint)bytes[3] << 16 | (uint)bytes[4] << 8 | bytes[5]);

    /// <summary>Writes six octets.</summary>
    public void WriteBytes(Span<byte> destination)
    {
        for (int i = 0; i < 6; i++)
        {
            destination[i] = (byte)(Value >> (40 - (8 * i)));
        }
    }

    /// <summary>Parses <c>02:00:00:00:0a:02</c>, <c>02-00-00-00-0a-02</c> or <c>0200.0000.0a02</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress result)
    {
        result = default;
        int group = text.Length switch { 17 => 2, 14 => 4, _ => 0 };
        if (group == 0)
        {
            return false;
        }

        char separator = text[group];
        if (group == 2 ? separator is not (':' or '-') : separator != '.')
        {
            return false;
        }

        ulong value = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (i % (group + 1) == group)
            {
                if (text[i] != separator)
                {
                    return false;
                }
            }
            else if (int.TryParse(text.Slice(i, 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int digit))
            {
                value = value << 4 | (uint)digit;
            }
            else
            {
                return false;
            }
        }

        result = new(value);
        return true;
    }

    /// <summary><c>02:00:00:00:0a:02</c>.</summary>
    public override string ToString()
    {
        string hex = Value.ToString("x12", CultureInfo.InvariantCulture);
        return string.Join(':', Enumerable.Range(0, 6).Select(i => hex.Substring(2 * i, 2)));
    }
}
