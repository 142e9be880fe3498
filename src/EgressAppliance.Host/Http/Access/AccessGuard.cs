using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace EgressAppliance.Host.Http.Access;

/// <summary>
/// Decides who a caller is and whether the request may proceed.
/// </summary>
/// <remarks>
/// There are three ways in, and where a connection was accepted decides which it is, never what the request says:
/// <list type="bullet">
/// <item>The unix socket: whoever may open it may do everything. The account at its other end goes into the audit log.</item>
/// <item>Loopback: every account of this machine, and every web page in a browser on it. The machine is an appliance, so accounts may do everything;
/// foreign pages are kept out by the Host header, which must name this endpoint (DNS rebinding), and, for changes, by Origin and Sec-Fetch-Site.</item>
/// <item>Remote, with TLS: nothing without a token (RFC 6750, the header only), whose scope says whether it may change something. There are no cookies, so that a
/// foreign page has nothing to ride on.</item>
/// </list>
/// What changes something is told by the method alone: only GET and HEAD read. An endpoint that is added later is so protected before anybody thinks of it.
/// </remarks>
public sealed class AccessGuard(TokenStore? tokens) : IDisposable
{
    private const string Scheme = "Bearer ";
    private readonly PartitionedRateLimiter<IPAddress> _failures = RequestLimits.ForFailures();
    private long _refused;

    /// <summary>Requests since start whose token was not valid.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Whether a method only reads.</summary>
    public static bool IsRead(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    /// <summary>Whether the request came by the unix socket or by loopback.</summary>
    public static bool IsLocal(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<RemoteListener>() is null;
    }

    /// <summary>Notes the caller and returns null, or answers what the request is refused with.</summary>
    /// <param name="context">The request, its endpoint known.</param>
    public IResult? Check(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool local = IsLocal(context);
        Caller caller = local ? LocalCaller(context) : RemoteCaller(context);
        context.Features.Set(caller);
        bool read = IsRead(context.Request.Method);
        if (local && RequestGuard.Check(context) is { } rebound)
        {
            return Refuse(StatusCodes.Status403Forbidden, rebound);
        }

        if (!local && !read && RequestGuard.CheckOrigin(context.Request) is { } foreign)
        {
            return Refuse(StatusCodes.Status403Forbidden, foreign);
        }

        if (caller.Scope == AccessScope.None && !(read && context.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is not null))
        {
            return Unauthorized(context);
        }

        return caller.Scope == AccessScope.Read && !read
            ? Refuse(StatusCodes.Status403Forbidden, $"The token '{caller.Name}' may only read; this needs one with the scope operate.")
            : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _failures.Dispose();

    private static Caller LocalCaller(HttpContext context) => context.Connection.LocalIpAddress is null
        ? new Caller(PeerAccount.Of(context.Features.Get<IConnectionSocketFeature>()?.Socket), "socket", AccessScope.Operate)
        : new Caller("local", "loopback", AccessScope.Operate);

    private Caller RemoteCaller(HttpContext context)
    {
        string via = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        string header = context.Request.Headers.Authorization.ToString();
        AccessToken? token = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? tokens?.Find(header[Scheme.Length..].Trim()) : null;
        return token is null ? new Caller("", via, AccessScope.None) : new Caller(token.Name, via, token.Scope);
    }

    private IResult Unauthorized(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count == 0)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Refuse(StatusCodes.Status401Unauthorized, "This needs a token: the header Authorization: Bearer …");
        }

        Interlocked.Increment(ref _refused);
        using RateLimitLease lease = _failures.AttemptAcquire(context.Connection.RemoteIpAddress ?? IPAddress.None);
        if (!lease.IsAcquired)
        {
            context.Response.Headers.RetryAfter = RequestLimits.RetryAfter(lease);
            return Refuse(StatusCodes.Status429TooManyRequests, "Too many requests without a valid token; wait a little.");
        }

        context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
        return Refuse(StatusCodes.Status401Unauthorized, "The token is not valid: it is unknown, revoked or expired.");
    }

    private static IResult Refuse(int status, string detail) => Results.Problem(detail, statusCode: status);
}

/// <summary>Feature of connections that the remote listener accepted.</summary>
public sealed class RemoteListener;
