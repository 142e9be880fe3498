using System.Diagnostics.CodeAnalysis;

namespace EgressAppliance.Snmp;

/// <summary>An snmpEngineID (RFC 3411 section 5): 5 to 32 octets. The default value has none: it asks an agent for its own.</summary>
public readonly struct EngineId : IEquatable<EngineId>
{
    /// <summary>The fewest octets of an engine's ID.</summary>
    public const int MinLength = 5;

    /// <summary>The most octets.</summary>
    public const int MaxLength = 32;

    private readonly byte[]? _octets;

    private EngineId(byte[] octets) => _octets = octets;

    /// <summary>The octets.</summary>
    public ReadOnlySpan<byte> Octets => _octets;

    /// <summary>True if it can be the ID of an engine by its length.</summary>
    public bool IsUsable => Octets.Length is >= MinLength and <= MaxLength;

    /// <summary>Takes octets as they came in a message. False if they are too many.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> octets, out EngineId value)
    {
        value = octets.Length is > 0 and <= MaxLength ? new EngineId(octets.ToArray()) : default;
        return octets.Length <= MaxLength;
    }

    /// <summary>Parses hexadecimal digits, with or without <c>0x</c> in front and colons between octets. False unless it is usable.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EngineId value)
    {
        value = default;
        if (text is null)
        {
            return false;
        }

        string digits = (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text).Replace(":", "", StringComparison.Ordinal);
        if (digits.Length % 2 != 0 || digits.Length > 2 * MaxLength || !digits.All(char.IsAsciiHexDigit))
        {
            return false;
        }

        return TryCreate(Convert.FromHexString(digits), out value) && value.IsUsable;
    }

    /// <inheritdoc/>
    public bool Equals(EngineId other) => Octets.SequenceEqual(other.Octets);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EngineId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Octets);
        return hash.ToHashCode();
    }

    /// <summary>Hexadecimal digits with <c>0x</c> in front.</summary>
    public override string ToString() => "0x" + Convert.ToHexStringLower(Octets);

    /// <summary>The same octets.</summary>
    public static bool operator ==(EngineId left, EngineId right) => left.Equals(right);

    /// <summary>Other octets.</summary>
    public static bool operator !=(EngineId left, EngineId right) => !left.Equals(right);
}
