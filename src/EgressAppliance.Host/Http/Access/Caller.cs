using Microsoft.AspNetCore.Http;

namespace EgressAppliance.Host.Http.Access;

/// <summary>Who sent a request, as far as the endpoint knows.</summary>
/// <param name="Name">Account at the other end of the unix socket, name of the token, or <c>local</c>; empty for a remote caller without a valid token.</param>
/// <param name="Via"><c>socket</c>, <c>loopback</c> or the remote address.</param>
/// <param name="Scope">What it may do.</param>
public sealed record Caller(string Name, string Via, AccessScope Scope)
{
    /// <summary>The caller of a request that <see cref="AccessGuard"/> let through.</summary>
    /// <exception cref="InvalidOperationException">The guard did not see the request, which is a bug.</exception>
    public static Caller Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<Caller>() ?? throw new InvalidOperationException("No caller is known: the request came past the guard.");
    }
}
