using System.Globalization;
using System.Net;
using System.Text;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.History.Reports;

/// <summary>
/// The monthly report as one page that needs nothing else: style and pictures are in it, no script, light and dark, and it prints. Names of links come from the configuration and are escaped
/// like everything else.
/// </summary>
public static class HtmlReport
{
    private const int Width = 720;
    private const int Height = 150;

    // The colours of the web page; on paper always the light ones.
    private const string Style = """
        :root { color-scheme: light dark; --bg: light-dark(#f5f7f9, #11161b); --panel: light-dark(#ffffff, #1a2128); --line: light-dark(#d5dce3, #303b45); --text: light-dark(#16202a, #e4eaf0);
          --muted: light-dark(#55636f, #9fadb9); --accent: light-dark(#1769aa, #6db3ea); --good: light-dark(#1d7a46, #55c387); --warn: light-dark(#9a5b00, #f0ae4e); --bad: light-dark(#b3261e, #ff8a80);
          --fill: light-dark(#5fa3d6, #3f86bd); font: 15px/1.45 system-ui, sans-serif; }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--bg); color: var(--text); }
        main { max-width: 1360px; margin: 0 auto; padding: 16px; display: grid; gap: 16px; }
        h1 { font-size: 1.2rem; margin: 0; } h2 { font-size: 1rem; margin: 0 0 10px; } p { margin: 4px 0; }
        section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; min-width: 0; overflow-x: auto; break-inside: avoid; }
        .muted { color: var(--muted); } .good { color: var(--good); } .bad { color: var(--bad); }
        table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
        th { text-align: left; font-weight: 600; color: var(--muted); font-size: 0.8rem; white-space: normal; vertical-align: bottom; }
        th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); }
        td { vertical-align: baseline; white-space: nowrap; }
        tfoot td { font-weight: 600; border-bottom: 0; } td.n, th.n { text-align: right; }
        svg { width: 100%; height: auto; display: block; } svg text { fill: var(--muted); font-size: 11px; }
        .area { fill: var(--fill); opacity: 0.55; } .native { fill: none; stroke: var(--warn); stroke-width: 1.2; }
        .p95 { stroke: var(--accent); stroke-dasharray: 5 3; } .threshold { stroke: var(--bad); stroke-dasharray: 2 3; } .axis { stroke: var(--line); }
        @media print { :root { color-scheme: light; } body { background: #fff; font-size: 11px; } main { padding: 0; max-width: none; } section { border: 0; padding: 6px 0; } }
        """;

    /// <summary>Writes a report.</summary>
    /// <param name="report">The month.</param>
    /// <param name="site">Name of the site, or empty.</param>
    /// <param name="made">When it was made.</param>
    public static string Write(MonthlyReport report, string site, DateTimeOffset made)
    {
        ArgumentNullException.ThrowIfNull(report);
        StringBuilder html = new(64 * 1024);
        string title = $"Egress {report.Name}{(site.Length > 0 ? ", " + site : "")}";
        html.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
            .Append(E(title)).Append("</title>\n<style>\n").Append(Style).Append("\n</style>\n</head>\n<body>\n<main>\n<header><h1>").Append(E(title)).Append("</h1>\n<p class=\"muted\">")
            .Append(E($"Made {Human.Moment(made)}. Rates are averages of five minutes; the percentile is that of docs/cost.md, of the samples measured. “Plain BGP” is the load without our overrides."))
            .Append("</p></header>\n");
        Table(html, report);
        foreach (ReportLink link in report.Links)
        {
            Course(html, link);
        }

        return html.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void Table(StringBuilder html, MonthlyReport report)
    {
        html.Append("<section>\n<h2>Links</h2>\n<table>\n<thead><tr><th>Link</th>");
        foreach (string column in (string[])["Volume", "Percentile", "plain BGP", "Commit", "Peak", "plain BGP", "Over threshold", "plain BGP", "avoided", "Bill", "plain BGP", "Saved", "Measured"])
        {
            html.Append("<th class=\"n\">").Append(column).Append("</th>");
        }

        html.Append("</tr></thead>\n<tbody>\n");
        foreach (LinkMonth m in report.Links.Select(l => l.Month))
        {
            html.Append("<tr><td>").Append(E(m.Link)).Append("</td>");
            Cell(html, Volume(m.VolumeBytes));
            Cell(html, $"{Human.Rate(m.PercentileBps)}{(m.FromCounter ? "" : " (mirror)")}");
            Cell(html, Human.Rate(m.NativePercentileBps));
            Cell(html, m.CommitBps is { } commit ? Human.Rate(commit) : "–");
            Cell(html, Human.Rate(m.PeakBps));
            Cell(html, Human.Rate(m.NativePeakBps));
            Cell(html, Time(m.OverloadSeconds), m.OverloadSeconds > 0 ? "bad" : "");
            Cell(html, Time(m.NativeOverloadSeconds));
            Cell(html, Time(m.AvoidedOverloadSeconds), m.AvoidedOverloadSeconds > 0 ? "good" : "");
            Cell(html, Money(m.Bill(m.PercentileBps)));
            Cell(html, Money(m.Bill(m.NativePercentileBps)));
            Cell(html, Money(m.Saving), m.Saving > 0 ? "good" : m.Saving < 0 ? "bad" : "");
            Cell(html, m.Samples > 0 ? Human.Percent((double)m.Measured / m.Samples) : "–");
            html.Append("</tr>\n");
        }

        html.Append("</tbody>\n<tfoot><tr><td>All</td>");
        Cell(html, Volume(report.Links.Sum(l => l.Month.VolumeBytes)));
        html.Append("<td colspan=\"5\"></td>");
        Cell(html, Time(report.Links.Sum(l => l.Month.OverloadSeconds)));
        Cell(html, Time(report.Links.Sum(l => l.Month.NativeOverloadSeconds)));
        Cell(html, Time(report.Links.Sum(l => l.Month.AvoidedOverloadSeconds)));
        Cell(html, report.HasPrices ? Money(report.Bill) : "–");
        Cell(html, report.HasPrices ? Money(report.NativeBill) : "–");
        Cell(html, report.HasPrices ? Money(report.NativeBill - report.Bill) : "–");
        html.Append("<td></td></tr></tfoot>\n</table>\n</section>\n");
    }

    private static void Course(StringBuilder html, ReportLink link)
    {
        LinkMonth month = link.Month;
        html.Append("<section>\n<h2>").Append(E(month.Link)).Append("</h2>\n");
        if (link.Hours.Count == 0)
        {
            html.Append("<p class=\"muted\">Nothing is kept of its hours.</p>\n</section>\n");
            return;
        }

        double most = Math.Max(1, link.Hours.Max(h => Math.Max(Math.Max(Load(h), h.NativeBps ?? 0), h.ThresholdBps)) * 1.05);
        double length = Math.Max(1, (month.End - month.Start).TotalSeconds);
        double X(DateTimeOffset time) => Width * (time - month.Start).TotalSeconds / length;
        double Y(double bps) => Height * (1 - (bps / most));
        html.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height + 18}\" role=\"img\" aria-label=\"{E($"Load of {month.Link} by the hour")}\">\n");
        for (DateTimeOffset day = month.Start; day < month.End; day = day.AddDays(7))
        {
            html.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{X(day):F0}\" x2=\"{X(day):F0}\" y1=\"0\" y2=\"{Height}\"/><text x=\"{X(day) + 2:F0}\" y=\"{Height + 13}\">{day:d MMM}</text>");
        }

        html.Append("\n<path class=\"area\" d=\"");
        Path(html, link.Hours, h => Load(h), X, Y, closed: true);
        html.Append("\"/>\n<path class=\"native\" d=\"");
        Path(html, link.Hours, h => h.NativeBps, X, Y, closed: false);
        html.Append("\"/>\n");
        Level(html, "threshold", Y(link.Hours[^1].ThresholdBps));
        Level(html, "p95", Y(month.PercentileBps));
        html.Append("</svg>\n<p class=\"muted\">").Append(E(
            $"Area: load. Solid line: under plain BGP. Dashed: the percentile, {Human.Rate(month.PercentileBps)}. Dotted: the threshold, {Human.Rate(link.Hours[^1].ThresholdBps)}."))
            .Append("</p>\n</section>\n");
    }

    private static void Level(StringBuilder html, string name, double y) =>
        html.Append(CultureInfo.InvariantCulture, $"<line class=\"{name}\" x1=\"0\" x2=\"{Width}\" y1=\"{y:F1}\" y2=\"{y:F1}\"/>\n");

    /// <summary>Draws hours as a line, or as an area down to the axis; where hours are missing, or a value is, the line is broken.</summary>
    private static void Path(
        StringBuilder html, IReadOnlyList<HistoryPointDto> hours, Func<HistoryPointDto, long?> value, Func<DateTimeOffset, double> x, Func<double, double> y, bool closed)
    {
        (DateTimeOffset Time, long Bps)? before = null;
        void End()
        {
            if (before is { } last)
            {
                html.Append(CultureInfo.InvariantCulture, $"L{x(last.Time.AddHours(1)):F0} {y(last.Bps):F0}");
                html.Append(closed ? string.Create(CultureInfo.InvariantCulture, $"V{Height}Z") : "");
            }

            before = null;
        }

        foreach (HistoryPointDto hour in hours)
        {
            if (value(hour) is null || (before is { } last && hour.Time - last.Time > TimeSpan.FromHours(1)))
            {
                End();
            }

            if (value(hour) is not { } known)
            {
                continue;
            }

            if (before is null)
            {
                html.Append(CultureInfo.InvariantCulture, $"M{x(hour.Time):F0} {(closed ? Height : y(known)):F0}V{y(known):F0}");
            }

            // One point an hour, in its middle: the picture has a column for each.
            html.Append(CultureInfo.InvariantCulture, $"L{x(hour.Time.AddMinutes(30)):F0} {y(known):F0}");
            before = (hour.Time, known);
        }

        End();
    }

    private static long Load(HistoryPointDto hour) => hour.CounterBps ?? hour.MirrorBps;

    private static void Cell(StringBuilder html, string text, string style = "") =>
        html.Append("<td class=\"n").Append(style.Length > 0 ? " " + style : "").Append("\">").Append(E(text)).Append("</td>");

    private static string Volume(long bytes) => bytes switch
    {
        >= 1_000_000_000_000_000 => (bytes / 1e15).ToString("0.00", CultureInfo.InvariantCulture) + " PB",
        >= 1_000_000_000_000 => (bytes / 1e12).ToString("0.00", CultureInfo.InvariantCulture) + " TB",
        _ => (bytes / 1e9).ToString("0.00", CultureInfo.InvariantCulture) + " GB",
    };

    private static string Time(long seconds) => seconds == 0 ? "0" : Human.Span(TimeSpan.FromSeconds(seconds));

    private static string Money(decimal? amount) => amount is { } known ? known.ToString("N2", CultureInfo.InvariantCulture) : "–";

    private static string E(string text) => WebUtility.HtmlEncode(text);
}
