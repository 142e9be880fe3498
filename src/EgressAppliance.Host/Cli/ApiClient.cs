using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>A request to the appliance failed; the message is meant for the operator.</summary>
public sealed class ApiException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public ApiException()
    {
    }

    /// <summary>Makes one.</summary>
    public ApiException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public ApiException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// Talks to a running appliance: by its unix socket, whose file permissions decide who may, or by HTTP on loopback. Where neither is named,
/// the default socket is tried and then the default address.
/// </summary>
public sealed class ApiClient : IDisposable
{
    /// <summary>Socket of an appliance with the default configuration.</summary>
    public const string DefaultSocket = "/run/egress-appliance/api.sock";

    /// <summary>Address of an appliance with the default configuration.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>Reads the documents strictly: an answer that lacks what a view needs is refused as a whole rather than shown in part.</summary>
    public static ApiJson Json { get; } = new(new JsonSerializerOptions(ApiJson.Default.Options)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    // A thousand prefixes or decisions take well under a megabyte.
    private const long MaximumAnswer = 64 << 20;

    private readonly HttpClient _http;
    private readonly string _endpoint;

    /// <summary>Makes a client; nothing is sent yet.</summary>
    /// <param name="socket">Unix socket, or null.</param>
    /// <param name="url">Base address, or null. Takes precedence over the socket.</param>
    /// <param name="token">Token of a remote endpoint, or null.</param>
    /// <param name="caFile">PEM file with the certificates to trust, or null for the system's.</param>
    /// <exception cref="ApiException">The file with certificates cannot be used.</exception>
    public ApiClient(string? socket, Uri? url, string? token = null, string? caFile = null)
    {
        SocketsHttpHandler handler = new() { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) };
        if (url is null)
        {
            bool byDefault = socket is null;
            string path = socket ?? DefaultSocket;
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(path, byDefault, cancellationToken);
            _endpoint = byDefault ? $"{path} or {DefaultUrl}" : path;
        }
        else
        {
            _endpoint = url.ToString().TrimEnd('/');
            if (caFile is not null)
            {
                handler.SslOptions.CertificateChainPolicy = Trusting(caFile);
            }
        }

        _http = new HttpClient(handler)
        {
            BaseAddress = new Uri((url?.ToString() ?? "http://localhost").TrimEnd('/') + "/api/v1/"),
            Timeout = Timeout,
            MaxResponseContentBufferSize = MaximumAnswer,
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/problem+json"));
        if (token is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <summary>Reads a document as the JSON text that the appliance sent.</summary>
    /// <param name="path">Path below <c>/api/v1/</c>, query included and escaped.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ApiException">No answer, or an error.</exception>
    public Task<string> GetTextAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <summary>Reads a document.</summary>
    /// <exception cref="ApiException">No answer, an error, or something else than the document.</exception>
    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        Parse(await GetTextAsync(path, cancellationToken), type);

    /// <summary>Copies a document of any length that is not JSON. What was copied is whole unless this throws.</summary>
    /// <exception cref="ApiException">No answer, or an error.</exception>
    public async Task DownloadAsync(string path, Stream destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/octet-stream"));
        await AnsweredAsync(
            async () =>
            {
                using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                if (!response.IsSuccessStatusCode)
                {
                    throw new ApiException(Problem(response, await response.Content.ReadAsStringAsync(cancellationToken)));
                }

                await using Stream content = await response.Content.ReadAsStreamAsync(cancellationToken);
                await content.CopyToAsync(destination, cancellationToken);
                return 0;
            },
            cancellationToken);
    }

    /// <summary>Sets the mode and returns it.</summary>
    public async Task<ModeDto> SetModeAsync(string mode, CancellationToken cancellationToken) => Parse(
        await SendAsync(HttpMethod.Put, "mode", JsonContent.Create(new ModeDto(mode), ApiJson.Default.ModeDto), cancellationToken),
        Json.ModeDto);

    /// <summary>Makes an override.</summary>
    public Task AddOverrideAsync(string prefix, string link, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, "overrides", JsonContent.Create(new OverrideRequestDto(prefix, link), ApiJson.Default.OverrideRequestDto), cancellationToken);

    /// <summary>Withdraws an override.</summary>
    public Task ReleaseOverrideAsync(string prefix, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, "overrides?prefix=" + Uri.EscapeDataString(prefix), null, cancellationToken);

    /// <summary>Withdraws all overrides.</summary>
    public async Task<WithdrawAllDto> WithdrawAllAsync(CancellationToken cancellationToken) =>
        Parse(await SendAsync(HttpMethod.Post, "withdraw-all", null, cancellationToken), Json.WithdrawAllDto);

    /// <summary>Asks a router for its routes anew.</summary>
    public Task RefreshRoutesAsync(string router, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"bgp/{Uri.EscapeDataString(router)}/refresh", null, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static T Parse<T>(string text, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(text, type) ?? throw new ApiException("The appliance sent an empty answer.");
        }
        catch (JsonException e)
        {
            throw new ApiException("The appliance sent an answer that this version of the command does not understand: " + e.Message, e);
        }
    }

    private static async ValueTask<Stream> ConnectAsync(string path, bool thenDefaultUrl, CancellationToken cancellationToken)
    {
        Socket unix = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await unix.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(unix, ownsSocket: true);
        }
        catch (SocketException) when (thenDefaultUrl)
        {
            unix.Dispose();
        }
        catch
        {
            unix.Dispose();
            throw;
        }

        Uri fallback = new(DefaultUrl);
        Socket tcp = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await tcp.ConnectAsync(fallback.Host, fallback.Port, cancellationToken);
            return new NetworkStream(tcp, ownsSocket: true);
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    private static X509ChainPolicy Trusting(string caFile)
    {
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(caFile);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ApiException($"--ca-file: {caFile} cannot be used: {e.Message}", e);
        }

        return policy.CustomTrustStore.Count > 0 ? policy : throw new ApiException($"--ca-file: there is no certificate in {caFile}.");
    }

    private async Task<string> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        return await AnsweredAsync(
            async () =>
            {
                using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);
                string text = await response.Content.ReadAsStringAsync(cancellationToken);
                return response.IsSuccessStatusCode ? text : throw new ApiException(Problem(response, text));
            },
            cancellationToken);
    }

    /// <summary>Sends, and says in the operator's words what came in between.</summary>
    private async Task<T> AnsweredAsync<T>(Func<Task<T>> send, CancellationToken cancellationToken)
    {
        try
        {
            return await send();
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied })
        {
            throw new ApiException($"No permission to use {_endpoint}. Run the command as root or as a member of the socket's group.", e);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw new ApiException(
                $"The certificate of {_endpoint} is not trusted: {e.InnerException.Message} Give the one that issued it with --ca-file.", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            throw new ApiException(
                $"The appliance is not running: nothing answers at {_endpoint}. Start it with `egress-appliance run`, or name it with --socket or --url.", e);
        }
        catch (HttpRequestException e)
        {
            throw new ApiException($"{_endpoint} does not answer as the appliance does: {e.Message}", e);
        }
        catch (HttpIOException e)
        {
            throw new ApiException($"The answer of {_endpoint} ended before it was whole: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"The appliance at {_endpoint} did not answer within {Timeout.TotalSeconds} s.", e);
        }
    }

    // RFC 9457: title says what kind of problem it is, detail what it is this time.
    private static string Problem(HttpResponseMessage response, string text)
    {
        string fallback = $"The appliance refused: {(int)response.StatusCode} {response.ReasonPhrase}.";
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            string? title = Member(document.RootElement, "title");
            string? detail = Member(document.RootElement, "detail");
            return (title, detail) switch
            {
                (null, null) => fallback,
                (_, null) => title,
                (null, _) => detail,
                _ => $"{title}: {detail}",
            };
        }
        catch (JsonException)
        {
            // Not from the appliance but from something in between, or an older version: the status line says all there is.
            return fallback;
        }
    }

    private static string? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
