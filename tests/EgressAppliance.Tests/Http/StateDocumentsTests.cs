using System.IO.Compression;
using System.Text;
using EgressAppliance.Host.Http;
using Microsoft.AspNetCore.Http;

namespace EgressAppliance.Tests.Http;

public sealed class StateDocumentsTests
{
    [Fact]
    public async Task Document_is_written_once_a_state_however_many_ask_at_once()
    {
        StateDocuments documents = new();
        StateEventDto first = FakeAppliance.MakeState("observe"), second = FakeAppliance.MakeState("inject");
        using ManualResetEventSlim begun = new(), go = new();
        int written = 0;
        Document Write(string text)
        {
            Interlocked.Increment(ref written);
            begun.Set();
            go.Wait();
            return Document.Of(Encoding.UTF8.GetBytes(text), "text/plain");
        }

        Task<Document>[] readers = [.. Enumerable.Range(0, 100).Select(_ => documents.GetAsync(first, "links", () => Write("first")))];
        begun.Wait();
        Assert.All(readers, r => Assert.False(r.IsCompleted));
        go.Set();
        Document[] read = await Task.WhenAll(readers);
        Assert.All(read, d => Assert.Same(read[0], d));
        Assert.Equal(1, written);

        Assert.NotSame(read[0], await documents.GetAsync(first, "status", () => Write("other question")));
        Assert.Equal("second", Encoding.UTF8.GetString((await documents.GetAsync(second, "links", () => Write("second"))).Content.Span));
        Assert.Equal(3, written);
    }

    [Fact]
    public async Task More_questions_than_are_remembered_are_answered_all_the_same()
    {
        StateDocuments documents = new();
        StateEventDto state = FakeAppliance.MakeState("observe");
        for (int i = 0; i < 200; i++)
        {
            string text = $"answer {i}";
            Document answer = await documents.GetAsync(state, $"question {i}", () => Document.Of(Encoding.UTF8.GetBytes(text), "text/plain"));
            Assert.Equal(text, Encoding.UTF8.GetString(answer.Content.Span));
        }
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("gzip, deflate, br", true)]
    [InlineData("br;q=1, GZIP;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("identity", false)]
    [InlineData("", false)]
    [InlineData(";;,=", false)]
    public async Task Document_goes_compressed_to_who_takes_it_so(string accept, bool compressed)
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("192.0.2.0/24 ", 1000)));
        Document document = Document.Of(content, "text/plain");
        DefaultHttpContext context = new();
        context.Request.Headers.AcceptEncoding = accept;
        using MemoryStream body = new();
        context.Response.Body = body;
        await document.ExecuteAsync(context);
        Assert.Equal(body.Length, context.Response.ContentLength);
        Assert.Equal("Accept-Encoding", context.Response.Headers.Vary);
        Assert.Equal(compressed ? "gzip" : "", context.Response.Headers.ContentEncoding.ToString());
        Assert.Equal(document.Tag, context.Response.Headers.ETag);
        body.Position = 0;
        using MemoryStream plain = new();
        using Stream read = compressed ? new GZipStream(body, CompressionMode.Decompress) : body;
        await read.CopyToAsync(plain);
        Assert.Equal(content, plain.ToArray());
        Assert.Equal(compressed, context.Response.ContentLength < content.Length / 2);
    }

    [Fact]
    public async Task Short_document_is_not_compressed()
    {
        DefaultHttpContext context = new();
        context.Request.Headers.AcceptEncoding = "gzip";
        await Document.Of("[]"u8.ToArray(), "application/json").ExecuteAsync(context);
        Assert.False(context.Response.Headers.ContainsKey("Content-Encoding"));
        Assert.Equal(2, context.Response.ContentLength);
    }
}
