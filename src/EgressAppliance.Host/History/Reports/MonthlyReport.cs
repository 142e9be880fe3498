using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.History.Reports;

/// <summary>One link's month with its course.</summary>
/// <param name="Month">The billing month.</param>
/// <param name="Hours">Its hours, in order.</param>
public sealed record ReportLink(LinkMonth Month, IReadOnlyList<HistoryPointDto> Hours);

/// <summary>A month of all links, or of one: volume, percentile, commit, what it costs and what plain BGP would have cost, overload that there was and that was avoided.</summary>
/// <param name="Label">Year and month, as 202611.</param>
/// <param name="Links">The links, by name.</param>
public sealed record MonthlyReport(int Label, IReadOnlyList<ReportLink> Links)
{
    /// <summary>Year and month, as <c>2026-11</c>.</summary>
    public string Name => $"{Label / 100:D4}-{Label % 100:D2}";

    /// <summary>What all links with a price are billed.</summary>
    public decimal Bill => Links.Sum(l => l.Month.Bill(l.Month.PercentileBps) ?? 0);

    /// <summary>What plain BGP would have been billed.</summary>
    public decimal NativeBill => Links.Sum(l => l.Month.Bill(l.Month.NativePercentileBps) ?? 0);

    /// <summary>Some link has a price.</summary>
    public bool HasPrices => Links.Any(l => l.Month.PricePerMbit is not null);

    /// <summary>Reads a month.</summary>
    /// <param name="reader">Answers.</param>
    /// <param name="label">Year and month, as 202611: the months whose first day in the link's own zone is in it.</param>
    /// <param name="link">One link, or null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    public static async Task<MonthlyReport> ReadAsync(HistoryReader reader, int label, string? link, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reader);
        DateTimeOffset first = new(label / 100, label % 100, 1, 0, 0, 0, TimeSpan.Zero);

        // A month begins on any day of the calendar month, in any zone.
        LinkMonth[] months =
        [
            .. (await reader.MonthsAsync(link, first.AddDays(-2), first.AddMonths(1).AddDays(2), 4096, cancellationToken)).Where(m => m.Label == label).OrderBy(m => m.Link, StringComparer.Ordinal),
        ];
        if (months.Length == 0)
        {
            return new MonthlyReport(label, []);
        }

        HistoryLinksDto hours = await reader.LinksAsync(link, months.Min(m => m.Start), months.Max(m => m.End), HistoryLevel.Hour.Seconds, cancellationToken);
        Dictionary<string, HistoryLinkDto> points = hours.Links.ToDictionary(l => l.Link);
        return new MonthlyReport(label,
        [
            .. months.Select(m => new ReportLink(
                m, points.TryGetValue(m.Link, out HistoryLinkDto? course) ? [.. course.Points.Where(p => p.Time >= m.Start && p.Time < m.End)] : [])),
        ]);
    }
}
