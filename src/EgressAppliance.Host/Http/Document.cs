using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace EgressAppliance.Host.Http;

/// <summary>
/// A written document with its entity tag (RFC 9110 section 8.8.3), which says whether it is the one that the client has. It is compressed at most once, however many
/// take it compressed.
/// </summary>
public sealed class Document : IResult
{
    /// <summary>What JSON is sent as.</summary>
    private const string JsonType = "application/json; charset=utf-8";

    // Below this the header of gzip and a packet more or less decide, not the content.
    private const int WorthCompressing = 1024;

    private readonly byte[] _content;
    private readonly string _type, _next, _opaqueTag;
    private readonly Lock _gate = new();
    private Task<byte[]>? _compressed;

    private Document(byte[] content, string type, string next)
    {
        _content = content;
        _type = type;
        _next = next;

        // Not for security: the same octets give the same tag, also after a restart. Weak, as it is the same for the compressed form.
        _opaqueTag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12))}\"";
        Tag = "W/" + _opaqueTag;
    }

    /// <summary>The entity tag as it stands in the header.</summary>
    public string Tag { get; }

    /// <summary>The document, UTF-8.</summary>
    public ReadOnlyMemory<byte> Content => _content;

    /// <summary>Writes a document as JSON.</summary>
    /// <param name="value">What it says.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="next">Address of the page after it (RFC 8288, <c>rel="next"</c>), or empty.</param>
    public static Document Of<T>(T value, JsonTypeInfo<T> type, string next = "") => new(JsonSerializer.SerializeToUtf8Bytes(value, type), JsonType, next);

    /// <summary>A document that has been written.</summary>
    /// <param name="content">Its octets.</param>
    /// <param name="type">Media type with parameters.</param>
    public static Document Of(byte[] content, string type) => new(content, type, "");

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.Headers.ETag = Tag;
        response.Headers.CacheControl = "private, no-cache";
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (_next.Length > 0)
        {
            response.Headers.Link = $"<{_next}>; rel=\"next\"";
        }

        foreach (string? value in httpContext.Request.Headers.IfNoneMatch)
        {
            if (value is not null && (value == "*" || (EntityTagHeaderValue.TryParseList([value], out IList<EntityTagHeaderValue>? tags)
                && tags.Any(t => t.Tag == _opaqueTag))))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }

        byte[] octets = _content;
        if (_content.Length >= WorthCompressing && ContentCoding.TakesGzip(httpContext.Request))
        {
            octets = await CompressedAsync();
            response.Headers.ContentEncoding = "gzip";
        }

        response.ContentType = _type;
        response.ContentLength = octets.Length;
        await response.Body.WriteAsync(octets, httpContext.RequestAborted);
    }

    private Task<byte[]> CompressedAsync()
    {
        lock (_gate)
        {
            return _compressed ??= Task.Run(Compress);
        }
    }

    private byte[] Compress()
    {
        using MemoryStream small = new();
        using (GZipStream gzip = new(small, CompressionLevel.Fastest))
        {
            gzip.Write(_content);
        }

        return small.ToArray();
    }
}
