using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Web;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Sinks;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Tests.History.Store;
using Microsoft.Extensions.Logging.Abstractions;
using static EgressAppliance.Tests.History.Store.HistoryBench;

namespace EgressAppliance.Tests.History.Sinks;

/// <summary>The sink and its loop against an HTTP server that answers as ClickHouse does and keeps what it was sent.</summary>
public sealed class ClickHouseSinkTests : IAsyncLifetime, IDisposable
{
    private readonly HistoryBench _bench = new();
    private readonly FakeClickHouse _server = new();
    private HistoryWriter _writer = null!;

    public Task InitializeAsync()
    {
        _writer = new HistoryWriter(_bench.Options, TimeProvider.System, NullLogger<HistoryWriter>.Instance);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _writer.DisposeAsync();

    public void Dispose()
    {
        _server.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task Send_statements_and_rows_are_those_of_the_protocol()
    {
        await using HistorySinks sinks = Start();
        for (int i = 0; i < 3; i++)
        {
            _writer.Add(
                Tick(Begin.AddMinutes(i), [Link("a", 10 + i, counterMbps: 20)], Prefix("192.0.2.0/24", "a", 1)),
                [new HistoryEvent(Begin.AddMinutes(i).AddMilliseconds(5), EventKind.Announced) { Prefix = "192.0.2.0/24", Text = "a \"quoted\" line\n" }]);
        }

        // The newest minute may still grow, and is not sent yet.
        await UntilAsync(() => _server.Rows("egress_link_minute").Count >= 2 && _server.Rows("egress_event").Count >= 3);
        Assert.Equal(3, _server.Statements.Count(s => s.StartsWith("CREATE TABLE IF NOT EXISTS egress_", StringComparison.Ordinal)));
        Assert.All(_server.Statements.Where(s => s.StartsWith("INSERT", StringComparison.Ordinal)), s => Assert.Matches("^INSERT INTO egress_(link_minute|prefix_minute|event) FORMAT JSONEachRow$", s));
        JsonElement link = _server.Rows("egress_link_minute")[0];
        Assert.Equal(
            ("fra1", Begin.ToUnixTimeSeconds(), "a", 10_000_000, 20_000_000, JsonValueKind.Null),
            (link.GetProperty("site").GetString(), link.GetProperty("time").GetInt64(), link.GetProperty("link").GetString(), link.GetProperty("mirror_bps").GetInt64(),
                link.GetProperty("counter_bps").GetInt64(), link.GetProperty("native_bps").ValueKind));
        Assert.Equal("192.0.2.0/24", _server.Rows("egress_prefix_minute")[0].GetProperty("prefix").GetString());
        JsonElement happened = _server.Rows("egress_event")[0];
        Assert.Equal(("2026-03-01 00:00:00.005", "announced", "a \"quoted\" line\n"), (happened.GetProperty("time").GetString(), happened.GetProperty("kind").GetString(), happened.GetProperty("text").GetString()));
        Assert.Equal(("egress", "writer", "secret"), _server.Access);
    }

    [Fact]
    public async Task Send_after_an_outage_and_a_restart_goes_on_where_it_was_and_loses_nothing()
    {
        await using (HistorySinks sinks = Start())
        {
            _writer.Add(Tick(Begin, [Link("a", 1)]), []);
            _writer.Add(Tick(Begin.AddMinutes(1), [Link("a", 1)]), []);
            await UntilAsync(() => _server.Rows("egress_link_minute").Count == 1);
            await UntilAsync(() => _bench.Scalar("SELECT COUNT(*) FROM sink") > 0);
            _server.Refuses = true;
            for (int i = 2; i < 100; i++)
            {
                _writer.Add(Tick(Begin.AddMinutes(i), [Link("a", 1)]), [new HistoryEvent(Begin.AddMinutes(i), EventKind.Plan)]);
                await HistoryWriterTests.UntilAsync(_writer, s => s.WaitingTicks == 0);
            }

            await UntilAsync(() => sinks.Status[0].Failures > 0);
            Assert.Contains("Code: 241. DB::Exception: Memory limit", sinks.Status[0].Problem, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", sinks.Status[0].Problem, StringComparison.Ordinal);
        }

        _server.Refuses = false;
        await using HistorySinks again = Start();
        _writer.Add(null, [new HistoryEvent(Begin.AddMinutes(101), EventKind.Plan)]);
        await UntilAsync(() => _server.Rows("egress_link_minute").Count >= 99 && _server.Rows("egress_event").Count >= 99);
        Assert.Equal(
            Enumerable.Range(0, 99).Select(i => Begin.AddMinutes(i).ToUnixTimeSeconds()), _server.Rows("egress_link_minute").Select(r => r.GetProperty("time").GetInt64()));
        await UntilAsync(() => again.Status[0].Problem is null);
        Assert.Equal(0, again.Status[0].LagSeconds);
    }

    private static async Task UntilAsync(Func<bool> right)
    {
        while (!right())
        {
            await Task.Delay(10);
        }
    }

    private HistorySinks Start() => new(
        new ApplianceConfig
        {
            Site = "fra1",
            History = new HistoryConfig
            {
                Path = _bench.Options.Path,
                Sinks = [new HistorySinkConfig { Name = "central", Kind = HistorySinkKind.Clickhouse, Url = _server.Url, Database = "egress", User = "writer", Password = "secret" }],
            },
        },
        _writer, TimeProvider.System, NullLogger<HistorySinks>.Instance);

    private sealed class FakeClickHouse : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly ConcurrentQueue<(string Statement, string Body)> _taken = new();

        public FakeClickHouse()
        {
            using (TcpListener probe = new(IPAddress.Loopback, 0))
            {
                probe.Start();
                Url = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            }

            _listener.Prefixes.Add(Url.ToString());
            _listener.Start();
            _ = ServeAsync();
        }

        public Uri Url { get; }

        public bool Refuses { get; set; }

        public (string? Database, string? User, string? Key) Access { get; private set; }

        public IEnumerable<string> Statements => _taken.Select(t => t.Statement);

        public List<JsonElement> Rows(string table) =>
        [
            .. _taken.Where(t => t.Statement.StartsWith($"INSERT INTO {table} ", StringComparison.Ordinal)).SelectMany(t => t.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                .Select(line => JsonDocument.Parse(line).RootElement),
        ];

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    HttpListenerContext context = await _listener.GetContextAsync();
                    using StreamReader reader = new(context.Request.InputStream);
                    string body = await reader.ReadToEndAsync();
                    System.Collections.Specialized.NameValueCollection query = HttpUtility.ParseQueryString(context.Request.Url!.Query);
                    Access = (query["database"], context.Request.Headers["X-ClickHouse-User"], context.Request.Headers["X-ClickHouse-Key"]);
                    if (Refuses)
                    {
                        context.Response.StatusCode = 500;
                        await context.Response.OutputStream.WriteAsync("Code: 241. DB::Exception: Memory limit exceeded"u8.ToArray());
                    }
                    else
                    {
                        _taken.Enqueue((query["query"] ?? "", body));
                    }

                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // Closed: the test is over.
            }
        }
    }
}
