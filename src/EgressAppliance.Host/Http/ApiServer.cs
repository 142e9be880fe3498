using System.IO.Compression;
using System.Threading.RateLimiting;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http.Access;
using EgressAppliance.Host.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The HTTP endpoint: the web page, the JSON API under <c>/api/v1</c>, server-sent events, Prometheus metrics and health.
/// It listens on a loopback address, for the command line on a unix socket, and, where it is configured, with TLS for callers with a token. Reads are answered from the
/// immutable state that the control loop publishes once a cycle, so that no request, however slow or frequent, holds up capture or steering.
/// Errors are problem documents (RFC 9457). <see cref="AccessGuard"/> decides who may do what.
/// </summary>
/// <remarks>
/// <code>
/// connection ─► headers ─► routing ─► AccessGuard ─► RequestLimits ─► ReadEndpoints ──► StateDocuments
///                                                                  ├► ChangeEndpoints ─► AuditLog
///                                                                  └► page, /metrics, /healthz, /readyz, /openapi/v1.json
/// </code>
/// </remarks>
public sealed class ApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly AccessGuard _guard;
    private readonly FrameworkMetrics _framework;

    private ApiServer(WebApplication app, AccessGuard guard, FrameworkMetrics framework)
    {
        _app = app;
        _guard = guard;
        _framework = framework;
    }

    /// <summary>The TCP port of the local endpoint.</summary>
    public int Port { get; private init; }

    /// <summary>The TCP port of the remote endpoint, or null if there is none.</summary>
    public int? RemotePort { get; private init; }

    /// <summary>Starts listening.</summary>
    /// <param name="config">Addresses, and what remote access needs.</param>
    /// <param name="appliance">What is looked at and changed.</param>
    /// <param name="audit">Told of each request that changes something.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="history">What is read of the past; null where no history is kept.</param>
    /// <exception cref="IOException">An address is taken, or the certificate cannot be used; the message names it.</exception>
    public static async Task<ApiServer> StartAsync(
        HttpConfig config, IApplianceApi appliance, AuditLog audit, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken, HistoryReader? history = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ILogger<ApiServer> logger = loggers.CreateLogger<ApiServer>();
        TokenStore? tokens = config.Remote is null ? null : new TokenStore(config.Remote.TokensFile, time, p => HttpLog.Tokens(logger, config.Remote.TokensFile, p));
        RemoteCertificate? certificate = config.Remote is null
            ? null : new RemoteCertificate(config.Remote.CertificateFile, config.Remote.KeyFile, time, p => HttpLog.Certificate(logger, p));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(appliance);
        builder.Services.AddProblemDetails();
        builder.Services.AddResponseCompression(o =>
        {
            // Nothing that is secret is in an answer beside what a caller chooses, which is what makes compression within TLS unsafe elsewhere.
            o.EnableForHttps = true;
            o.Providers.Add<GzipCompressionProvider>();
            // The page has its files compressed already.
            o.MimeTypes = ["application/json", "text/plain"];
        });
        builder.Services.Configure<GzipCompressionProviderOptions>(o => o.Level = CompressionLevel.Fastest);
        builder.Services.AddRateLimiter(o =>
        {
            o.GlobalLimiter = RequestLimits.ForCallers();
            o.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            o.OnRejected = (rejected, _) =>
            {
                rejected.HttpContext.Response.Headers.RetryAfter = RequestLimits.RetryAfter(rejected.Lease);
                return new ValueTask(Results.Problem(
                    "Too many requests; Retry-After says when to come again.", statusCode: StatusCodes.Status429TooManyRequests).ExecuteAsync(rejected.HttpContext));
            };
        });
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.PropertyNamingPolicy = ApiJson.Default.Options.PropertyNamingPolicy);
        OpenApiDescription.Add(builder.Services);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, config, certificate));

        WebApplication app = builder.Build();
        AccessGuard guard = new(tokens);
        FrameworkMetrics framework = new();
        Assemble(app, guard, appliance, audit, history, framework, time);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            guard.Dispose();
            framework.Dispose();
            throw;
        }

        if (config.Socket.Length != 0)
        {
            // Read and write for the owner and group only: whoever reaches the socket can steer.
            File.SetUnixFileMode(
                config.Socket, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }

        ICollection<string> addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new ApiServer(app, guard, framework)
        {
            Port = new Uri(addresses.First(a => a.StartsWith("http://", StringComparison.Ordinal) && !a.Contains("unix:", StringComparison.Ordinal))).Port,
            RemotePort = addresses.FirstOrDefault(a => a.StartsWith("https://", StringComparison.Ordinal)) is { } remote ? new Uri(remote).Port : null,
        };
    }

    private static void Listen(KestrelServerOptions kestrel, HttpConfig config, RemoteCertificate? certificate)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 64 * 1024;
        kestrel.Limits.MaxConcurrentConnections = 512;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Listen(config.Listen);
        if (config.Socket.Length != 0)
        {
            // The service manager makes the folder of a service; started by hand it may not be there. A socket file that a killed
            // process left behind would make the bind fail.
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(config.Socket))!);
            File.Delete(config.Socket);
            kestrel.ListenUnixSocket(config.Socket);
        }

        if (config.Remote is not null && certificate is not null)
        {
            kestrel.Listen(config.Remote.Listen, listen =>
            {
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Current()) });
                listen.Use(next => connection =>
                {
                    connection.Features.Set(new RemoteListener());
                    return next(connection);
                });
            });
        }
    }

    private static void Assemble(WebApplication app, AccessGuard guard, IApplianceApi appliance, AuditLog audit, HistoryReader? history, FrameworkMetrics framework, TimeProvider time)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseResponseCompression();
        app.UseRouting();
        app.Use(async (context, next) =>
        {
            RequestGuard.AddHeaders(context);
            if (guard.Check(context) is { } refusal)
            {
                await refusal.ExecuteAsync(context);
                return;
            }

            await next(context);
        });
        app.UseRateLimiter();

        RouteGroupBuilder api = app.MapGroup("/api/v1").WithTags("v1").ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden);
        ReadEndpoints reads = new(appliance, audit);
        reads.Map(api);
        new ChangeEndpoints(appliance, audit).Map(api);
        HistoryEndpoints.Map(api, appliance, history);
        MetricsPage metrics = new(appliance, text =>
        {
            appliance.WriteMetrics(text);
            HttpMetrics.Write(text, guard.Refused, audit, reads.OpenStreams);
            framework.Write(text);
        }, time);
        app.MapGet("/metrics", metrics.GetAsync).ExcludeFromDescription();
        app.MapGet("/healthz", () => Results.Text("ok\n")).ExcludeFromDescription().WithMetadata(new OpenToAll());
        app.MapGet("/readyz", () => appliance.NotReady is string why
            ? Results.Text(why + "\n", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ready\n")).ExcludeFromDescription();
        app.MapOpenApi("/openapi/{documentName}.json").WithMetadata(new OpenToAll());

        // The default pattern leaves out paths that look like files, which are what the page consists of.
        app.MapFallback("{*path}", UiFiles.ServeAsync).WithMetadata(new OpenToAll());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Event streams never end by themselves; do not wait for them.
        using CancellationTokenSource soon = new(TimeSpan.FromSeconds(1));
        try
        {
            await _app.StopAsync(soon.Token);
        }
        catch (OperationCanceledException)
        {
            // Streams were still open: their connections are aborted, which is what stopping means for them.
        }

        await _app.DisposeAsync();
        _guard.Dispose();
        _framework.Dispose();
    }
}
