using System.Globalization;

namespace EgressAppliance.Host.Interfaces;

/// <summary>By what an interface is known.</summary>
public enum InterfaceKey
{
    /// <summary>ifName.</summary>
    Name,

    /// <summary>ifAlias: the description that the operator gave it.</summary>
    Alias,

    /// <summary>ifIndex, which may mean another interface after a restart of the router.</summary>
    Index,

    /// <summary>The provider's address: the interface behind which the router has that neighbour.</summary>
    NextHop,
}

/// <summary>How <c>links[].interface</c> names an interface: its ifName, or <c>alias:</c> and its ifAlias, or <c>index:</c> and its ifIndex. Not given at all, it is found by the next hops.</summary>
/// <param name="Key">By what.</param>
/// <param name="Text">Name, alias or number; empty for <see cref="InterfaceKey.NextHop"/>.</param>
public readonly record struct InterfaceSelector(InterfaceKey Key, string Text)
{
    private const string AliasMark = "alias:";
    private const string IndexMark = "index:";

    /// <summary>The number of <see cref="InterfaceKey.Index"/>; null for the others.</summary>
    public uint? Index => Key == InterfaceKey.Index ? uint.Parse(Text, CultureInfo.InvariantCulture) : null;

    /// <summary>Reads the value of the key. What is neither of the marked forms is a name.</summary>
    public static InterfaceSelector Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == 0 ? new(InterfaceKey.NextHop, "")
            : text.StartsWith(AliasMark, StringComparison.Ordinal) ? new(InterfaceKey.Alias, text[AliasMark.Length..].Trim())
            : text.StartsWith(IndexMark, StringComparison.Ordinal) && uint.TryParse(text[IndexMark.Length..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint index)
                ? new(InterfaceKey.Index, index.ToString(CultureInfo.InvariantCulture))
            : new(InterfaceKey.Name, text);
    }
}
