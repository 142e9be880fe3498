using System.Net;
using System.Net.Sockets;
using System.Text;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.History.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Http;

/// <summary>
/// Ten thousand requests made of good ones by a seeded hand: other methods, paths, parameters, headers and bodies, cut and joined, as raw octets. None may be answered
/// by a server error, and none that was not meant to may change anything.
/// </summary>
public sealed class ApiFuzzTests
{
    private const int Requests = 10_000;
    private const int Seed = 20261127;

    private static readonly string[] Methods = ["GET", "GET", "GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "get", "G\u00c9T", "CONNECT", ""];

    private static readonly string[] Paths =
    [
        "/", "/index.html", "/assets/x.js", "/metrics", "/healthz", "/readyz", "/openapi/v1.json", "/openapi/v2.json", "/api", "/api/v1", "/api/v2/status", "/api/v1/status",
        "/api/v1/capture", "/api/v1/links", "/api/v1/overrides", "/api/v1/prefixes", "/api/v1/matrix", "/api/v1/decisions", "/api/v1/plan", "/api/v1/cost", "/api/v1/explain",
        "/api/v1/bgp", "/api/v1/bgp/rib", "/api/v1/bgp/rib.mrt", "/api/v1/bgp/edge1/refresh", "/api/v1/config", "/api/v1/config/check", "/api/v1/audit", "/api/v1/mode",
        "/api/v1/history/links", "/api/v1/history/prefixes", "/api/v1/history/events", "/api/v1/history/months", "/api/v1/history/status",
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/%00", "/api/v1/bgp/%ff%fe/refresh", "//api/v1/status", "/api/v1/status/", "/api/v1/bgp/a%2Fb/refresh",
    ];

    private static readonly string[] Names = ["top", "limit", "link", "prefix", "as", "q", "cursor", "router", "from", "to", "step", "kind", "%00", "top[]", ""];

    private static readonly string[] Values =
    [
        "1", "0", "-1", "50", "10000", "10001", "99999999999999999999", "NaN", "1e3", "isp-a", "isp-x", "192.0.2.1", "192.0.2.0/24", "192.0.2.1/24", "::", "2001:db8::/32", "::/129",
        "%", "%zz", "%00", "%ff", "%F0%9F%92%A9", "'--", "<script>", "{}", "", "NTAwIDE5Mi4wLjIuMC8yNA", "AAAA", "====", "2026-01-02", "2026-01-02T03:04:05Z", "1971-01-01", "9998-12-31T23:59:59Z", "60", "3600", "verdict", "decisions,bgp", "1-2",
    ];

    private static readonly string[] Bodies =
    [
        "", "{}", "[]", "null", "{\"mode\":\"inject\"}", "{\"mode\":5}", "{\"mode\":null}", "{\"mode\":\"\\ud800\"}", "{\"prefix\":\"192.0.2.0/24\",\"link\":\"isp-a\"}",
        "{\"prefix\":{},\"link\":[]}", "{\"mode\":", "\"", "version: 1\n", "version: [", "a: &a [*a, *a]\n", "\t- x\n", "\0\0\0", "{\"mode\":\"inject\"}{\"mode\":\"inject\"}",
    ];

    private static readonly string[] Headers =
    [
        "Content-Type: application/json", "Content-Type: application/yaml", "Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=x", "Content-Type: ;;;",
        "Accept: text/html", "Accept-Encoding: gzip, br;q=x", "If-None-Match: *", "If-None-Match: \"", "If-None-Match: W/\"x\", y", "Range: bytes=0-1", "Range: bytes=9-1,-",
        "Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "Authorization: Bearer x", "Authorization: Basic Og==", "Expect: 100-continue", "X-Http-Method-Override: DELETE",
        "X-Forwarded-For: 127.0.0.1", "Transfer-Encoding: chunked", "Content-Length: 5", "Content-Length: -1", "Upgrade: websocket", "Connection: upgrade", "Cookie: a=b; =", "\u00fc: x", ": x",
        "If-Modified-Since: yesterday", "Host: evil.example", "Host: [::1", "Content-Encoding: gzip", "Cache-Control: only-if-cached",
    ];

    [Fact]
    public async Task Fuzzed_requests_never_give_a_server_error_and_change_only_what_they_ask_for()
    {
        FakeAppliance appliance = new() { NotReady = null };
        using HistoryBench bench = new();
        using (HistoryStore store = bench.Open())
        {
            store.Write([], [new HistoryEvent(FakeAppliance.Time, EventKind.Started)], []);
        }

        using HistoryReader history = new(bench.Options.Path, TimeProvider.System);
        HttpConfig config = new() { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" };
        await using AuditLog audit = FakeAppliance.AuditInMemory();
        await using ApiServer server = await ApiServer.StartAsync(config, appliance, audit, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None, history);
        Dictionary<int, int> answers = [];
        int silent = 0;
        Random random = new(Seed);
        Talk talk = new(server.Port);
        for (int i = 0; i < Requests; i++)
        {
            (byte[] request, bool asksForChange) = Make(random);
            int before = appliance.Changes.Count;
            int? status = await talk.SendAsync(request);
            if (status is not { } code)
            {
                silent++;
                continue;
            }

            answers[code] = answers.GetValueOrDefault(code) + 1;
            string shown = Encoding.Latin1.GetString(request);
            // 505: the first line names no version of HTTP that there is.
            Assert.True(code is < 500 or 505, $"request {i} was answered with {code}:\n{shown}");
            Assert.True(asksForChange || appliance.Changes.Count == before, $"request {i} changed {appliance.Changes.LastOrDefault()}:\n{shown}");
        }

        // The requests reached what they were made for, and the server lives.
        Assert.True(answers.GetValueOrDefault(200) > Requests / 20 && answers.GetValueOrDefault(400) > Requests / 20 && silent < Requests / 5,
            $"{silent} without an answer; {string.Join(", ", answers.OrderBy(a => a.Key).Select(a => $"{a.Key}: {a.Value}"))}");
        Assert.NotEmpty(appliance.Changes);
        using HttpClient client = new();
        Assert.Equal("ok\n", await client.GetStringAsync($"http://127.0.0.1:{server.Port}/healthz"));
    }

    private static (byte[] Request, bool AsksForChange) Make(Random random)
    {
        string method = Pick(random, Methods);
        string path = Pick(random, Paths);
        List<string> query = [];
        for (int n = random.Next(4); n > 0; n--)
        {
            query.Add($"{Pick(random, Names)}={Pick(random, Values)}");
        }

        string body = method is "GET" or "HEAD" && random.Next(4) > 0 ? "" : Pick(random, Bodies);
        if (random.Next(200) == 0)
        {
            body = new string('x', random.Next(200_000));
        }

        StringBuilder text = new();
        text.Append(method).Append(' ').Append(path).Append(query.Count > 0 ? "?" + string.Join('&', query) : "").Append(random.Next(100) == 0 ? " HTTP/9.9" : " HTTP/1.1").Append("\r\n");
        text.Append("Host: 127.0.0.1\r\n");
        if (body.Length > 0 || random.Next(10) == 0)
        {
            text.Append("Content-Length: ").Append(Encoding.UTF8.GetByteCount(body)).Append("\r\n");
            if (random.Next(3) > 0)
            {
                text.Append("Content-Type: application/json\r\n");
            }
        }

        for (int n = random.Next(3); n > 0; n--)
        {
            text.Append(Pick(random, Headers)).Append("\r\n");
        }

        text.Append("\r\n").Append(body);
        byte[] request = Encoding.UTF8.GetBytes(text.ToString());
        bool change = method is not ("GET" or "HEAD");
        if (random.Next(10) == 0)
        {
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                request[random.Next(request.Length)] = (byte)random.Next(256);
            }

            // An octet of the body or of the path may make a body of a change into the next request.
            change = true;
        }

        return (random.Next(50) == 0 ? request[..random.Next(request.Length)] : request, change || body.Length > 0);
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];

    /// <summary>Sends raw octets on a connection of their own and reads the status of the answer.</summary>
    private sealed class Talk(int port)
    {
        private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

        private readonly byte[] _buffer = new byte[64];

        public async Task<int?> SendAsync(byte[] request)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            try
            {
                await socket.SendAsync(request);
                if (!socket.Poll(Patience, SelectMode.SelectRead))
                {
                    // It waits for more, which does not come.
                    socket.Shutdown(SocketShutdown.Send);
                }

                using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
                int length = 0;
                while (length < "HTTP/1.1 200".Length)
                {
                    int read = await socket.ReceiveAsync(_buffer.AsMemory(length), limit.Token);
                    if (read == 0)
                    {
                        return null;
                    }

                    length += read;
                }

                return int.Parse(Encoding.ASCII.GetString(_buffer, 9, 3), System.Globalization.CultureInfo.InvariantCulture);
            }
            catch (SocketException)
            {
                // Reset: the server ended it without an answer, which it may do with what is no HTTP.
                return null;
            }
        }
    }
}
