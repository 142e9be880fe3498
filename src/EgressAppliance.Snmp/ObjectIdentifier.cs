using System.Globalization;
using System.Text;

namespace EgressAppliance.Snmp;

/// <summary>
/// An OBJECT IDENTIFIER as SNMP allows it (RFC 2578 section 3.5): 2 to 128 arcs of 0 to 2^32-1, ordered arc by arc.
/// The default value is 0.0 (zeroDotZero).
/// </summary>
public readonly struct ObjectIdentifier : IEquatable<ObjectIdentifier>, IComparable<ObjectIdentifier>
{
    /// <summary>The most arcs an identifier can have.</summary>
    public const int MaxArcs = 128;

    private static readonly uint[] ZeroDotZero = [0, 0];

    private readonly uint[]? _arcs;

    private ObjectIdentifier(uint[] arcs) => _arcs = arcs;

    /// <summary>The arcs.</summary>
    public ReadOnlySpan<uint> Arcs => _arcs ?? ZeroDotZero;

    /// <summary>Number of arcs.</summary>
    public int Length => Arcs.Length;

    /// <summary>One arc, counted from 0.</summary>
    public uint this[int index] => Arcs[index];

    /// <summary>The last arc: the index of a row that is indexed by one integer.</summary>
    public uint Last => Arcs[^1];

    /// <summary>Makes an identifier. False if the arcs are too few, too many or cannot be encoded (X.690 section 8.19.4).</summary>
    public static bool TryCreate(ReadOnlySpan<uint> arcs, out ObjectIdentifier value)
    {
        value = default;
        if (arcs.Length is < 2 or > MaxArcs || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39) || arcs[1] > uint.MaxValue - 80)
        {
            return false;
        }

        value = new ObjectIdentifier(arcs.ToArray());
        return true;
    }

    /// <summary>Parses dotted decimal, with or without a leading dot.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ObjectIdentifier value)
    {
        value = default;
        if (text.Length > 0 && text[0] == '.')
        {
            text = text[1..];
        }

        Span<uint> arcs = stackalloc uint[MaxArcs];
        int count = 0;
        foreach (Range part in text.Split('.'))
        {
            if (count == MaxArcs || !uint.TryParse(text[part], NumberStyles.None, CultureInfo.InvariantCulture, out arcs[count]))
            {
                return false;
            }

            count++;
        }

        return TryCreate(arcs[..count], out value);
    }

    /// <summary>Parses dotted decimal.</summary>
    /// <exception cref="FormatException">The text is no object identifier.</exception>
    public static ObjectIdentifier Parse(string text) =>
        TryParse(text, out ObjectIdentifier value) ? value : throw new FormatException($"'{text}' is no object identifier");

    /// <summary>This identifier with more arcs behind it.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaxArcs"/> arcs would result.</exception>
    public ObjectIdentifier Append(params ReadOnlySpan<uint> arcs)
    {
        uint[] joined = [.. Arcs, .. arcs];
        return TryCreate(joined, out ObjectIdentifier value) ? value : throw new ArgumentException("too many arcs", nameof(arcs));
    }

    /// <summary>True if this is <paramref name="root"/> or lies below it.</summary>
    public bool IsWithin(ObjectIdentifier root) => Arcs.StartsWith(root.Arcs);

    /// <inheritdoc/>
    public int CompareTo(ObjectIdentifier other) => Arcs.SequenceCompareTo(other.Arcs);

    /// <inheritdoc/>
    public bool Equals(ObjectIdentifier other) => Arcs.SequenceEqual(other.Arcs);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ObjectIdentifier other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (uint arc in Arcs)
        {
            hash.Add(arc);
        }

        return hash.ToHashCode();
    }

    /// <summary>Dotted decimal without a leading dot.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (uint arc in Arcs)
        {
            text.Append(text.Length == 0 ? "" : ".").Append(arc);
        }

        return text.ToString();
    }

    /// <summary>Equal arcs.</summary>
    public static bool operator ==(ObjectIdentifier left, ObjectIdentifier right) => left.Equals(right);

    /// <summary>Different arcs.</summary>
    public static bool operator !=(ObjectIdentifier left, ObjectIdentifier right) => !left.Equals(right);

    /// <summary>Lexicographical order.</summary>
    public static bool operator <(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) < 0;

    /// <summary>Lexicographical order.</summary>
    public static bool operator <=(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) <= 0;

    /// <summary>Lexicographical order.</summary>
    public static bool operator >(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) > 0;

    /// <summary>Lexicographical order.</summary>
    public static bool operator >=(ObjectIdentifier left, ObjectIdentifier right) => left.CompareTo(right) >= 0;
}
