using System.Buffers;
using System.Globalization;

namespace EgressAppliance.Host.Config;

/// <summary>
/// Numbers with units as the configuration and the command line write them: one number, one unit, nothing else. A number without its
/// unit is refused, since a guess that is wrong by 8 or by 1000 would steer real traffic.
/// </summary>
public static class Units
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Name, decimal Factor)[] RateUnits =
        [("bit/s", 1m), ("kbit/s", 1e3m), ("Mbit/s", 1e6m), ("Gbit/s", 1e9m), ("Tbit/s", 1e12m)];

    private static readonly (string Name, decimal Factor)[] SizeUnits =
    [
        ("B", 1m), ("kB", 1e3m), ("MB", 1e6m), ("GB", 1e9m), ("TB", 1e12m),
        ("KiB", 1024m), ("MiB", 1048576m), ("GiB", 1073741824m), ("TiB", 1099511627776m),
    ];

    private static readonly (string Name, decimal Factor)[] DurationUnits =
        [("ms", 1e-3m), ("s", 1m), ("m", 60m), ("h", 3600m), ("d", 86400m)];

    /// <summary>Parses a rate, <c>10Gbit/s</c> (decimal prefixes), into bit/s.</summary>
    public static ParsedValue ParseRate(string text) => Whole(Quantity(text, RateUnits, "rate", "10Gbit/s"), text, "bit");

    /// <summary>Parses a size, <c>64MiB</c> or <c>64MB</c>, into bytes.</summary>
    public static ParsedValue ParseSize(string text) => Whole(Quantity(text, SizeUnits, "size", "64MiB"), text, "byte");

    /// <summary>Parses a duration, <c>10ms</c>, <c>5s</c>, <c>5m</c>, <c>1h</c>, <c>35d</c>, into a <see cref="TimeSpan"/>.</summary>
    public static ParsedValue ParseDuration(string text)
    {
        ParsedValue parsed = Quantity(text, DurationUnits, "duration", "10s");
        if (parsed.Value is not decimal seconds)
        {
            return parsed;
        }

        decimal ticks = seconds * TimeSpan.TicksPerSecond;
        return ticks <= TimeSpan.FromDays(36500).Ticks
            ? ParsedValue.Of(TimeSpan.FromTicks((long)ticks))
            : ParsedValue.Bad($"'{text}' is too long", "give less than a hundred years");
    }

    /// <summary>Parses a ratio, <c>95%</c> or <c>0.95</c>, into a number from 0 to 1.</summary>
    public static ParsedValue ParseRatio(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string number = text.EndsWith('%') ? text[..^1].TrimEnd() : text;
        if (!TryNumber(number, out decimal value))
        {
            return ParsedValue.Bad($"'{text}' is not a ratio", "write a percentage such as 95%, or a number from 0 to 1");
        }

        if (text.EndsWith('%'))
        {
            value /= 100;
        }
        else if (value > 1)
        {
            return ParsedValue.Bad($"'{text}' is more than the whole", $"write {text}% if per cent is meant");
        }

        return ParsedValue.Of((double)value);
    }

    /// <summary>Writes a rate with the largest unit that leaves a whole number.</summary>
    public static string FormatRate(long bitsPerSecond) => Format(bitsPerSecond, RateUnits);

    /// <summary>Writes a size with the largest binary unit that leaves a whole number.</summary>
    public static string FormatSize(long bytes) => Format(bytes, [SizeUnits[0], .. SizeUnits[5..]]);

    /// <summary>Writes a duration with the largest unit that leaves a whole number.</summary>
    public static string FormatDuration(TimeSpan value) =>
        Format((decimal)value.Ticks / TimeSpan.TicksPerSecond, DurationUnits);

    /// <summary>Writes a ratio as a percentage.</summary>
    public static string FormatRatio(double ratio) =>
        Math.Round(ratio * 100, 6).ToString("0.######", CultureInfo.InvariantCulture) + "%";

    private static string Format(decimal value, (string Name, decimal Factor)[] units)
    {
        (string name, decimal factor) = units[0];
        if (value == 0)
        {
            return "0" + (units == DurationUnits ? "s" : name);
        }

        foreach ((string candidate, decimal size) in units)
        {
            if (value % size == 0)
            {
                (name, factor) = (candidate, size);
            }
        }

        return (value / factor).ToString("0.######", CultureInfo.InvariantCulture) + name;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out decimal value)
    {
        value = 0;
        // 18 digits hold every value in range and keep the products below far from overflow.
        return text.Length is > 0 and <= 18
            && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
    }

    private static ParsedValue Quantity(string text, (string Name, decimal Factor)[] units, string what, string example)
    {
        ArgumentNullException.ThrowIfNull(text);
        int end = text.AsSpan().IndexOfAnyExcept(NumberCharacters);
        string number = end < 0 ? text : text[..end];
        string unit = end < 0 ? "" : text[end..].TrimStart(' ');
        string known = string.Join(", ", units.Select(u => u.Name));
        if (!TryNumber(number, out decimal value))
        {
            return ParsedValue.Bad($"'{text}' is not a {what}", $"write a number and a unit, such as {example}");
        }

        if (unit.Length == 0)
        {
            return ParsedValue.Bad($"'{text}' has no unit", $"add one of {known}, such as {example}");
        }

        foreach ((string name, decimal factor) in units)
        {
            if (name == unit)
            {
                return ParsedValue.Of(value * factor);
            }
        }

        if (unit[0] == ',' && unit.AsSpan(1).IndexOfAnyExcept(NumberCharacters) > 0)
        {
            return ParsedValue.Bad($"'{text}' has a decimal comma", $"write it with a point: {number}.{unit[1..]}");
        }

        string? meant = Meant(unit, units);
        return ParsedValue.Bad(
            $"the unit '{unit}' is not known",
            meant is null ? $"use one of {known}" : $"did you mean {number}{meant}?");
    }

    private static string? Meant(string unit, (string Name, decimal Factor)[] units)
    {
        string plain = unit.Replace("bps", "bit/s", StringComparison.OrdinalIgnoreCase);
        foreach ((string name, _) in units)
        {
            if (name.Equals(plain, StringComparison.OrdinalIgnoreCase))
            {
                return name;
            }
        }

        foreach ((string name, _) in units)
        {
            if ((name.Length > 1 && plain.Length == 1 && name.StartsWith(plain, StringComparison.OrdinalIgnoreCase))
                || (plain.Length > 1 && name.EndsWith("bit/s", StringComparison.Ordinal) && name.StartsWith(plain, StringComparison.OrdinalIgnoreCase)))
            {
                return name;
            }
        }

        return plain.ToUpperInvariant() switch
        {
            "SEC" or "SECS" or "SECOND" or "SECONDS" when units == DurationUnits => "s",
            "MIN" or "MINS" or "MINUTE" or "MINUTES" when units == DurationUnits => "m",
            "HOUR" or "HOURS" when units == DurationUnits => "h",
            "DAY" or "DAYS" when units == DurationUnits => "d",
            _ => null,
        };
    }

    private static ParsedValue Whole(ParsedValue parsed, string text, string of)
    {
        if (parsed.Value is not decimal value)
        {
            return parsed;
        }

        return value > long.MaxValue
            ? ParsedValue.Bad($"'{text}' is too large", "give a smaller value")
            : value == decimal.Truncate(value)
                ? ParsedValue.Of((long)value)
                : ParsedValue.Bad($"'{text}' is not a whole number of {of}s", $"round it to whole {of}s");
    }
}
