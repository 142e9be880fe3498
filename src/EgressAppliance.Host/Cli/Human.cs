using System.Globalization;
using System.Text;

namespace EgressAppliance.Host.Cli;

/// <summary>Numbers and times as people read them.</summary>
public static class Human
{
    private static readonly string[] DecimalPrefixes = ["", "k", "M", "G", "T", "P"];

    /// <summary>A rate with three significant digits: <c>9.42 Gbit/s</c>.</summary>
    public static string Rate(double bitsPerSecond) => Scaled(bitsPerSecond, "bit/s");

    /// <summary>Packets a second with three significant digits: <c>1.31 Mpps</c>.</summary>
    public static string PacketRate(double packetsPerSecond) => Scaled(packetsPerSecond, "pps");

    /// <summary>A whole number in groups of three: <c>1,204,381</c>.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A share as a percentage with one decimal: <c>94.2%</c>.</summary>
    public static string Percent(double ratio) => (ratio * 100).ToString("0.0", CultureInfo.InvariantCulture) + "%";

    /// <summary>A span with its two largest units: <c>3h12m</c>, <c>45s</c>, <c>2d4h</c>.</summary>
    public static string Span(TimeSpan span)
    {
        string sign = span < TimeSpan.Zero ? "-" : "";
        TimeSpan s = span.Duration();
        return sign + (s.TotalDays >= 1 ? $"{(int)s.TotalDays}d{s.Hours}h"
            : s.TotalHours >= 1 ? $"{s.Hours}h{s.Minutes}m"
            : s.TotalMinutes >= 1 ? $"{s.Minutes}m{s.Seconds}s"
            : $"{s.Seconds}s");
    }

    /// <summary>A moment in UTC to the second: <c>2026-05-01 03:12:09Z</c>.</summary>
    public static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Text from elsewhere without control characters, which a terminal would act on.</summary>
    public static string Clean(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        StringBuilder clean = new(text.Length);
        foreach (char c in text)
        {
            clean.Append(char.IsControl(c) ? ' ' : c);
        }

        return clean.ToString();
    }

    private static string Scaled(double value, string unit)
    {
        int prefix = 0;
        double scaled = Math.Abs(value);
        // 999.5 would be written as 1000.
        while (scaled >= 999.5 && prefix < DecimalPrefixes.Length - 1)
        {
            scaled /= 1000;
            prefix++;
        }

        string format = prefix == 0 || scaled >= 99.95 ? "0" : scaled >= 9.995 ? "0.0" : "0.00";
        return (value < 0 ? "-" : "") + scaled.ToString(format, CultureInfo.InvariantCulture) + " " + DecimalPrefixes[prefix] + unit;
    }
}
