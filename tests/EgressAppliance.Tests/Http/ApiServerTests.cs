using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Http;

public sealed class ApiServerTests : IAsyncLifetime, IDisposable
{
    private readonly FakeAppliance _appliance = new();
    private readonly AuditLog _audit = FakeAppliance.AuditInMemory();
    private readonly HttpClient _client = new();
    private readonly string _socket = Path.Combine(Path.GetTempPath(), $"egress-api-{Guid.NewGuid():N}", "api.sock");
    private ApiServer _server = null!;

    public async Task InitializeAsync()
    {
        HttpConfig config = new() { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = _socket };
        _server = await ApiServer.StartAsync(config, _appliance, _audit, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        _client.BaseAddress = new Uri($"http://127.0.0.1:{_server.Port}");
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _audit.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_socket)!, recursive: true);
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Status_read_has_snake_case_names()
    {
        using JsonDocument status = JsonDocument.Parse(await _client.GetStringAsync("/api/v1/status"));
        Assert.Equal("observe", status.RootElement.GetProperty("mode").GetString());
        Assert.Equal(2, status.RootElement.GetProperty("capture").GetProperty("undecodable").GetProperty("truncated_ipv4").GetInt64());
        Assert.Equal(1, status.RootElement.GetProperty("bgp")[0].GetProperty("routes_ipv4").GetInt32());
    }

    [Fact]
    public async Task Cost_read_has_the_month_of_each_link_with_a_price()
    {
        using JsonDocument cost = JsonDocument.Parse(await _client.GetStringAsync("/api/v1/cost"));
        Assert.Equal("proposed", cost.RootElement.GetProperty("verdict").GetString());
        JsonElement link = Assert.Single(cost.RootElement.GetProperty("links").EnumerateArray());
        Assert.Equal(("isp-a", 1_500_000_000), (link.GetProperty("name").GetString(), link.GetProperty("standing_bps").GetInt64()));
    }

    [Fact]
    public async Task Document_that_the_client_has_is_not_sent_again()
    {
        using HttpResponseMessage first = await _client.GetAsync("/api/v1/links");
        string tag = first.Headers.ETag!.ToString();
        foreach ((string given, HttpStatusCode status) in new[]
        {
            (tag, HttpStatusCode.NotModified), ($"\"other\", {tag["W/".Length..]}", HttpStatusCode.NotModified), ("*", HttpStatusCode.NotModified),
            ("\"other\"", HttpStatusCode.OK), ("nonsense", HttpStatusCode.OK),
        })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/api/v1/links");
            request.Headers.TryAddWithoutValidation("If-None-Match", given);
            using HttpResponseMessage again = await _client.SendAsync(request);
            Assert.Equal((given, status), (given, again.StatusCode));
            Assert.Equal(status == HttpStatusCode.OK, (await again.Content.ReadAsByteArrayAsync()).Length > 0);
        }

        StateEventDto state = FakeAppliance.MakeState("observe");
        _appliance.Feed.Publish(state with { Links = [state.Links[0] with { MirrorBps = 501 }] });
        using HttpResponseMessage changed = await _client.GetAsync("/api/v1/links");
        Assert.NotEqual(tag, changed.Headers.ETag!.ToString());
    }

    [Fact]
    public async Task Prefixes_come_in_pages_and_each_question_is_asked_once_a_state()
    {
        using HttpResponseMessage first = await _client.GetAsync("/api/v1/prefixes?top=1&as=64500&q=192.0.2.1&link=isp-a");
        string next = Assert.Single(first.Headers.GetValues("Link"));
        Assert.Matches("^</api/v1/prefixes\\?top=1&link=isp-a&as=64500&q=192.0.2.1&cursor=[A-Za-z0-9_-]+>; rel=\"next\"$", next);
        using HttpResponseMessage same = await _client.GetAsync("/api/v1/prefixes?top=1&as=64500&q=192.0.2.1&link=isp-a");
        Assert.Equal(first.Headers.ETag, same.Headers.ETag);
        using HttpResponseMessage second = await _client.GetAsync(next[1..next.IndexOf('>', StringComparison.Ordinal)]);
        Assert.False(second.Headers.Contains("Link"));
        Assert.Equal(
            [new PrefixQuery(1, "isp-a", 64500, "192.0.2.1"), new PrefixQuery(1, "isp-a", 64500, "192.0.2.1", new PrefixCursor(500, "192.0.2.0/24"))],
            _appliance.Queries);
    }

    [Fact]
    public async Task Decisions_come_in_pages()
    {
        _appliance.Decisions = [.. Enumerable.Range(1, 5).Reverse().Select(i => new DecisionDto(i, FakeAppliance.Time, "no_overload", "", "observe", [], [], 0, 0, 1))];
        List<long> read = [];
        string? path = "/api/v1/decisions?limit=2";
        while (path is not null)
        {
            using HttpResponseMessage page = await _client.GetAsync(path);
            using JsonDocument decisions = JsonDocument.Parse(await page.Content.ReadAsStringAsync());
            read.AddRange(decisions.RootElement.EnumerateArray().Select(d => d.GetProperty("id").GetInt64()));
            path = page.Headers.TryGetValues("Link", out IEnumerable<string>? links) ? links.Single().Split('<', '>')[1] : null;
        }

        Assert.Equal([5, 4, 3, 2, 1], read);
    }

    [Fact]
    public async Task Config_check_tells_line_and_remedy_of_each_error()
    {
        using StringContent text = new("version: 1\nsiet: fra1\n", System.Text.Encoding.UTF8, "application/yaml");
        using HttpResponseMessage response = await _client.PostAsync("/api/v1/config/check", text);
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.False(answer.RootElement.GetProperty("valid").GetBoolean());
        JsonElement unknown = answer.RootElement.GetProperty("diagnostics").EnumerateArray().Single(d => d.GetProperty("line").GetInt32() == 2);
        Assert.Equal(("error", 1), (unknown.GetProperty("severity").GetString(), unknown.GetProperty("column").GetInt32()));
        Assert.Contains("site", unknown.GetProperty("remedy").GetString(), StringComparison.Ordinal);
        Assert.Empty(_appliance.Changes);
    }

    [Fact]
    public async Task Changes_done_and_refused_stand_in_the_audit_log_newest_first()
    {
        await _client.PutAsJsonAsync("/api/v1/mode", new { mode = "inject" });
        await _client.PostAsJsonAsync("/api/v1/overrides", new { prefix = "192.0.2.0/24", link = "isp-\nb" });
        using JsonDocument audit = JsonDocument.Parse(await _client.GetStringAsync("/api/v1/audit?limit=2"));
        Assert.Equal(
            ["override_add 192.0.2.0/24 isp-?b: refused: No path by that link.", "mode inject: done"],
            audit.RootElement.EnumerateArray().Select(e => $"{e.GetProperty("action")} {e.GetProperty("detail")}: {e.GetProperty("outcome")}"));
        Assert.All(audit.RootElement.EnumerateArray(), e => Assert.Equal(("local", "loopback"), (e.GetProperty("who").GetString(), e.GetProperty("via").GetString())));
    }

    [Theory]
    [InlineData("/api/v1/prefixes?top=0")]
    [InlineData("/api/v1/prefixes?cursor=nonsense")]
    [InlineData("/api/v1/prefixes?as=x")]
    [InlineData("/api/v1/matrix?top=0")]
    [InlineData("/api/v1/audit?limit=0")]
    [InlineData("/api/v1/decisions?cursor=x")]
    [InlineData("/api/v1/prefixes?top=x")]
    [InlineData("/api/v1/decisions?limit=-1")]
    [InlineData("/api/v1/explain?prefix=nonsense")]
    [InlineData("/api/v1/explain")]
    [InlineData("/api/v1/bgp/rib")]
    public async Task Bad_query_is_a_problem_document(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Rib_has_the_paths_with_snake_case_names()
    {
        using JsonDocument rib = JsonDocument.Parse(await _client.GetStringAsync("/api/v1/bgp/rib?prefix=192.0.2.1"));
        JsonElement path = rib.RootElement.GetProperty("paths")[0];
        Assert.Equal((7, JsonValueKind.Null), (path.GetProperty("path_id").GetInt32(), path.GetProperty("lost_at").ValueKind));
        Assert.Equal(0, path.GetProperty("large_communities").GetArrayLength());
    }

    [Fact]
    public async Task Rib_dump_is_octets_and_refused_while_another_runs()
    {
        using HttpResponseMessage response = await _client.GetAsync("/api/v1/bgp/rib.mrt");
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(_appliance.Dump, await response.Content.ReadAsByteArrayAsync());
        _appliance.Dump = null;
        using HttpResponseMessage refused = await _client.GetAsync("/api/v1/bgp/rib.mrt");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Bgp_gives_all_sessions_or_that_of_one_router()
    {
        using JsonDocument all = JsonDocument.Parse(await _client.GetStringAsync("/api/v1/bgp"));
        using JsonDocument one = JsonDocument.Parse(await _client.GetStringAsync("/api/v1/bgp?router=edge1"));
        Assert.Equal(all.RootElement.ToString(), one.RootElement.ToString());
        JsonElement peer = one.RootElement[0];
        Assert.Equal((0, JsonValueKind.Null), (peer.GetProperty("counters").GetProperty("update_errors").GetInt32(), peer.GetProperty("last_notification").ValueKind));
        using HttpResponseMessage unknown = await _client.GetAsync("/api/v1/bgp?router=edge9");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Contains("Routers: edge1", await unknown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_link_names_the_known_ones()
    {
        using HttpResponseMessage response = await _client.GetAsync("/api/v1/prefixes?link=isp-x");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("isp-a", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mode_put_changes_the_mode()
    {
        using HttpResponseMessage response = await _client.PutAsJsonAsync("/api/v1/mode", new { mode = "inject" });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["mode inject"], _appliance.Changes);
        Assert.Contains("inject", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mode_put_with_an_unknown_mode_is_refused()
    {
        using HttpResponseMessage response = await _client.PutAsJsonAsync("/api/v1/mode", new { mode = "yolo" });
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(_appliance.Changes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    public async Task Mode_put_with_a_broken_body_is_a_client_error(string body)
    {
        using StringContent content = new(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _client.PutAsync("/api/v1/mode", content);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(_appliance.Changes);
    }

    [Fact]
    public async Task Override_that_is_refused_says_why()
    {
        using HttpResponseMessage response = await _client.PostAsJsonAsync("/api/v1/overrides", new { prefix = "192.0.2.0/24", link = "isp-b" });
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("No path by that link.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Host", "evil.example")]
    public async Task Change_from_a_foreign_page_is_forbidden(string header, string value)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/v1/withdraw-all");
        request.Headers.TryAddWithoutValidation(header, value);
        using HttpResponseMessage response = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Empty(_appliance.Changes);
    }

    [Fact]
    public async Task Read_by_a_rebound_name_is_forbidden()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/api/v1/status");
        request.Headers.Host = "rebound.example";
        using HttpResponseMessage response = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Change_from_the_own_page_is_taken()
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/v1/withdraw-all");
        request.Headers.TryAddWithoutValidation("Origin", $"http://127.0.0.1:{_server.Port}");
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
        using HttpResponseMessage response = await _client.SendAsync(request);
        Assert.Equal("{\"withdrawn\":3}", await response.Content.ReadAsStringAsync());
        Assert.Equal(["withdraw-all"], _appliance.Changes);
    }

    [Theory]
    [InlineData(StopReach.Told, HttpStatusCode.Accepted, "{\"withdrawn\":0,\"detail\":\"ctl2 was told\"}")]
    [InlineData(StopReach.Waiting, HttpStatusCode.Accepted, "{\"withdrawn\":0,\"detail\":\"ctl2 was told\"}")]
    [InlineData(StopReach.Nowhere, HttpStatusCode.Conflict, "ctl2 was told")]
    public async Task Withdraw_all_on_a_box_that_does_not_decide_says_who_was_told(StopReach reach, HttpStatusCode status, string body)
    {
        _appliance.Stop = new StopNotice(0, reach, "ctl2 was told");
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/v1/withdraw-all");
        using HttpResponseMessage response = await _client.SendAsync(request);
        Assert.Equal(status, response.StatusCode);
        Assert.Contains(body, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(["withdraw-all"], _appliance.Changes);
    }

    [Fact]
    public async Task Events_send_the_present_state_and_each_new_one()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        using Stream stream = await _client.GetStreamAsync("/api/v1/events", limit.Token);
        using StreamReader reader = new(stream);
        Assert.Contains("\"mode\":\"observe\"", await NextData(reader, limit.Token), StringComparison.Ordinal);
        _appliance.Feed.Publish(FakeAppliance.MakeState("inject"));
        Assert.Contains("\"mode\":\"inject\"", await NextData(reader, limit.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readyz_says_what_is_missing()
    {
        _appliance.NotReady = "no BGP session";
        using HttpResponseMessage response = await _client.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("no BGP session\n", await response.Content.ReadAsStringAsync());
        _appliance.NotReady = null;
        Assert.Equal("ready\n", await _client.GetStringAsync("/readyz"));
    }

    [Fact]
    public async Task Metrics_are_prometheus_text_with_escaped_labels()
    {
        await _client.PutAsJsonAsync("/api/v1/mode", new { mode = "inject" });
        string text = await _client.GetStringAsync("/metrics");
        Assert.StartsWith("# HELP egress_test A test.\n# TYPE egress_test gauge\negress_test{link=\"a\\\"b\"} 1.5\n", text, StringComparison.Ordinal);
        Assert.Contains("\negress_audit_entries_total 1\n", text, StringComparison.Ordinal);

        // Of the request before this one; other servers of the process are measured with this.
        Assert.Matches("(?m)^kestrel_active_connections\\{.*server_port=\"" + _server.Port + "\".*\\} [1-9]", text);
        Assert.Matches("(?m)^http_server_request_duration_seconds_bucket\\{.*http_request_method=\"PUT\".*http_route=\"/api/v1/mode\".*le=\"\\+Inf\"\\} [1-9]", text);
        Assert.Matches("(?m)^dotnet_gc_collections_total\\{", text);
        Assert.DoesNotMatch("(?m)^# TYPE \\S+_count ", text);
    }

    [Fact]
    public async Task Page_is_served_with_all_its_files_or_the_build_says_that_it_lacks_them()
    {
        string index = await _client.GetStringAsync("/");
        if (!UiFiles.Built)
        {
            Assert.Contains("without the web page", index, StringComparison.Ordinal);
            return;
        }

        Assert.Contains("<title>", index, StringComparison.Ordinal);
        Assert.Contains(UiFiles.Paths, p => p.EndsWith(".js", StringComparison.Ordinal) && index.Contains(p, StringComparison.Ordinal));
        foreach (string path in UiFiles.Paths)
        {
            using HttpResponseMessage file = await _client.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, file.StatusCode);
            Assert.DoesNotContain("json", file.Content.Headers.ContentType!.MediaType, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Page_is_sent_compressed_to_who_takes_that()
    {
        if (!UiFiles.Built)
        {
            return;
        }

        string script = UiFiles.Paths.First(p => p.EndsWith(".js", StringComparison.Ordinal));
        string plain = await _client.GetStringAsync(script);
        using HttpRequestMessage request = new(HttpMethod.Get, script);
        request.Headers.Add("Accept-Encoding", "gzip");
        using HttpResponseMessage response = await _client.SendAsync(request);
        Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", response.Headers.Vary);
        using GZipStream unpacked = new(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using StreamReader reader = new(unpacked);
        Assert.Equal(plain, await reader.ReadToEndAsync());

        // The copy has no address of its own.
        using HttpResponseMessage copy = await _client.GetAsync(script + ".gz");
        Assert.Equal(HttpStatusCode.NotFound, copy.StatusCode);
    }

    [Fact]
    public async Task Unknown_path_is_not_found()
    {
        using HttpResponseMessage response = await _client.GetAsync("/api/v1/nothing");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Unix_socket_answers_and_is_closed_to_others()
    {
        using SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, cancelled) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancelled);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using HttpClient client = new(handler);
        Assert.Contains("fra1", await client.GetStringAsync("http://appliance/api/v1/status"), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_socket) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite));
    }

    private static async Task<string> NextData(StreamReader reader, CancellationToken cancelled)
    {
        while (true)
        {
            string line = await reader.ReadLineAsync(cancelled) ?? throw new EndOfStreamException("The event stream ended.");
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                return line;
            }
        }
    }
}
