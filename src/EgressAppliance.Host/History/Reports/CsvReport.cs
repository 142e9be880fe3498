using System.Globalization;
using System.Text;
using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Host.History.Reports;

/// <summary>The monthly report as CSV (RFC 4180): one line a link, rates in bit/s, money in the currency of the prices, empty where nothing is known.</summary>
public static class CsvReport
{
    /// <summary>The names of the columns.</summary>
    public const string Header =
        "month,link,start,end,basis,percentile,samples,measured,volume_bytes,p95_bps,native_p95_bps,commit_bps,price_per_mbit,bill,native_bill,saving,peak_bps,native_peak_bps,"
        + "overload_minutes,native_overload_minutes,avoided_overload_minutes";

    /// <summary>Writes a report.</summary>
    public static string Write(MonthlyReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        StringBuilder text = new(Header);
        text.Append("\r\n");
        foreach (LinkMonth m in report.Links.Select(l => l.Month))
        {
            object?[] fields =
            [
                report.Name, m.Link, Time(m.Start), Time(m.End), m.FromCounter ? "counter" : "mirror", m.Percentile, m.Samples, m.Measured, m.VolumeBytes, m.PercentileBps, m.NativePercentileBps,
                m.CommitBps, m.PricePerMbit, Money(m.Bill(m.PercentileBps)), Money(m.Bill(m.NativePercentileBps)), Money(m.Saving), m.PeakBps, m.NativePeakBps, Minutes(m.OverloadSeconds),
                Minutes(m.NativeOverloadSeconds), Minutes(m.AvoidedOverloadSeconds),
            ];
            text.AppendJoin(',', fields.Select(f => CsvField.Write(f))).Append("\r\n");
        }

        return text.ToString();
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string? Money(decimal? money) => money?.ToString("0.00", CultureInfo.InvariantCulture);

    private static double Minutes(long seconds) => Math.Round(seconds / 60.0, 1);
}

/// <summary>A field of a CSV file.</summary>
public static class CsvField
{
    /// <summary>A value as RFC 4180 writes it: quoted where it must be, empty for null.</summary>
    public static string Write(object? value)
    {
        string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().ContainsAny(",\"\r\n") ? '"' + text.Replace("\"", "\"\"", StringComparison.Ordinal) + '"' : text;
    }
}
