using System.Collections.Frozen;
using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The web page, embedded in the executable, so that the box needs no files beside it and no Internet. The build of the page puts a compressed copy
/// beside each file; who takes gzip gets that.
/// </summary>
public static class UiFiles
{
    private const string Root = "ui/";
    private const string Compressed = ".gz";

    private static readonly FrozenDictionary<string, string> Names = typeof(UiFiles).Assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith(Root, StringComparison.Ordinal))
        .ToFrozenDictionary(n => "/" + n[Root.Length..].Replace('\\', '/'), n => n);

    /// <summary>True if this build carries the page.</summary>
    public static bool Built => Names.ContainsKey("/index.html");

    /// <summary>Paths of the page's files; empty in a build without it.</summary>
    public static IReadOnlyCollection<string> Paths { get; } = [.. Names.Keys.Where(path => !path.EndsWith(Compressed, StringComparison.Ordinal))];

    /// <summary>Serves <c>/</c> and the page's files; 404 for anything else, 405 for methods that do not read.</summary>
    public static async Task ServeAsync(HttpContext context)
    {
        if (!Access.AccessGuard.IsRead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return;
        }

        string path = context.Request.Path == "/" ? "/index.html" : context.Request.Path.Value ?? "/";
        if (path.EndsWith(Compressed, StringComparison.Ordinal) || !Names.TryGetValue(path, out string? resource))
        {
            if (path == "/index.html")
            {
                context.Response.ContentType = "text/plain; charset=utf-8";
                await context.Response.WriteAsync(
                    "This build was made without the web page (make ui needs Node.js). The API is at /api/v1/status.\n", context.RequestAborted);
                return;
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.ContentType = Path.GetExtension(path) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".ico" => "image/x-icon",
            ".png" => "image/png",
            ".woff2" => "font/woff2",
            ".json" or ".map" => "application/json",
            _ => "application/octet-stream",
        };
        if (path.StartsWith("/assets/", StringComparison.Ordinal))
        {
            // Asset names carry a hash of their content.
            context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        }

        if (Names.TryGetValue(path + Compressed, out string? small))
        {
            context.Response.Headers.Vary = "Accept-Encoding";
            if (ContentCoding.TakesGzip(context.Request))
            {
                context.Response.Headers.ContentEncoding = "gzip";
                resource = small;
            }
        }

        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        context.Response.ContentLength = stream.Length;
        await stream.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
