using System.Globalization;

namespace EgressAppliance.Decision.Policies;

/// <summary>A community that a policy asks for: a standard one (RFC 1997), <c>A:B</c>, or a large one (RFC 8092), <c>A:B:C</c>.</summary>
/// <param name="First">A; of a standard one at most 65535.</param>
/// <param name="Second">B; of a standard one at most 65535.</param>
/// <param name="Third">C; null for a standard one.</param>
public readonly record struct CommunityMatch(uint First, uint Second, uint? Third = null)
{
    /// <summary>A standard one as its attribute holds it.</summary>
    public uint Standard => (First << 16) | Second;

    /// <summary>Reads <c>A:B</c> or <c>A:B:C</c>, decimal numbers without signs.</summary>
    public static bool TryParse(string? text, out CommunityMatch community)
    {
        community = default;
        string[] parts = (text ?? "").Split(':');
        if (parts.Length is not (2 or 3))
        {
            return false;
        }

        Span<uint> numbers = stackalloc uint[3];
        uint most = parts.Length == 2 ? ushort.MaxValue : uint.MaxValue;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!uint.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]) || numbers[i] > most)
            {
                return false;
            }
        }

        community = new(numbers[0], numbers[1], parts.Length == 3 ? numbers[2] : null);
        return true;
    }

    /// <summary><c>A:B</c> or <c>A:B:C</c>.</summary>
    public override string ToString() => Third is { } third
        ? string.Create(CultureInfo.InvariantCulture, $"{First}:{Second}:{third}")
        : string.Create(CultureInfo.InvariantCulture, $"{First}:{Second}");
}
