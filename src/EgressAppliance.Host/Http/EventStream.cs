using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EgressAppliance.Host.Http;

/// <summary>
/// <c>GET /api/v1/events</c>: server-sent events (the HTML standard, section 9.2). A reader gets the present state at once and each new one; a reader slower than the cycle
/// skips states rather than queueing them. The text of a state is made once for all readers.
/// </summary>
internal sealed class EventStream(IApplianceApi appliance, StateDocuments documents)
{
    /// <summary>Streams at a time; a page holds one.</summary>
    public const int MaxStreams = 128;

    /// <summary>A comment is sent after so long without a state, so that a connection that died in between is noticed.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private int _open;

    /// <summary>Streams that are open.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Serves one reader until it goes.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _open) > MaxStreams)
        {
            Interlocked.Decrement(ref _open);
            context.Response.Headers.RetryAfter = "10";
            await Results.Problem($"{MaxStreams} event streams are open already.", statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(context);
            return;
        }

        try
        {
            context.Response.ContentType = "text/event-stream";
            context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            await StreamAsync(context.Response, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The reader has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task StreamAsync(HttpResponse response, CancellationToken gone)
    {
        StateEventDto? seen = null;
        while (true)
        {
            Task<StateEventDto> next = appliance.NextStateAsync(seen, gone);
            while (true)
            {
                try
                {
                    seen = await next.WaitAsync(KeepAlive, gone);
                    break;
                }
                catch (TimeoutException)
                {
                    await response.Body.WriteAsync(": nothing new\n\n"u8.ToArray(), gone);
                    await response.Body.FlushAsync(gone);
                }
            }

            StateEventDto state = seen;
            Document document = await documents.GetAsync(state, "/events", () => Document.Of(state, ApiJson.Default.StateEventDto));
            await response.Body.WriteAsync("event: state\ndata: "u8.ToArray(), gone);
            await response.Body.WriteAsync(document.Content, gone);
            await response.Body.WriteAsync("\n\n"u8.ToArray(), gone);
            await response.Body.FlushAsync(gone);
        }
    }
}
