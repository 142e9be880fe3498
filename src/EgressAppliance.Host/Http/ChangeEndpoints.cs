using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http.Access;
using EgressAppliance.Host.Steering;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace EgressAppliance.Host.Http;

/// <summary>The endpoints under <c>/api/v1</c> that change something. Each request goes into the audit log, done or refused.</summary>
internal sealed class ChangeEndpoints(IApplianceApi appliance, AuditLog audit)
{
    /// <summary>Adds them.</summary>
    public void Map(RouteGroupBuilder api)
    {
        Described(api.MapPut("/mode", ModeAsync), "Sets the mode: observe or inject.").Produces<ModeDto>();
        Described(api.MapPost("/overrides", Add), "Sends a prefix by a link of the operator's choice.").Produces(StatusCodes.Status204NoContent);
        Described(api.MapDelete("/overrides", Release), "Gives a prefix back to plain BGP.").Produces(StatusCodes.Status204NoContent);
        Described(api.MapPost("/withdraw-all", (Delegate)WithdrawAllAsync), "The red button: withdraws every override in one step and goes to observe. A controller that does not lead tells the one that does (202). Never limited.")
            .Produces<WithdrawAllDto>().Produces<WithdrawAllDto>(StatusCodes.Status202Accepted).WithMetadata(new NeverLimited());
        Described(api.MapPost("/bgp/{router}/refresh", Refresh), "Asks a router to send all its routes anew (RFC 2918).").Produces(StatusCodes.Status204NoContent);

        // Changes nothing, but tells which files there are on the machine: not for a token that may only read.
        api.MapPost("/config/check", (Delegate)CheckAsync).WithSummary("Checks the text of a configuration, as `egress-appliance check` does.")
            .Accepts<string>("application/yaml", "text/plain").Produces<ConfigCheckDto>().ProducesProblem(StatusCodes.Status400BadRequest)
            .WithMetadata(new RequestSizeLimitAttribute(1 << 20));
    }

    private static RouteHandlerBuilder Described(RouteHandlerBuilder endpoint, string summary) => endpoint.WithSummary(summary)
        .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status429TooManyRequests);

    private async Task<IResult> ModeAsync(HttpContext context, ModeDto body) => Carry(
        context, "mode", body.Mode ?? "", await appliance.SetModeAsync(body.Mode ?? "", context.RequestAborted), () => Results.Ok(new ModeDto(appliance.State.Status.Mode)));

    private IResult Add(HttpContext context, OverrideRequestDto body) => Carry(
        context, "override_add", $"{body.Prefix} {body.Link}", appliance.AddOverride(body.Prefix ?? "", body.Link ?? ""), () => Results.NoContent());

    private IResult Release(HttpContext context, string? prefix) => Carry(
        context, "override_release", prefix ?? "", appliance.ReleaseOverride(prefix ?? ""), () => Results.NoContent());

    private IResult Refresh(HttpContext context, string router) => Carry(
        context, "bgp_refresh", router, appliance.RefreshRoutes(router), () => Results.NoContent());

    private async Task<IResult> WithdrawAllAsync(HttpContext context)
    {
        StopNotice notice = await appliance.StopAsync(context.RequestAborted);
        WithdrawAllDto answer = new(notice.Withdrawn, notice.Detail.Length > 0 ? notice.Detail : null);
        OperationResult result = notice.Reach == StopReach.Nowhere ? new OperationResult(OperationStatus.Refused, notice.Detail) : OperationResult.Done;
        string detail = notice.Reach == StopReach.Here ? $"{notice.Withdrawn} overrides" : notice.Detail;
        return Carry(context, "withdraw_all", detail, result, () => notice.Reach == StopReach.Here ? Results.Ok(answer) : Results.Json(answer, statusCode: StatusCodes.Status202Accepted));
    }

    private static async Task<IResult> CheckAsync(HttpContext context)
    {
        using StreamReader reader = new(context.Request.Body);
        ConfigResult result = ConfigLoader.Check(await reader.ReadToEndAsync(context.RequestAborted));
        return Results.Ok(new ConfigCheckDto(
            result.Config is not null,
            [
                .. result.Errors.Select(e => new ConfigDiagnosticDto("error", e.Line, e.Column, e.Message, e.Remedy))
                    .Concat(result.Warnings.Select(w => new ConfigDiagnosticDto("warning", w.Line, w.Column, w.Message, w.Remedy)))
                    .OrderBy(d => d.Line).ThenBy(d => d.Column),
            ]));
    }

    private IResult Carry(HttpContext context, string action, string detail, OperationResult result, Func<IResult> done)
    {
        Caller caller = Caller.Of(context);
        audit.Add(caller.Name, caller.Via, action, detail, result.Status == OperationStatus.Done ? "done" : "refused: " + result.Detail);
        return result.Status switch
        {
            OperationStatus.Done => done(),
            OperationStatus.NotFound => Results.Problem(result.Detail, statusCode: StatusCodes.Status404NotFound),
            _ => Results.Problem(result.Detail, statusCode: StatusCodes.Status409Conflict),
        };
    }
}
