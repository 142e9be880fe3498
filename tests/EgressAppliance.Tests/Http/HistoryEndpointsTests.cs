using System.Net;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.History.Store;
using Microsoft.Extensions.Logging.Abstractions;
using static EgressAppliance.Tests.History.Store.HistoryBench;

namespace EgressAppliance.Tests.Http;

public sealed class HistoryEndpointsTests : IAsyncLifetime, IDisposable
{
    private readonly HistoryBench _bench = new(o => o with { Terms = [new LinkTerms("a", new(), 95, 1_000_000, 2)] });
    private readonly HttpClient _client = new();
    private HistoryReader _reader = null!;
    private ApiServer _server = null!;

    public async Task InitializeAsync()
    {
        using (HistoryStore store = _bench.Open())
        {
            // Two days; b begins on the second.
            store.Write(
                [
                    .. Enumerable.Range(0, 2880).Select(i => Tick(
                        Begin.AddMinutes(i), i < 1440 ? [Link("a", 10, counterMbps: 20, nativeMbps: 30)] : [Link("a", 10, nativeOverload: 60), Link("b", 5)],
                        Prefix("192.0.2.0/24", "a", 8), Prefix("198.51.100.0/24", "a", i < 1440 ? 1 : 9))),
                ],
                [
                    .. Enumerable.Range(0, 250).Select(i => new HistoryEvent(Begin.AddMinutes(i / 2), i % 5 == 0 ? EventKind.SessionDown : EventKind.Announced)
                    {
                        Subject = i % 5 == 0 ? "edge1" : "", Prefix = i % 5 == 0 ? "" : "192.0.2.0/24", Count = i, Bps = 1000,
                    }),
                ],
                []);
        }

        _reader = new HistoryReader(_bench.Options.Path, TimeProvider.System);
        _server = await ApiServer.StartAsync(new HttpConfig { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" }, new FakeAppliance(), FakeAppliance.AuditInMemory(), NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None, _reader);
        _client.BaseAddress = new Uri($"http://127.0.0.1:{_server.Port}/api/v1/history/");
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _reader.Dispose();
    }

    public void Dispose()
    {
        _client.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task Links_of_a_day_have_minutes_and_of_two_days_five_minutes()
    {
        JsonElement day = await GetAsync("links?link=a&from=2026-03-01&to=2026-03-02");
        Assert.Equal(60, day.GetProperty("step_seconds").GetInt32());
        JsonElement link = Assert.Single(day.GetProperty("links").EnumerateArray());
        Assert.Equal(("a", 1440), (link.GetProperty("link").GetString(), link.GetProperty("points").GetArrayLength()));
        JsonElement point = link.GetProperty("points")[7];
        Assert.Equal("2026-03-01T00:07:00+00:00", point.GetProperty("time").GetString());
        Assert.Equal(
            (10_000_000, 20_000_000, 30_000_000, 10_000_000_000),
            (point.GetProperty("mirror_bps").GetInt64(), point.GetProperty("counter_bps").GetInt64(), point.GetProperty("native_bps").GetInt64(), point.GetProperty("capacity_bps").GetInt64()));
        JsonElement both = await GetAsync("links?from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00%2B00:00");
        Assert.Equal(300, both.GetProperty("step_seconds").GetInt32());
        Assert.Equal([("a", 576), ("b", 288)], both.GetProperty("links").EnumerateArray().Select(l => (l.GetProperty("link").GetString(), l.GetProperty("points").GetArrayLength())));
        Assert.Equal(JsonValueKind.Null, both.GetProperty("links")[1].GetProperty("points")[0].GetProperty("counter_bps").ValueKind);
        Assert.Equal(3600, (await GetAsync("links?from=2026-02-01&to=2026-03-10")).GetProperty("step_seconds").GetInt32());
        Assert.Equal(2, (await GetAsync("links?from=2026-03-01&to=2026-03-03&step=86400")).GetProperty("links")[0].GetProperty("points").GetArrayLength());
    }

    [Fact]
    public async Task Prefixes_are_the_largest_of_the_time_with_their_course()
    {
        JsonElement first = await GetAsync("prefixes?from=2026-03-01&to=2026-03-02&top=1");
        JsonElement prefix = Assert.Single(first.GetProperty("prefixes").EnumerateArray());
        Assert.Equal(("192.0.2.0/24", "a", 8_000_000, 1440), (prefix.GetProperty("prefix").GetString(), prefix.GetProperty("link").GetString(), prefix.GetProperty("mean_bps").GetInt64(), prefix.GetProperty("points").GetArrayLength()));
        JsonElement one = await GetAsync("prefixes?from=2026-03-01&to=2026-03-03&prefix=198.51.100.0/24&link=a");
        Assert.Equal(5_000_000, Assert.Single(one.GetProperty("prefixes").EnumerateArray()).GetProperty("mean_bps").GetInt64());
        Assert.Empty((await GetAsync("prefixes?from=2026-03-01&to=2026-03-03&prefix=203.0.113.0/24")).GetProperty("prefixes").EnumerateArray());
    }

    [Fact]
    public async Task Events_come_in_pages_newest_first_and_each_once()
    {
        List<long> seen = [];
        string? cursor = null;
        do
        {
            JsonElement page = await GetAsync("events?limit=60" + (cursor is null ? "" : "&cursor=" + cursor));
            seen.AddRange(page.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("count").GetInt64()));
            cursor = page.GetProperty("cursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal(Enumerable.Range(0, 250).Reverse().Select(i => (long)i), seen);
        JsonElement bgp = await GetAsync("events?kind=bgp&from=2026-03-01T00:10:00Z&to=2026-03-01T00:20:00Z");
        Assert.Equal(["session_down"], bgp.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).Distinct());
        Assert.Equal(4, bgp.GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task Months_tell_percentile_bill_and_what_was_saved()
    {
        JsonElement month = Assert.Single((await GetAsync("months")).EnumerateArray());
        Assert.Equal(("a", "2026-03", "counter", 8928), (Text("link"), Text("month"), Text("basis"), month.GetProperty("samples").GetInt32()));
        Assert.Equal((20_000_000, 30_000_000), (month.GetProperty("p95_bps").GetInt64(), month.GetProperty("native_p95_bps").GetInt64()));
        Assert.Equal((40m, 60m, 20m), (month.GetProperty("bill").GetDecimal(), month.GetProperty("native_bill").GetDecimal(), month.GetProperty("saving").GetDecimal()));

        // The last sample is not over: nothing came after it.
        Assert.Equal(1435, month.GetProperty("avoided_overload_minutes").GetDouble());
        Assert.Empty((await GetAsync("months?link=b")).EnumerateArray());

        string? Text(string name) => month.GetProperty(name).GetString();
    }

    [Theory]
    [InlineData("links?from=yesterday")]
    [InlineData("links?to=2026-13-01")]
    [InlineData("links?from=2026-03-02&to=2026-03-01")]
    [InlineData("links?step=61")]
    [InlineData("links?step=60&from=2020-01-01&to=2026-01-01")]
    [InlineData("links?link=nobody")]
    [InlineData("prefixes?prefix=192.0.2.1/24")]
    [InlineData("prefixes?top=0")]
    [InlineData("prefixes?top=201")]
    [InlineData("prefixes?link=nobody")]
    [InlineData("events?kind=nonsense")]
    [InlineData("events?limit=1001")]
    [InlineData("events?limit=x")]
    [InlineData("events?cursor=x")]
    [InlineData("events?cursor=1-")]
    [InlineData("months?from=1")]
    public async Task Bad_question_is_a_problem_document(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.NotEmpty(problem.RootElement.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Without_a_history_every_route_says_so()
    {
        await using ApiServer none = await ApiServer.StartAsync(
            new HttpConfig { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" }, new FakeAppliance(), FakeAppliance.AuditInMemory(), NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        foreach (string path in (string[])["links", "prefixes", "events", "months", "status"])
        {
            using HttpResponseMessage response = await _client.GetAsync($"http://127.0.0.1:{none.Port}/api/v1/history/{path}");
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Fact]
    public async Task Before_the_database_is_there_the_answer_is_unavailable()
    {
        using HistoryReader reader = new(Path.Combine(_bench.Folder, "none.db"), TimeProvider.System);
        await using ApiServer server = await ApiServer.StartAsync(
            new HttpConfig { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" }, new FakeAppliance(), FakeAppliance.AuditInMemory(), NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None, reader);
        using HttpResponseMessage response = await _client.GetAsync($"http://127.0.0.1:{server.Port}/api/v1/history/links");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Fact]
    public async Task Questions_that_are_given_up_leave_room_for_others()
    {
        using CancellationTokenSource stop = new();
        Task[] asked = [.. Enumerable.Range(0, 20).Select(_ => Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _reader.LinksAsync(null, Begin, Begin.AddDays(2), 60, new CancellationToken(canceled: true))))];
        await Task.WhenAll(asked);
        Assert.Equal(2, (await _reader.LinksAsync(null, Begin, Begin.AddDays(2), 300, CancellationToken.None)).Links.Count);
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(path);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
