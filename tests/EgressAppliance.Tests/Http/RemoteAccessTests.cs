using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Http.Access;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Http;

public sealed class RemoteAccessTests : IAsyncLifetime, IDisposable
{
    private readonly TlsFiles _files = new();
    private readonly FakeAppliance _appliance = new();
    private readonly AuditLog _audit = FakeAppliance.AuditInMemory();
    private ApiServer _server = null!;
    private string _read = "";
    private string _operate = "";

    public async Task InitializeAsync()
    {
        _read = Token("grafana", AccessScope.Read, null);
        _operate = Token("alice", AccessScope.Operate, null);
        HttpConfig config = new()
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Socket = "",
            Remote = new RemoteHttpConfig
            {
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                CertificateFile = _files.Certificate,
                KeyFile = _files.Key,
                TokensFile = _files.Tokens,
            },
        };
        _server = await ApiServer.StartAsync(config, _appliance, _audit, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _audit.DisposeAsync();
    }

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Nothing_can_be_changed_without_a_token_or_with_one_that_may_only_read()
    {
        List<(string Method, string Path)> changes = [.. (await OperationsAsync()).Where(o => o.Method != "get")];
        Assert.True(changes.Count >= 6, "the API has fewer changes than it had");
        foreach ((string method, string path) in changes)
        {
            using HttpResponseMessage without = await SendAsync(method, path, null);
            Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (without.StatusCode, without.Headers.WwwAuthenticate.ToString()));
            Assert.Equal("application/problem+json", without.Content.Headers.ContentType?.MediaType);
            using HttpResponseMessage reader = await SendAsync(method, path, _read);
            Assert.Equal(HttpStatusCode.Forbidden, reader.StatusCode);
            Assert.Contains("'grafana' may only read", await reader.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Empty(_appliance.Changes);
        Assert.Empty(_audit.Latest(10));
    }

    [Fact]
    public async Task Nothing_can_be_read_without_a_token_but_the_page_and_the_description()
    {
        foreach ((_, string path) in (await OperationsAsync()).Where(o => o.Method == "get"))
        {
            using HttpResponseMessage without = await SendAsync("get", path, null);
            Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        }

        foreach ((string path, HttpStatusCode status) in new[]
        {
            ("/", HttpStatusCode.OK), ("/healthz", HttpStatusCode.OK), ("/openapi/v1.json", HttpStatusCode.OK), ("/metrics", HttpStatusCode.Unauthorized),
            ("/readyz", HttpStatusCode.Unauthorized), ("/api/v1/nothing", HttpStatusCode.NotFound),
        })
        {
            using HttpResponseMessage response = await SendAsync("get", path, null);
            Assert.Equal((path, status), (path, response.StatusCode));
        }
    }

    [Fact]
    public async Task Token_that_may_operate_changes_things_and_stands_in_the_audit_log()
    {
        using HttpResponseMessage response = await SendAsync("post", "/api/v1/withdraw-all", _operate);
        Assert.Equal("{\"withdrawn\":3}", await response.Content.ReadAsStringAsync());
        Assert.Equal(["withdraw-all"], _appliance.Changes);
        AuditEntryDto entry = Assert.Single(_audit.Latest(10));
        Assert.Equal(("alice", "127.0.0.1", "withdraw_all", "3 overrides", "done"), (entry.Who, entry.Via, entry.Action, entry.Detail, entry.Outcome));
    }

    [Fact]
    public async Task Token_that_may_read_reads()
    {
        foreach (string path in new[] { "/api/v1/status", "/api/v1/links", "/metrics", "/readyz" })
        {
            using HttpResponseMessage response = await SendAsync("get", path, _read);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.True(response.Headers.Contains("Strict-Transport-Security"));
        }
    }

    [Theory]
    [InlineData("egress_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("")]
    public async Task Token_that_is_none_is_refused_in_words(string secret)
    {
        using HttpResponseMessage response = await SendAsync("get", "/api/v1/status", secret);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains("invalid_token", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Contains("unknown, revoked or expired", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_elsewhere_than_in_the_header_is_none()
    {
        using HttpResponseMessage query = await SendAsync("get", "/api/v1/status?access_token=" + _operate, null);
        Assert.Equal(HttpStatusCode.Unauthorized, query.StatusCode);
        using HttpRequestMessage request = new(HttpMethod.Get, "/api/v1/status");
        request.Headers.Add("Cookie", "token=" + _operate);
        using HttpClient client = Client();
        using HttpResponseMessage cookie = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, cookie.StatusCode);
    }

    [Fact]
    public async Task Token_that_has_expired_is_refused()
    {
        string old = Token("bob", AccessScope.Operate, DateOnly.FromDateTime(DateTime.UtcNow));
        string valid = Token("carol", AccessScope.Read, DateOnly.FromDateTime(DateTime.UtcNow.AddDays(2)));
        await Task.Delay(TimeSpan.FromSeconds(1.2));
        using HttpResponseMessage refused = await SendAsync("get", "/api/v1/status", old);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using HttpResponseMessage read = await SendAsync("get", "/api/v1/status", valid);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    [Fact]
    public async Task Guessing_is_slowed_down_and_a_valid_token_is_not()
    {
        HttpStatusCode last = HttpStatusCode.OK;
        for (int i = 0; i <= RequestLimits.FailureBurst + 5 && last != HttpStatusCode.TooManyRequests; i++)
        {
            using HttpResponseMessage response = await SendAsync("get", "/api/v1/status", "egress_" + i);
            last = response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
        using HttpResponseMessage valid = await SendAsync("get", "/api/v1/status", _read);
        Assert.Equal(HttpStatusCode.OK, valid.StatusCode);
    }

    [Fact]
    public async Task Changes_are_limited_but_for_the_red_button()
    {
        using HttpClient client = Client(_operate);
        HttpResponseMessage? limited = null;
        for (int i = 0; i < 20 * RequestLimits.ChangeBurst && limited is null; i++)
        {
            HttpResponseMessage response = await client.PutAsJsonAsync("/api/v1/mode", new { mode = "observe" });
            limited = response.StatusCode == HttpStatusCode.TooManyRequests ? response : null;
        }

        Assert.NotNull(limited);
        Assert.NotNull(limited.Headers.RetryAfter);
        Assert.Equal("application/problem+json", limited.Content.Headers.ContentType?.MediaType);
        for (int i = 0; i < 2 * RequestLimits.ChangeBurst; i++)
        {
            using HttpResponseMessage button = await client.PostAsync("/api/v1/withdraw-all", null);
            Assert.Equal(HttpStatusCode.OK, button.StatusCode);
        }
    }

    [Fact]
    public async Task Change_from_a_foreign_page_is_refused_whatever_the_token()
    {
        using HttpClient client = Client(_operate);
        client.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        using HttpResponseMessage response = await client.PostAsync("/api/v1/withdraw-all", null);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Empty(_appliance.Changes);
    }

    [Fact]
    public async Task Local_port_asks_for_no_token_and_the_remote_one_speaks_tls_only()
    {
        using HttpClient local = new();
        Assert.Contains("fra1", await local.GetStringAsync($"http://127.0.0.1:{_server.Port}/api/v1/status"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => local.GetStringAsync($"http://127.0.0.1:{_server.RemotePort}/api/v1/status"));
    }

    private string Token(string name, AccessScope scope, DateOnly? expires)
    {
        (AccessToken token, string secret) = AccessToken.Create(name, scope, expires);
        TokenFile.Append(_files.Tokens, token);
        return secret;
    }

    private async Task<List<(string Method, string Path)>> OperationsAsync()
    {
        using HttpClient client = Client();
        using JsonDocument api = JsonDocument.Parse(await client.GetStringAsync("/openapi/v1.json"));
        return
        [
            .. api.RootElement.GetProperty("paths").EnumerateObject().SelectMany(
                p => p.Value.EnumerateObject().Select(o => (o.Name, p.Name.Replace("{router}", "edge1", StringComparison.Ordinal)))),
        ];
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string? token)
    {
        using HttpClient client = Client(token);
        using HttpRequestMessage request = new(new HttpMethod(method.ToUpperInvariant()), path);
        if (method is "put" or "post")
        {
            request.Content = JsonContent.Create(new { mode = "inject", prefix = "192.0.2.0/24", link = "isp-a" });
        }

        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private HttpClient Client(string? token = null)
    {
        X509ChainPolicy trusted = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trusted.CustomTrustStore.ImportFromPemFile(_files.Certificate);
#pragma warning disable CA2000 // The client disposes of the handler.
        HttpClient client = new(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trusted }, UseCookies = false })
#pragma warning restore CA2000
        {
            BaseAddress = new Uri($"https://127.0.0.1:{_server.RemotePort}"),
        };
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
