using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace EgressAppliance.Host.Http;

/// <summary>What content codings a caller takes (RFC 9110 section 12.5.3).</summary>
internal static class ContentCoding
{
    /// <summary>True if the caller named gzip and did not rule it out.</summary>
    public static bool TakesGzip(HttpRequest request)
    {
        foreach (string? value in request.Headers.AcceptEncoding)
        {
            // What almost every caller says needs no parsing.
            if (value == "gzip" || (value is not null && StringWithQualityHeaderValue.TryParseList([value], out IList<StringWithQualityHeaderValue>? codings)
                && codings.Any(c => c.Quality != 0 && c.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase))))
            {
                return true;
            }
        }

        return false;
    }
}
