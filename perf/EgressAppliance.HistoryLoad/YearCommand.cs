using System.Diagnostics;
using System.Globalization;
using EgressAppliance.Host.History.Store;

namespace EgressAppliance.HistoryLoad;

/// <summary>
/// <c>year FILE LINKS PREFIXES DAYS</c>: fills a database with minutes of so many days, a day in each transaction, through the same code that the appliance writes with: roll-ups, months,
/// trimming and all.
/// </summary>
internal static class YearCommand
{
    public static void Run(string path, int links, int prefixes, int days)
    {
        SampleTraffic traffic = new(links, prefixes);
        DateTimeOffset begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        HistoryOptions options = WriteCommand.Options(path, traffic);
        using HistoryStore store = HistoryStore.Open(options, begin, out _);
        long start = Stopwatch.GetTimestamp();
        for (int day = 0; day < days; day++)
        {
            DateTimeOffset at = begin.AddDays(day);
            store.Write([.. Enumerable.Range(0, 1440).Select(m => traffic.Tick(at.AddMinutes(m)))], Events(at, traffic), []);
            if (day % 30 == 29 || day == days - 1)
            {
                StoreFigures figures = store.Figures();
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{day + 1} days: {figures.UsedBytes / 1e9:F3} GB used of {options.MaxBytes / 1e9:F3} GB, file and log {figures.FileBytes / 1e9:F3} GB, "
                    + $"{figures.Trimmed} rows trimmed, {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s"));
            }
        }
    }

    /// <summary>A thousand events a day: changes of verdicts, announcements, withdrawals.</summary>
    private static HistoryEvent[] Events(DateTimeOffset day, SampleTraffic traffic) =>
    [
        .. Enumerable.Range(0, 1000).Select(i => new HistoryEvent(day.AddSeconds(86.4 * i), i % 2 == 0 ? EventKind.Announced : EventKind.Withdrawn)
        {
            Prefix = $"11.{i / 256}.{i % 256}.0/24", From = traffic.Links[i % traffic.Links.Count], To = traffic.Links[(i + 1) % traffic.Links.Count], Bps = 1_000_000L * i,
            Code = "relieve_overload", Text = "It relieves an overloaded link.",
        }),
    ];
}
