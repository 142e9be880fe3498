using System.Net;
using Microsoft.AspNetCore.Http;

namespace EgressAppliance.Host.Http;

/// <summary>
/// Keeps web pages of other origins away from the local endpoint. It has no password because only this machine reaches it, but a
/// browser on this machine does too: a foreign page could post to it, or reach it by a name of its own that resolves to loopback
/// (DNS rebinding). So the Host header must name this endpoint, and a request that changes something must come from its own page or from no page.
/// </summary>
public static class RequestGuard
{
    /// <summary>The content security policy of the embedded page: nothing from elsewhere.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    /// <summary>Null if the request may proceed; else why not.</summary>
    public static string? Check(HttpContext context)
    {
        HttpRequest request = context.Request;
        bool unixSocket = context.Connection.LocalIpAddress is null;
        if (!unixSocket && !IsOwnHost(request.Host.Host, context.Connection.LocalIpAddress))
        {
            return $"The Host header '{request.Host.Host}' does not name this endpoint.";
        }

        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return null;
        }

        return CheckOrigin(request);
    }

    /// <summary>Null if a request that changes something comes from the own page or from no page; else why it is refused.</summary>
    public static string? CheckOrigin(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string origin = request.Headers.Origin.ToString();
        if (origin.Length != 0 && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            return $"Requests from the origin '{origin}' are not taken.";
        }

        string site = request.Headers["Sec-Fetch-Site"].ToString();
        return site is "" or "same-origin" or "none" ? null : "Requests from other sites are not taken.";
    }

    private static bool IsOwnHost(string host, IPAddress? local)
    {
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        return IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address)
            && (IPAddress.IsLoopback(address) || address.Equals(local));
    }

    /// <summary>Headers that every answer carries.</summary>
    public static void AddHeaders(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }

        headers.CacheControl = "no-store";
    }
}
