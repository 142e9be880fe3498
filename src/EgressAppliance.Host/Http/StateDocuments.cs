using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The JSON of the documents that are the same for every reader of a state. Each is written once a state, however many ask for it, so that a
/// hundred pages cost the control loop's machine little more than one.
/// </summary>
internal sealed class StateDocuments
{
    // Different questions about prefixes that are remembered for a state; the next ones are answered without.
    private const int MostQuestions = 64;

    private volatile Answers _answers = new(null);

    /// <summary>A document of the state.</summary>
    /// <param name="state">The state as of now.</param>
    /// <param name="question">What is asked for, unique to the kind and to all that the answer depends on beside the state.</param>
    /// <param name="answer">Makes the document.</param>
    public Document Get(StateEventDto state, string question, Func<Document> answer)
    {
        Answers answers = _answers;
        if (!ReferenceEquals(answers.State, state))
        {
            _answers = answers = new Answers(state);
        }

        if (answers.Documents.TryGetValue(question, out Document? known))
        {
            return known;
        }

        Document made = answer();
        if (answers.Documents.Count < MostQuestions)
        {
            answers.Documents.TryAdd(question, made);
        }

        return made;
    }

    private sealed class Answers(StateEventDto? state)
    {
        public StateEventDto? State => state;

        public ConcurrentDictionary<string, Document> Documents { get; } = new(StringComparer.Ordinal);
    }
}

/// <summary>A written document with its entity tag (RFC 9110 section 8.8.3), which says whether it is the one that the client has.</summary>
internal sealed class Document : IResult
{
    private readonly byte[] _json;
    private readonly string _next;

    private Document(byte[] json, string next)
    {
        _json = json;
        _next = next;
        // Not for security: the same octets give the same tag, also after a restart.
        Tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, 12))}\"";
    }

    /// <summary>The entity tag, quoted.</summary>
    public string Tag { get; }

    /// <summary>The JSON, UTF-8.</summary>
    public ReadOnlyMemory<byte> Json => _json;

    /// <summary>Writes a document.</summary>
    /// <param name="value">What it says.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="next">Address of the page after it (RFC 8288, <c>rel="next"</c>), or empty.</param>
    public static Document Of<T>(T value, JsonTypeInfo<T> type, string next = "") => new(JsonSerializer.SerializeToUtf8Bytes(value, type), next);

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.Headers.ETag = Tag;
        response.Headers.CacheControl = "private, no-cache";
        if (_next.Length > 0)
        {
            response.Headers.Link = $"<{_next}>; rel=\"next\"";
        }

        foreach (string? value in httpContext.Request.Headers.IfNoneMatch)
        {
            if (value is not null && (value == "*" || (EntityTagHeaderValue.TryParseList([value], out IList<EntityTagHeaderValue>? tags)
                && tags.Any(t => t.Tag == Tag))))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }

        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = _json.Length;
        await response.Body.WriteAsync(_json, httpContext.RequestAborted);
    }
}
