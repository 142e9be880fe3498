using System.Globalization;
using System.Net;
using System.Text;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Config;

/// <summary>The type of a key's value: how it is named and bounded in the reference, and how its text is read.</summary>
/// <param name="name">Its name in the reference.</param>
/// <param name="range">The range in the reference; the parser enforces the same.</param>
/// <param name="parse">Reads the text.</param>
public sealed class ConfigType(string name, string range, Func<string, ParsedValue> parse)
{
    /// <summary>Its name in the reference: <c>rate</c>, <c>integer</c>, <c>one of …</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The range in the reference, or empty.</summary>
    public string Range { get; } = range;

    /// <summary>Reads a scalar's text.</summary>
    public ParsedValue Parse(string text) => parse(text);

    /// <summary><c>true</c> or <c>false</c>; a <see cref="bool"/>.</summary>
    public static ConfigType Bool { get; } = new("boolean", "true, false", text => text switch
    {
        "true" => ParsedValue.Of(true),
        "false" => ParsedValue.Of(false),
        _ => ParsedValue.Bad($"'{text}' is not a boolean", "write true or false"),
    });

    /// <summary>The version of the format, of which there is one so far; a <see cref="long"/>.</summary>
    public static ConfigType FormatVersion { get; } = new("integer", "1", text => text == "1"
        ? ParsedValue.Of(1L)
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long version) && version > 1
            ? ParsedValue.Bad(
                $"format {version} is that of a newer appliance",
                "install that version, or put back the configuration that this one had; 1 would only hide what this one does not know")
            : ParsedValue.Bad($"'{text}' is no version of the format", "write 1"));

    /// <summary>An address, no prefix length and no port; an <see cref="IpAddr"/>.</summary>
    public static ConfigType Address { get; } = new("IP address", "", text => IpAddr.TryParse(text, out IpAddr address)
        ? ParsedValue.Of(address)
        : ParsedValue.Bad($"'{text}' is not an IP address", LikelyMistake.RemedyOfAddress(text) ?? "write it like 192.0.2.1 or \"2001:db8::1\""));

    /// <summary>A prefix with its host bits zero; an <see cref="IpPrefix"/>.</summary>
    public static ConfigType Prefix { get; } = new("prefix", "", ParsePrefix);

    /// <summary>An Ethernet address; a <see cref="MacAddress"/>.</summary>
    public static ConfigType Mac { get; } = new("MAC address", "", text => MacAddress.TryParse(text, out MacAddress mac)
        ? ParsedValue.Of(mac)
        : ParsedValue.Bad($"'{text}' is not a MAC address", "write it like \"02:00:00:00:0a:02\""));

    /// <summary>A host name or address with or without a port: (string, int), 0 where none is given.</summary>
    public static ConfigType HostPort { get; } = new("host:port", "port 1–65535", ParseHostPort);

    /// <summary>An address and a port; an <see cref="IPEndPoint"/>.</summary>
    public static ConfigType EndPoint { get; } = new("address:port", "port 1–65535", ParseEndPoint);

    /// <summary>An RFC 1997 community; a <see cref="uint"/>.</summary>
    public static ConfigType Community { get; } = new("community", "1–65534:0–65535", ParseCommunity);

    /// <summary>A standard community (RFC 1997), reserved ones included, or a large one (RFC 8092), to look for; a <see cref="CommunityMatch"/>.</summary>
    public static ConfigType AnyCommunity { get; } = new("community", "0–65535:0–65535, or three numbers 0–4294967295", text => CommunityMatch.TryParse(text, out CommunityMatch community)
        ? ParsedValue.Of(community)
        : ParsedValue.Bad($"'{text}' is not a community", "write it like \"65000:100\", or like \"65000:1:2\" for a large one"));

    /// <summary>A BGP identifier, written as an IPv4 address, not zero (RFC 6286); an <see cref="IpAddr"/>.</summary>
    public static ConfigType RouterId { get; } = new("IPv4 address", "", text =>
        IpAddr.TryParse(text, out IpAddr address) && address.Family == IpFamily.IPv4 && address.IPv4Value != 0
            ? ParsedValue.Of(address)
            : ParsedValue.Bad($"'{text}' is not a BGP identifier", "write it as an IPv4 address other than 0.0.0.0, such as 192.0.2.2"));

    /// <summary>An snmpEngineID in hexadecimal; an <see cref="EngineId"/>.</summary>
    public static ConfigType SnmpEngineId { get; } = new("hexadecimal", "5–32 octets", text => EngineId.TryParse(text, out EngineId engine)
        ? ParsedValue.Of(engine)
        : ParsedValue.Bad($"'{text}' is not an engine ID", "write its 5 to 32 octets in hexadecimal, such as \"0x80001f8804656467653031\""));

    /// <summary>The name of a link, router or site; a <see cref="string"/>.</summary>
    public static ConfigType Identifier { get; } = new("name", "1–64 of A–Z a–z 0–9 . _ -", text =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? ParsedValue.Of(text)
            : ParsedValue.Bad($"'{text}' is not a usable name", "use 1 to 64 letters, digits, dots, underscores and hyphens"));

    /// <summary>The name of a Linux interface; a <see cref="string"/>.</summary>
    public static ConfigType LinuxInterface { get; } = new("interface name", "1–15 characters", text =>
        text.Length is > 0 and <= 15 && !text.Any(c => c is '/' or ':' || char.IsWhiteSpace(c) || char.IsControl(c))
            ? ParsedValue.Of(text)
            : ParsedValue.Bad($"'{text}' cannot be the name of an interface", "`ip link` lists the names; they have at most 15 characters"));

    /// <summary>A price; a <see cref="double"/>.</summary>
    public static ConfigType Price { get; } = new("number", "0–1000000", text =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value <= 1e6
            ? ParsedValue.Of(value)
            : ParsedValue.Bad($"'{text}' is not a price", "write a number from 0 to 1000000 without a currency, such as 0.35"));

    /// <summary>A time zone; a <see cref="TimeZoneInfo"/>.</summary>
    public static ConfigType Zone { get; } = new("time zone", "IANA name", text =>
        text.Length is > 0 and <= 64 && TimeZoneInfo.TryFindSystemTimeZoneById(text, out TimeZoneInfo? zone)
            ? ParsedValue.Of(zone)
            : ParsedValue.Bad($"'{text}' is no time zone of this machine", "write a name such as Europe/Berlin; `timedatectl list-timezones` lists them"));

    /// <summary>Any text of a bounded length; a <see cref="string"/>.</summary>
    /// <param name="name">What it is.</param>
    /// <param name="maximum">Most characters.</param>
    /// <param name="mayBeEmpty">Whether "" is a value.</param>
    /// <param name="maximumBytes">Most octets of UTF-8, where a protocol counts those.</param>
    public static ConfigType Text(string name, int maximum, bool mayBeEmpty = false, int maximumBytes = int.MaxValue) => new(
        name, maximumBytes < int.MaxValue ? $"at most {maximumBytes} octets of UTF-8" : "", text =>
        text.Length > maximum
            ? ParsedValue.Bad($"the value is {text.Length} characters long", $"use at most {maximum}")
            : Encoding.UTF8.GetByteCount(text) is var octets && octets > maximumBytes
                ? ParsedValue.Bad($"the value has {octets} octets of UTF-8", $"use at most {maximumBytes}: letters beyond ASCII have two or more")
            : text.Any(char.IsControl)
                ? ParsedValue.Bad("the value holds a control character", "keep it on one line and remove the character")
                : text.Length == 0 && !mayBeEmpty
                    ? ParsedValue.Bad("the value is empty", "give one or remove the key")
                    : ParsedValue.Of(text));

    /// <summary>A whole number; a <see cref="long"/>.</summary>
    public static ConfigType WholeNumber(long minimum, long maximum) => new("integer", minimum == maximum ? $"{minimum}" : $"{minimum}–{maximum}", text =>
        !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? ParsedValue.Bad($"'{text}' is not an integer", LikelyMistake.RemedyOfNumber(text, maximum) ?? $"write a whole number from {minimum} to {maximum}")
            : InRange(value, minimum, maximum, text, v => v.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A rate; a <see cref="long"/> in bit/s.</summary>
    public static ConfigType Rate(long minimum, long maximum) => Quantity("rate", Units.ParseRate, Units.FormatRate, minimum, maximum);

    /// <summary>A size; a <see cref="long"/> in bytes.</summary>
    public static ConfigType Size(long minimum, long maximum) => Quantity("size", Units.ParseSize, Units.FormatSize, minimum, maximum);

    /// <summary>A duration; a <see cref="TimeSpan"/>.</summary>
    public static ConfigType Duration(TimeSpan minimum, TimeSpan maximum) =>
        Quantity("duration", Units.ParseDuration, Units.FormatDuration, minimum, maximum);

    /// <summary>A ratio; a <see cref="double"/> from 0 to 1.</summary>
    public static ConfigType Ratio(double minimum, double maximum) => Quantity("ratio", Units.ParseRatio, Units.FormatRatio, minimum, maximum);

    /// <summary>A word of a list.</summary>
    /// <param name="values">The words and what they stand for.</param>
    /// <param name="notYet">Words of the format that this version does not support.</param>
    public static ConfigType Choice((string Word, object Value)[] values, params string[] notYet)
    {
        string words = string.Join(", ", values.Select(v => v.Word));
        return new("word", words, text =>
        {
            foreach ((string word, object value) in values)
            {
                if (word == text)
                {
                    return ParsedValue.Of(value);
                }
            }

            if (notYet.Contains(text))
            {
                return ParsedValue.Bad($"'{text}' is not supported yet by this version", values.Length > 0 ? $"use {words}, or remove it" : "remove it");
            }

            if (values.Length == 0)
            {
                return ParsedValue.Bad($"'{text}' is not known", "remove it");
            }

            string? nearest = NearestName.Find(text, values.Select(v => v.Word));
            return ParsedValue.Bad($"'{text}' is not one of {words}", nearest is null ? $"use one of {words}" : $"did you mean '{nearest}'?");
        });
    }

    /// <summary>Either a word or a value of another type; the word stands for <see cref="DBNull"/>.</summary>
    public static ConfigType Or(string word, ConfigType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new($"{type.Name} or {word}", type.Range, text =>
        {
            if (text == word)
            {
                return ParsedValue.Of(DBNull.Value);
            }

            ParsedValue parsed = type.Parse(text);
            return parsed.Problem is null ? parsed : parsed with { Remedy = $"{parsed.Remedy} (or write {word})" };
        });
    }

    private static ConfigType Quantity<T>(string name, Func<string, ParsedValue> parse, Func<T, string> format, T minimum, T maximum)
        where T : struct, IComparable<T> =>
        new(name, $"{format(minimum)}–{format(maximum)}", text =>
        {
            ParsedValue parsed = parse(text);
            return parsed.Value is T value ? InRange(value, minimum, maximum, text, format) : parsed;
        });

    private static ParsedValue InRange<T>(T value, T minimum, T maximum, string text, Func<T, string> format)
        where T : struct, IComparable<T> =>
        minimum.CompareTo(maximum) == 0 && value.CompareTo(minimum) != 0
            ? ParsedValue.Bad($"'{text}' is not known to this version", $"give {format(minimum)}")
            : value.CompareTo(minimum) < 0
            ? ParsedValue.Bad($"'{text}' is less than {format(minimum)}", $"give {format(minimum)} to {format(maximum)}")
            : value.CompareTo(maximum) > 0
                ? ParsedValue.Bad($"'{text}' is more than {format(maximum)}", $"give {format(minimum)} to {format(maximum)}")
                : ParsedValue.Of(value);

    private static ParsedValue ParsePrefix(string text)
    {
        if (IpPrefix.TryParse(text, out IpPrefix prefix))
        {
            return ParsedValue.Of(prefix);
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        bool hostBits = slash > 0
            && IpAddr.TryParse(text.AsSpan(0, slash), out IpAddr address)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int length)
            && length <= address.BitLength
            && TryMask(address, length, out prefix);
        return ParsedValue.Bad(
            $"'{text}' is not a prefix",
            hostBits ? $"host bits are set; did you mean {prefix}?" : "write it like 203.0.113.0/24 or \"2001:db8::/32\"");
    }

    private static bool TryMask(IpAddr address, int length, out IpPrefix prefix)
    {
        prefix = IpPrefix.Create(address, length);
        return true;
    }

    private static ParsedValue ParseEndPoint(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon];
        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (bracketed)
        {
            host = host[1..^1];
        }

        return IpAddr.TryParse(host, out IpAddr address)
            && bracketed == (address.Family == IpFamily.IPv6)
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is >= 1 and <= 65535
            ? ParsedValue.Of(new IPEndPoint(address.ToIPAddress(), port))
            : ParsedValue.Bad($"'{text}' is not an address and a port", "write it like 127.0.0.1:8080 or \"[::1]:8080\"");
    }

    private static ParsedValue ParseHostPort(string text)
    {
        bool bracketed = text.StartsWith('[') && text.Contains(']', StringComparison.Ordinal);
        int end = bracketed ? text.IndexOf(']', StringComparison.Ordinal) + 1 : text.LastIndexOf(':') is var colon and >= 0 ? colon : text.Length;
        string host = bracketed ? text[1..(end - 1)] : text[..end];
        string rest = text[end..];
        int port = 0;
        bool named = bracketed ? IpAddr.TryParse(host, out IpAddr address) && address.Family == IpFamily.IPv6 : Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;
        return named && (rest.Length == 0 || (rest[0] == ':' && int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 1 and <= 65535))
            ? ParsedValue.Of((host, port))
            : ParsedValue.Bad($"'{text}' is not a host and a port", "write it like broker1.example.net:5671 or \"[2001:db8::1]:5671\"");
    }

    private static ParsedValue ParseCommunity(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0
            || !ushort.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out ushort asn)
            || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort value))
        {
            return ParsedValue.Bad($"'{text}' is not a community", "write asn:value, both 0 to 65535, such as \"65000:64900\"");
        }

        // RFC 1997 section 3 reserves both ends; routers act on some of those (NO_EXPORT, BLACKHOLE).
        return asn is 0 or 65535
            ? ParsedValue.Bad($"'{text}' is a reserved community", "use your own AS number before the colon")
            : ParsedValue.Of((uint)asn << 16 | value);
    }
}
