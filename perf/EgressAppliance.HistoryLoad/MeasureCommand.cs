using System.Diagnostics;
using System.Globalization;
using System.Net;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Reports;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.HistoryLoad;

/// <summary>
/// <c>measure FILE</c>: how long a month's page takes: the billing months and all links of the last whole month over HTTP from an endpoint in this process, each read to the last octet, and the
/// month's report; then other questions. Ten times each: processor time in the middle and at most, of client and endpoint together; by the clock the shortest, the middle, and the first, which
/// has code to compile and a cold cache.
/// </summary>
internal static class MeasureCommand
{
    private const int Rounds = 10;

    public static async Task RunAsync(string path)
    {
        using HistoryReader reader = new(path, TimeProvider.System);
        IReadOnlyList<HistoryTableDto> tables = await reader.TablesAsync(CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {HistoryStore.Size(path) / 1e9:F3} GB ({HistoryStore.Size(path) / (double)(1L << 30):F3} GiB)"));
        foreach (HistoryTableDto table in tables)
        {
            Console.WriteLine($"  {table.Name}: {table.Rows} rows, {table.Oldest:yyyy-MM-dd HH:mm} to {table.Newest:yyyy-MM-dd HH:mm}");
        }

        DateTimeOffset newest = tables.First(t => t.Name == "link_hour").Newest ?? throw new InvalidOperationException("There are no samples.");
        DateTimeOffset end = new(newest.Year, newest.Month, 1, 0, 0, 0, TimeSpan.Zero);
        DateTimeOffset begin = end.AddMonths(-1);
        await using AuditLog audit = new("", TimeProvider.System, NullLogger<AuditLog>.Instance);
        await using ApiServer server = await ApiServer.StartAsync(
            new HttpConfig { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" }, NoAppliance.Create(), audit, NullLoggerFactory.Instance, TimeProvider.System,
            CancellationToken.None, reader);
        using HttpClient http = new() { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}/api/v1/history/") };
        string range = $"from={begin:yyyy-MM-dd}&to={end:yyyy-MM-dd}";
        await TimeAsync("months, one month", http, $"months?{range}");
        await TimeAsync("months, all", http, "months");
        await TimeAsync("links of a month, all", http, $"links?{range}");
        await TimeAsync("links of a month, one", http, $"links?{range}&link=isp-01");
        await TimeAsync("links of a day, all", http, $"links?from={end.AddDays(-1):yyyy-MM-dd}&to={end:yyyy-MM-dd}");
        await TimeAsync("links of a day, one, by minutes", http, $"links?from={end.AddDays(-1):yyyy-MM-dd}&to={end:yyyy-MM-dd}&link=isp-01&step=60");
        await TimeAsync("prefixes of a month, top 10", http, $"prefixes?{range}");
        await TimeAsync("prefixes of a day by minutes, top 10", http, $"prefixes?from={end.AddDays(-1):yyyy-MM-dd}&to={end:yyyy-MM-dd}");
        await TimeAsync("a prefix over a month", http, $"prefixes?{range}&prefix=11.0.5.0/24");
        await TimeAsync("events, first page", http, "events?limit=100");
        await TimeAsync("events of a kind that never was", http, "events?kind=loss_began");
        await MeasureAsync("report of the month, HTML", async () =>
        {
            MonthlyReport report = await MonthlyReport.ReadAsync(reader, (begin.Year * 100) + begin.Month, null, CancellationToken.None);
            return HtmlReport.Write(report, "measurement", newest).Length;
        });
        await MeasureAsync("the month's page: months, all links and report", async () =>
        {
            long octets = (await http.GetByteArrayAsync($"months?{range}")).Length + (await http.GetByteArrayAsync($"links?{range}")).Length;
            MonthlyReport report = await MonthlyReport.ReadAsync(reader, (begin.Year * 100) + begin.Month, null, CancellationToken.None);
            return octets + HtmlReport.Write(report, "measurement", newest).Length;
        });
    }

    private static Task TimeAsync(string what, HttpClient http, string path) => MeasureAsync(what, async () => (await http.GetByteArrayAsync(path)).Length);

    private static async Task MeasureAsync(string what, Func<Task<long>> ask)
    {
        double[] times = new double[Rounds];
        double[] processor = new double[Rounds];
        long octets = 0;
        for (int i = 0; i < Rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            TimeSpan before = Environment.CpuUsage.TotalTime;
            octets = await ask();
            processor[i] = (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        double first = times[0];
        Array.Sort(times);
        Array.Sort(processor);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| {what} | {processor[Rounds / 2]:F0} | {processor[^1]:F0} | {times[0]:F0} | {times[Rounds / 2]:F0} | {first:F0} | {octets / 1000.0:F0} |"));
    }
}
