using System.Buffers;
using System.Globalization;

namespace EgressAppliance.Host.Config;

/// <summary>
/// Knows what people write instead of a value: a prefix where an address is wanted, a decimal comma, quotes of a word processor. A remedy that names the slip helps more
/// than one that repeats what the type looks like.
/// </summary>
internal static class LikelyMistake
{
    private static readonly SearchValues<char> TypographicQuotes = SearchValues.Create("“”„‘’‚«»");

    /// <summary>What is to be done about text that a type refused, or null if it is none of the known slips.</summary>
    public static string? RemedyOf(string text) =>
        text.AsSpan().IndexOfAny(TypographicQuotes) >= 0 ? "these are typographic quotes, which are part of the value: use plain ones, \" or '"
        : text.Contains('\t', StringComparison.Ordinal) ? "there is a tab in it; take it out"
        : null;

    /// <summary>The same for an address.</summary>
    public static string? RemedyOfAddress(string text) =>
        text.Split('/') is [var host, var length] && Net.IpAddr.TryParse(host, out _) && length.All(char.IsAsciiDigit) ? $"leave the prefix length out: {Quoted(host)}"
        : text.Any(char.IsAsciiLetter) && text.Contains('.', StringComparison.Ordinal) && !text.Contains(':', StringComparison.Ordinal) ? "names are not looked up; give the address, such as 192.0.2.1"
        : text.Split(':') is [var address, var port] && Net.IpAddr.TryParse(address, out _) && port.Length > 0 && port.All(char.IsAsciiDigit) ? $"leave the port out: {address}"
        : null;

    /// <summary>The same for a number: 1.10 is the dotted form of an AS number (RFC 5396).</summary>
    public static string? RemedyOfNumber(string text, long maximum) =>
        text.Split('.') is [var high, var low] && ushort.TryParse(high, NumberStyles.None, CultureInfo.InvariantCulture, out ushort upper)
            && ushort.TryParse(low, NumberStyles.None, CultureInfo.InvariantCulture, out ushort lower) && maximum > uint.MaxValue - 2L
            ? $"write the AS number as one: {(((long)upper << 16) | lower).ToString(CultureInfo.InvariantCulture)}"
            : null;

    /// <summary>The same for an unknown key: without a blank after it, the colon is part of the name.</summary>
    public static string? RemedyOfKey(string key) =>
        key == "<<" ? "YAML merge keys are not supported; write the keys out"
        : key.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 && key[..colon].All(c => char.IsAsciiLetterLower(c) || c == '_')
            ? $"put a blank after the colon: `{key[..colon]}: {key[(colon + 1)..]}`"
        : null;

    /// <summary>The same for a file that is not YAML.</summary>
    /// <param name="lines">The lines about the place.</param>
    /// <param name="message">What the parser said.</param>
    public static string RemedyOfSyntax(IReadOnlyList<string> lines, string message) =>
        lines.Any(line => line.AsSpan(0, line.Length - line.AsSpan().TrimStart().Length).Contains('\t')) ? "indent with spaces, YAML does not allow tabs"
        : lines.Select(line => line.Trim()).FirstOrDefault(IsKeyWithoutBlank) is { } stuck ? $"put a blank after the colon of `{stuck}`"
        : message.Contains("block collection", StringComparison.Ordinal) || message.Contains("block mapping", StringComparison.Ordinal)
            ? "this line is indented otherwise than those that it belongs to: keys of one section begin in one column, entries of a list with '- ' in one column"
        : message.Contains("invalid mapping", StringComparison.Ordinal)
            ? "a key cannot stand here: check the indentation of this line and the one above, and that entries of a list begin with '- '"
        : "check the indentation, quotes and brackets at this place and just above it";

    private static bool IsKeyWithoutBlank(string line) =>
        line.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 && colon + 1 < line.Length && line[colon + 1] is not (' ' or ':')
        && line[..colon].All(c => char.IsAsciiLetterLower(c) || c == '_') && !line.Contains(": ", StringComparison.Ordinal);

    private static string Quoted(string address) => address.Contains(':', StringComparison.Ordinal) ? $"\"{address}\"" : address;
}
