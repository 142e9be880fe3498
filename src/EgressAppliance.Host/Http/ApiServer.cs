using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The local HTTP endpoint: the web page, the JSON API under <c>/api/v1</c>, server-sent events, Prometheus metrics and health.
/// It listens on a loopback address and, for the command line, on a unix socket. Reads are answered from the immutable state that
/// the control loop publishes once a cycle, so that no request, however slow or frequent, holds up capture or steering.
/// Errors are problem documents (RFC 9457). <see cref="RequestGuard"/> keeps foreign web pages out.
/// </summary>
public sealed class ApiServer : IAsyncDisposable
{
    private const int MaxTop = 10_000;
    private const int MaxDecisions = 1_000;
    private readonly WebApplication _app;

    private ApiServer(WebApplication app, int port)
    {
        _app = app;
        Port = port;
    }

    /// <summary>The TCP port in use.</summary>
    public int Port { get; }

    /// <summary>Starts listening.</summary>
    /// <exception cref="IOException">An address is taken; the message names it.</exception>
    public static async Task<ApiServer> StartAsync(
        HttpConfig config, IApplianceApi appliance, ILoggerFactory loggers, CancellationToken cancellationToken, HistoryReader? history = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(appliance);
        builder.Services.AddProblemDetails();
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.PropertyNamingPolicy = ApiJson.Default.Options.PropertyNamingPolicy);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 512;
            kestrel.Listen(config.Listen);
            if (config.Socket.Length != 0)
            {
                // The service manager makes the folder of a service; started by hand it may not be there. A socket file that a killed
                // process left behind would make the bind fail.
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(config.Socket))!);
                File.Delete(config.Socket);
                kestrel.ListenUnixSocket(config.Socket);
            }
        });

        WebApplication app = builder.Build();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.Use(async (context, next) =>
        {
            RequestGuard.AddHeaders(context);
            if (RequestGuard.Check(context) is string refusal)
            {
                await Results.Problem(refusal, statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(context);
                return;
            }

            await next(context);
        });
        Map(app);
        HistoryEndpoints.Map(app, appliance, history);
        await app.StartAsync(cancellationToken);
        if (config.Socket.Length != 0)
        {
            // Read and write for the owner and group only: whoever reaches the socket can steer.
            File.SetUnixFileMode(
                config.Socket, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }

        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .First(a => a.StartsWith("http://", StringComparison.Ordinal) && !a.Contains("unix:", StringComparison.Ordinal));
        return new ApiServer(app, new Uri(address).Port);
    }

    private static void Map(WebApplication app)
    {
        RouteGroupBuilder api = app.MapGroup("/api/v1");
        api.MapGet("/status", (IApplianceApi a) => a.State.Status);
        api.MapGet("/capture", (IApplianceApi a) => a.State.Status.Capture);
        api.MapGet("/bgp", GetBgp);
        api.MapGet("/links", (IApplianceApi a) => a.State.Links);
        api.MapGet("/overrides", (IApplianceApi a) => a.State.Overrides);
        api.MapGet("/prefixes", GetPrefixes);
        api.MapGet("/decisions", GetDecisions);
        api.MapGet("/plan", (IApplianceApi a) => a.State.Decision is { } d ? Results.Ok(d) : Results.Problem(
            "No cycle of the decision maker has run yet.", statusCode: StatusCodes.Status404NotFound));
        api.MapGet("/cost", (IApplianceApi a) => a.GetCost());
        api.MapGet("/explain", Explain);
        api.MapGet("/bgp/rib", Rib);
        api.MapGet("/bgp/rib.mrt", RibDumpAsync);
        api.MapGet("/events", (IApplianceApi a, CancellationToken cancelled) =>
            TypedResults.ServerSentEvents(EventsAsync(a, cancelled)));
        api.MapPut("/mode", (ModeDto body, IApplianceApi a) => Answer(a.SetMode(body.Mode ?? ""), () => Results.Ok(new ModeDto(a.State.Status.Mode))));
        api.MapPost("/overrides", (OverrideRequestDto body, IApplianceApi a) =>
            Answer(a.AddOverride(body.Prefix ?? "", body.Link ?? ""), () => Results.NoContent()));
        api.MapDelete("/overrides", (string? prefix, IApplianceApi a) =>
            Answer(a.ReleaseOverride(prefix ?? ""), () => Results.NoContent()));
        api.MapPost("/withdraw-all", (IApplianceApi a) => new WithdrawAllDto(a.WithdrawAll()));
        api.MapPost("/bgp/{router}/refresh", (string router, IApplianceApi a) => Answer(a.RefreshRoutes(router), () => Results.NoContent()));

        app.MapGet("/metrics", MetricsAsync);
        app.MapGet("/healthz", () => Results.Text("ok\n"));
        app.MapGet("/readyz", (IApplianceApi a) => a.NotReady is string why
            ? Results.Text(why + "\n", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ready\n"));
        // The default pattern leaves out paths that look like files, which are what the page consists of.
        app.MapFallback("{*path}", UiFiles.ServeAsync);
    }

    private static IResult GetBgp(IApplianceApi a, string? router = null)
    {
        IReadOnlyList<BgpPeerDto> peers = a.State.Status.Bgp;
        IReadOnlyList<BgpPeerDto> asked = router is null ? peers : [.. peers.Where(p => p.Router == router)];
        return router is not null && asked.Count == 0
            ? Results.Problem(
                $"There is no router '{router}'. Routers: {string.Join(", ", peers.Select(p => p.Router))}.", statusCode: StatusCodes.Status404NotFound)
            : Results.Ok(asked);
    }

    private static IResult GetPrefixes(IApplianceApi a, int top = 50, string? link = null)
    {
        if (top is < 1 or > MaxTop)
        {
            return Results.Problem($"'top' is 1 to {MaxTop}.", statusCode: StatusCodes.Status400BadRequest);
        }

        return link is not null && !a.LinkNames.Contains(link)
            ? Results.Problem(
                $"There is no link '{link}'. Links: {string.Join(", ", a.LinkNames)}.", statusCode: StatusCodes.Status404NotFound)
            : Results.Ok(a.GetPrefixes(top, link));
    }

    private static IResult GetDecisions(IApplianceApi a, int limit = 50) => limit is < 1 or > MaxDecisions
        ? Results.Problem($"'limit' is 1 to {MaxDecisions}.", statusCode: StatusCodes.Status400BadRequest)
        : Results.Ok(a.GetDecisions(limit));

    private static IResult Explain(IApplianceApi a, string? prefix) => a.Explain(prefix ?? "") is { } answer
        ? Results.Ok(answer)
        : Results.Problem("'prefix' is an address or a prefix with its host bits zero.", statusCode: StatusCodes.Status400BadRequest);

    private static IResult Rib(IApplianceApi a, string? prefix) => a.GetRib(prefix ?? "") is { } answer
        ? Results.Ok(answer)
        : Results.Problem("'prefix' is an address or a prefix with its host bits zero.", statusCode: StatusCodes.Status400BadRequest);

    private static async Task RibDumpAsync(HttpContext context, IApplianceApi a)
    {
        context.Response.ContentType = "application/octet-stream";
        if (!await a.WriteRibAsync(context.Response.BodyWriter, context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "5";
            await Results.Problem(
                "Another dump of the table is being written.", statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(context);
        }
    }

    private static async Task MetricsAsync(HttpContext context, IApplianceApi a)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        using StringWriter text = new();
        a.WriteMetrics(text);
        await context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }

    private static IResult Answer(OperationResult result, Func<IResult> done) => result.Status switch
    {
        OperationStatus.Done => done(),
        OperationStatus.NotFound => Results.Problem(result.Detail, statusCode: StatusCodes.Status404NotFound),
        _ => Results.Problem(result.Detail, statusCode: StatusCodes.Status409Conflict),
    };

    private static async IAsyncEnumerable<SseItem<StateEventDto>> EventsAsync(
        IApplianceApi appliance, [EnumeratorCancellation] CancellationToken cancelled)
    {
        StateEventDto? seen = null;
        while (!cancelled.IsCancellationRequested)
        {
            // A reader slower than the cycle skips states rather than queueing them.
            seen = await appliance.NextStateAsync(seen, cancelled);
            yield return new SseItem<StateEventDto>(seen, "state");
        }
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
    }
}
