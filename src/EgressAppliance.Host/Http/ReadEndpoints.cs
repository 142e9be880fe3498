using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using EgressAppliance.Host.Http.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EgressAppliance.Host.Http;

/// <summary>The endpoints under <c>/api/v1</c> that look at the appliance.</summary>
internal sealed class ReadEndpoints
{
    /// <summary>Most prefixes of an answer, and most rows of the matrix.</summary>
    public const int MaxTop = 10_000, MaxRows = 2_000;

    /// <summary>Most decisions, and most entries of the audit log, of an answer.</summary>
    public const int MaxLimit = 1_000;

    private readonly StateDocuments _documents;
    private readonly EventStream _events;

    private readonly IApplianceApi _appliance;
    private readonly AuditLog _audit;

    /// <summary>Endpoints of an appliance.</summary>
    public ReadEndpoints(IApplianceApi appliance, AuditLog audit)
    {
        _appliance = appliance;
        _audit = audit;
        _documents = new StateDocuments();
        _events = new EventStream(appliance, _documents);
    }

    /// <summary>Event streams that are open.</summary>
    public int OpenStreams => _events.Open;

    /// <summary>Adds them.</summary>
    public void Map(RouteGroupBuilder api)
    {
        ApiJson json = ApiJson.Default;
        Of(api, "/status", "Mode, verdict, health and inputs.", s => s.Status, json.StatusDto);
        Of(api, "/capture", "Where every frame ended, and what to do about loss.", s => s.Status.Capture, json.CaptureDto);
        Of(api, "/links", "Load and limits of every link.", s => s.Links, json.IReadOnlyListLinkDto);
        Of(api, "/overrides", "What is announced, or in observe mode proposed, and why.", s => s.Overrides, json.IReadOnlyListOverrideDto);
        Get<DecisionDto>(api, "/plan", "The plan of the latest cycle.", Plan).ProducesProblem(StatusCodes.Status404NotFound);
        Get<IReadOnlyList<BgpPeerDto>>(api, "/bgp", "The sessions with the routers, or with one of them.", Bgp).ProducesProblem(StatusCodes.Status404NotFound);
        Get<IReadOnlyList<PrefixDto>>(api, "/prefixes", "The largest prefixes by rate; the header Link has the address of the next page.", PrefixesAsync)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        Get<MatrixDto>(api, "/matrix", "By which links the largest prefixes go and could go.", MatrixAsync).ProducesProblem(StatusCodes.Status400BadRequest);
        Get<IReadOnlyList<DecisionDto>>(api, "/decisions", "The latest cycles, newest first; the header Link has the address of the next page.", DecisionsAsync)
            .ProducesProblem(StatusCodes.Status400BadRequest);
        Get<CostDto>(api, "/cost", "The billing months, and what cost mode makes of them.", () => Document.Of(_appliance.GetCost(), json.CostDto));
        Get<ClusterDto>(api, "/cluster", "The boxes of the site: who leads, who is heard.", () => Document.Of(_appliance.GetCluster(), json.ClusterDto));
        Get<ExplainDto>(api, "/explain", "Why a prefix goes where it goes.", Explain).ProducesProblem(StatusCodes.Status400BadRequest);
        Get<RibDto>(api, "/bgp/rib", "All paths of a prefix, and why each but the best is not.", Rib).ProducesProblem(StatusCodes.Status400BadRequest);
        Get<ConfigDto>(api, "/config", "The configuration in force, without secrets.", () => Document.Of(_appliance.Config, json.ConfigDto));
        Get<IReadOnlyList<AuditEntryDto>>(api, "/audit", "Who changed what, newest first.", Audit).ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/bgp/rib.mrt", (Delegate)RibDumpAsync).WithSummary("The routers' tables as MRT (TABLE_DUMP_V2).").Produces(StatusCodes.Status200OK, null, "application/octet-stream")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/events", (Delegate)_events.ServeAsync).WithSummary("Server-sent events: the event `state` once a cycle.")
            .Produces<StateEventDto>(StatusCodes.Status200OK, "text/event-stream").ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private void Of<T>(RouteGroupBuilder api, string path, string summary, Func<StateEventDto, T> part, JsonTypeInfo<T> type) =>
        Get<T>(api, path, summary, () =>
        {
            StateEventDto state = _appliance.State;
            return _documents.GetAsync(state, path, () => Document.Of(part(state), type));
        });

    private static RouteHandlerBuilder Get<T>(RouteGroupBuilder api, string path, string summary, Delegate handler) =>
        api.MapGet(path, handler).WithSummary(summary).Produces<T>().Produces(StatusCodes.Status304NotModified);

    private IResult Plan() => _appliance.State.Decision is { } decision
        ? Document.Of(decision, ApiJson.Default.DecisionDto)
        : NotFound("No cycle of the decision maker has run yet.");

    private IResult Bgp(string? router = null)
    {
        StateEventDto state = _appliance.State;
        IReadOnlyList<BgpPeerDto> peers = state.Status.Bgp;
        IReadOnlyList<BgpPeerDto> asked = router is null ? peers : [.. peers.Where(p => p.Router == router)];
        return router is not null && asked.Count == 0
            ? NotFound($"There is no router '{router}'. Routers: {string.Join(", ", peers.Select(p => p.Router))}.")
            : Document.Of(asked, ApiJson.Default.IReadOnlyListBgpPeerDto);
    }

    private async Task<IResult> PrefixesAsync(int top = 50, string? link = null, uint? @as = null, string? q = null, string? cursor = null)
    {
        if (top is < 1 or > MaxTop)
        {
            return BadRequest($"'top' is 1 to {MaxTop}.");
        }

        if (link is not null && !_appliance.LinkNames.Contains(link))
        {
            return NotFound($"There is no link '{link}'. Links: {string.Join(", ", _appliance.LinkNames)}.");
        }

        PrefixCursor? after = null;
        if (cursor is not null && (after = PrefixCursor.Parse(cursor)) is null)
        {
            return BadRequest("'cursor' is not one that this API gave; begin without it.");
        }

        PrefixQuery query = new(top, link, @as, string.IsNullOrWhiteSpace(q) ? null : q.Trim(), after);
        return await _documents.GetAsync(_appliance.State, query.ToString(), () =>
        {
            PrefixPage page = _appliance.GetPrefixes(query);
            string next = !page.More ? "" : Address(
                "prefixes", ("top", top.ToString(CultureInfo.InvariantCulture)), ("link", link), ("as", @as?.ToString(CultureInfo.InvariantCulture)),
                ("q", query.Text), ("cursor", new PrefixCursor(page.Prefixes[^1].RateBps, page.Prefixes[^1].Prefix).ToString()));
            return Document.Of(page.Prefixes, ApiJson.Default.IReadOnlyListPrefixDto, next);
        });
    }

    private async Task<IResult> MatrixAsync(int top = 100) => top is < 1 or > MaxRows
        ? BadRequest($"'top' is 1 to {MaxRows}.")
        : await _documents.GetAsync(
            _appliance.State, string.Create(CultureInfo.InvariantCulture, $"matrix {top}"), () => Document.Of(_appliance.GetMatrix(top), ApiJson.Default.MatrixDto));

    private async Task<IResult> DecisionsAsync(int limit = 50, long? cursor = null)
    {
        if (limit is < 1 or > MaxLimit)
        {
            return BadRequest($"'limit' is 1 to {MaxLimit}.");
        }

        return await _documents.GetAsync(_appliance.State, string.Create(CultureInfo.InvariantCulture, $"decisions {limit} {cursor}"), () =>
        {
            IReadOnlyList<DecisionDto> found = _appliance.GetDecisions(limit + 1, cursor);
            IReadOnlyList<DecisionDto> page = [.. found.Take(limit)];
            string next = found.Count <= limit ? "" : Address(
                "decisions", ("limit", limit.ToString(CultureInfo.InvariantCulture)), ("cursor", page[^1].Id.ToString(CultureInfo.InvariantCulture)));
            return Document.Of(page, ApiJson.Default.IReadOnlyListDecisionDto, next);
        });
    }

    private IResult Explain(string? prefix) => _appliance.Explain(prefix ?? "") is { } answer
        ? Document.Of(answer, ApiJson.Default.ExplainDto)
        : BadRequest("'prefix' is an address or a prefix with its host bits zero.");

    private IResult Rib(string? prefix) => _appliance.GetRib(prefix ?? "") is { } answer
        ? Document.Of(answer, ApiJson.Default.RibDto)
        : BadRequest("'prefix' is an address or a prefix with its host bits zero.");

    private IResult Audit(int limit = 100) => limit is < 1 or > MaxLimit
        ? BadRequest($"'limit' is 1 to {MaxLimit}.")
        : Document.Of(_audit.Latest(limit), ApiJson.Default.IReadOnlyListAuditEntryDto);

    private async Task RibDumpAsync(HttpContext context)
    {
        context.Response.ContentType = "application/octet-stream";
        if (!await _appliance.WriteRibAsync(context.Response.BodyWriter, context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "5";
            await Results.Problem(
                "Another dump of the table is being written.", statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(context);
        }
    }

    private static string Address(string path, params (string Name, string? Value)[] query) =>
        $"/api/v1/{path}?{string.Join('&', query.Where(p => p.Value is not null).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"))}";

    private static IResult BadRequest(string detail) => Results.Problem(detail, statusCode: StatusCodes.Status400BadRequest);

    private static IResult NotFound(string detail) => Results.Problem(detail, statusCode: StatusCodes.Status404NotFound);
}
