using System.Text.Json;
using System.Xml;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Tests.History.Store;
using static EgressAppliance.Tests.History.Store.HistoryBench;

namespace EgressAppliance.Tests.Cli;

public sealed class HistoryCommandsTests : IDisposable
{
    private readonly HistoryBench _bench = new(o => o with { Terms = [new LinkTerms("a<b>", new(), 95, 1_000_000, 2)] });
    private readonly CliRunner _cli = new();

    public HistoryCommandsTests()
    {
        using HistoryStore store = _bench.Open();
        store.Write(
            [.. Enumerable.Range(0, 200).Select(i => Tick(Begin.AddMinutes(i), [Link("a<b>", 10, counterMbps: 20, nativeMbps: 30, nativeOverload: 60)], Prefix("192.0.2.0/24", "a<b>", 3)))],
            [
                new HistoryEvent(Begin, EventKind.Verdict) { Code = "relieved", Text = "One, \"two\"" },
                new HistoryEvent(Begin.AddDays(90), EventKind.Announced) { Prefix = "192.0.2.0/24", From = "a<b>", To = "c", Bps = 1000 },
            ],
            []);
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Export_of_links_has_a_line_a_minute_and_link_within_the_time_asked_for()
    {
        Assert.Equal(ExitCode.Done, await RunAsync("history", "export", "--table", "links", "--from", "2026-03-01T00:10:00Z", "--to", "2026-03-01T00:12:00Z"));
        Assert.Equal(
            "time,link,seconds,mirror_bps,mirror_max_bps,counter_bps,native_bps,planned_bps,capacity_bps,threshold_bps,overload_seconds,native_overload_seconds,overrides,overrides_away\r\n"
            + "2026-03-01T00:10:00Z,a<b>,60,10000000,10000000,20000000,30000000,10000000,10000000000,9500000000,0,60,0,0\r\n"
            + "2026-03-01T00:11:00Z,a<b>,60,10000000,10000000,20000000,30000000,10000000,10000000000,9500000000,0,60,0,0\r\n",
            _cli.Out);
        await RunAsync("history", "export", "--table", "links", "--step", "1h");
        Assert.Equal(4 + 1, _cli.Out.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("links", 200, "time")]
    [InlineData("prefixes", 200, "prefix")]
    [InlineData("events", 2, "kind")]
    [InlineData("decisions", 1, "kind")]
    [InlineData("overrides", 1, "kind")]
    [InlineData("months", 1, "p95_bps")]
    public async Task Export_as_json_is_an_array_of_objects(string table, int rows, string key)
    {
        string file = Path.Combine(_bench.Folder, "out.json");
        Assert.Equal(ExitCode.Done, await RunAsync("history", "export", "--table", table, "--format", "json", "--output", file));
        using JsonDocument document = JsonDocument.Parse(await File.ReadAllTextAsync(file));
        Assert.Equal(rows, document.RootElement.GetArrayLength());
        Assert.All(document.RootElement.EnumerateArray(), r => Assert.True(r.TryGetProperty(key, out _)));
        Assert.Empty(_cli.Out);
        Assert.Equal(ExitCode.Done, await RunAsync("history", "export", "--table", table));
        Assert.Equal(rows + 1, _cli.Out.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Export_quotes_what_csv_must_quote()
    {
        await RunAsync("history", "export", "--table", "decisions");
        Assert.EndsWith("2026-03-01T00:00:00.000Z,verdict,,,,,,,relieved,\"One, \"\"two\"\"\"\r\n", _cli.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_tells_a_whole_database_from_a_damaged_one()
    {
        Assert.Equal(ExitCode.Done, await RunAsync("history", "check"));
        Assert.Contains("whole", _cli.Out, StringComparison.Ordinal);
        string damaged = Path.Combine(_bench.Folder, "damaged.db");
        await File.WriteAllBytesAsync(damaged, new byte[8192]);
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("history", "check", "--database", damaged));
        Assert.Contains("damaged", _cli.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("history", "check", "--database", Path.Combine(_bench.Folder, "none.db")));
        Assert.Contains("there is no history", _cli.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backup_makes_a_file_that_can_be_asked_and_does_not_overwrite_one()
    {
        string copy = Path.Combine(_bench.Folder, "copy.db");
        Assert.Equal(ExitCode.Done, await RunAsync("history", "backup", copy));
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("history", "status", "--database", copy, "--json"));
        using JsonDocument status = JsonDocument.Parse(_cli.Out);
        JsonElement minutes = status.RootElement.GetProperty("tables").EnumerateArray().First(t => t.GetProperty("name").GetString() == "link_minute");
        Assert.Equal((200, "2026-03-01T03:19:00+00:00"), (minutes.GetProperty("rows").GetInt32(), minutes.GetProperty("newest").GetString()));
        Assert.Equal(ExitCode.Failed, await RunAsync("history", "backup", copy));
        Assert.Contains("exists already", _cli.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("history", "status", "--database", copy));
        Assert.Matches(@"(?m)^link_minute +200  2026-03-01 00:00:00Z  2026-03-01 03:19:00Z$", _cli.Out);
    }

    [Fact]
    public async Task Report_as_csv_has_the_month_of_every_link()
    {
        Assert.Equal(ExitCode.Done, await RunAsync("report", "2026-03", "--format", "csv"));
        string[] lines = _cli.Out.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Dictionary<string, string> row = lines[0].Split(',').Zip(lines[1].Split(',')).ToDictionary(c => c.First, c => c.Second);

        // 39 samples are over; 20 Mbit/s instead of 30 at 2 a Mbit/s.
        Assert.Equal(
            ("2026-03", "a<b>", "39", "20000000", "30000000", "40.00", "60.00", "20.00", "195"),
            (row["month"], row["link"], row["measured"], row["p95_bps"], row["native_p95_bps"], row["bill"], row["native_bill"], row["saving"], row["avoided_overload_minutes"]));
        Assert.Equal($"{39 * 5 * 60 * 20_000_000L / 8}", row["volume_bytes"]);
    }

    [Fact]
    public async Task Report_as_html_is_one_well_formed_page_that_needs_nothing_else()
    {
        string file = Path.Combine(_bench.Folder, "report.html");
        Assert.Equal(ExitCode.Done, await RunAsync("report", "2026-03", "--site", "fra1", "--output", file));
        string html = await File.ReadAllTextAsync(file);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
        Assert.DoesNotContain("a<b>", html, StringComparison.Ordinal);
        Assert.Contains("a&lt;b&gt;", html, StringComparison.Ordinal);
        Assert.Contains("<title>Egress 2026-03, fra1</title>", html, StringComparison.Ordinal);
        Assert.Contains("@media print", html, StringComparison.Ordinal);

        // But for elements of HTML that have no end it is XML.
        XmlDocument page = new();
        page.LoadXml(html.Replace("<!doctype html>", "", StringComparison.Ordinal).Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal)
            .Replace("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">", "", StringComparison.Ordinal));
        Assert.Equal(2, page.GetElementsByTagName("path").Count);
        Assert.Equal("20.00", page.GetElementsByTagName("tfoot")[0]!.ChildNodes[0]!.ChildNodes[8]!.InnerText);
    }

    [Theory]
    [InlineData("report", "2026-13")]
    [InlineData("report", "March")]
    [InlineData("history", "export", "--table", "nonsense")]
    [InlineData("history", "export", "--table", "links", "--from", "yesterday")]
    [InlineData("history", "export", "--table", "links", "--step", "2m")]
    [InlineData("history", "export")]
    public async Task Bad_usage_is_told(params string[] args)
    {
        Assert.Equal(ExitCode.Usage, await RunAsync(args));
        Assert.NotEmpty(_cli.Error);
    }

    [Fact]
    public async Task Report_of_a_month_that_is_not_there_fails()
    {
        Assert.Equal(ExitCode.Failed, await RunAsync("report", "2025-01"));
        Assert.Contains("no month 2025-01", _cli.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, await RunAsync("report", "2026-03", "--link", "nobody"));
    }

    private Task<int> RunAsync(params string[] args) => _cli.RunAsync([.. args, "--database", _bench.Options.Path]);
}
