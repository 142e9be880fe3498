using System.Buffers.Binary;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Tests.Telemetry;

/// <summary>One point of an export.</summary>
internal sealed record OtlpPoint(string Metric, string Kind, double Value, IReadOnlyDictionary<string, string> Attributes);

/// <summary>One export as a collector reads it.</summary>
internal sealed record OtlpRequest(string Path, string Authorization, IReadOnlyDictionary<string, string> Resource, IReadOnlyList<OtlpPoint> Points);

/// <summary>A collector on loopback that reads the protobuf of OTLP (opentelemetry-proto, metrics.proto) itself.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<OtlpRequest> _requests = Channel.CreateUnbounded<OtlpRequest>();

    private OtlpCollector(WebApplication app) => _app = app;

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>What each export is answered with by HTTP.</summary>
    public int Status { get; set; } = 200;

    public static async Task<OtlpCollector> StartAsync(bool grpc)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, l => l.Protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        OtlpCollector collector = new(builder.Build());
        collector._app.MapPost("{*path}", collector.TakeAsync);
        await collector._app.StartAsync();
        return collector;
    }

    public async Task<OtlpRequest> NextAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        return await _requests.Reader.ReadAsync(patience.Token);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body);
        bool grpc = context.Request.ContentType == "application/grpc";

        // gRPC puts a flag and a length of four octets before the message.
        _requests.Writer.TryWrite(Read(context.Request.Path, context.Request.Headers.Authorization.ToString(), body.ToArray().AsSpan(grpc ? 5 : 0)));
        context.Response.StatusCode = Status;
        if (grpc)
        {
            context.Response.ContentType = "application/grpc";
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        }
    }

    private static OtlpRequest Read(string path, string authorization, ReadOnlySpan<byte> message)
    {
        Dictionary<string, string> resource = [];
        List<OtlpPoint> points = [];
        foreach ((int _, byte[] perResource) in Fields(message))
        {
            // Field 3 is the address of a schema, a text.
            foreach ((int field, byte[] part) in Fields(perResource).Where(f => f.Field is 1 or 2))
            {
                foreach ((int inner, byte[] value) in Fields(part))
                {
                    if (field == 1 && inner == 1)
                    {
                        Add(resource, value);
                    }
                    else if (field == 2 && inner == 2)
                    {
                        points.AddRange(Metric(value));
                    }
                }
            }
        }

        return new OtlpRequest(path, authorization, resource, points);
    }

    private static List<OtlpPoint> Metric(byte[] metric)
    {
        string name = "";
        List<OtlpPoint> points = [];
        foreach ((int field, byte[] value) in Fields(metric))
        {
            if (field == 1)
            {
                name = Encoding.UTF8.GetString(value);
            }
            else if (field is 5 or 7 or 9)
            {
                bool monotonic = field == 7 && Fields(value).Any(f => f is (3, [1]));
                string kind = field switch { 5 => "gauge", 9 => "histogram", _ => monotonic ? "counter" : "sum" };
                points.AddRange(Fields(value).Where(f => f.Field == 1).Select(f => Point(name, kind, f.Value)));
            }
        }

        return points;
    }

    private static OtlpPoint Point(string metric, string kind, byte[] point)
    {
        double number = double.NaN;
        Dictionary<string, string> attributes = [];
        foreach ((int field, byte[] value) in Fields(point))
        {
            if (kind != "histogram" && field is 4 or 6)
            {
                number = field == 4 ? BinaryPrimitives.ReadDoubleLittleEndian(value) : BinaryPrimitives.ReadInt64LittleEndian(value);
            }
            else if (kind != "histogram" && field == 7)
            {
                Add(attributes, value);
            }
        }

        return new OtlpPoint(metric, kind, number, attributes);
    }

    private static void Add(Dictionary<string, string> attributes, byte[] pair)
    {
        List<(int Field, byte[] Value)> parts = [.. Fields(pair)];
        attributes[Encoding.UTF8.GetString(parts[0].Value)] = Encoding.UTF8.GetString(Fields(parts[1].Value).First().Value);
    }

    /// <summary>The fields of a protobuf message; a number of variable length as its low octet.</summary>
    private static List<(int Field, byte[] Value)> Fields(ReadOnlySpan<byte> message)
    {
        List<(int, byte[])> fields = [];
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint(message, ref at);
            int length = (key & 7) switch { 1 => 8, 5 => 4, 2 => (int)Varint(message, ref at), 0 => 0, _ => throw new InvalidDataException($"wire type {key & 7}") };
            fields.Add(((int)(key >> 3), (key & 7) == 0 ? [(byte)Varint(message, ref at)] : message.Slice(at, length).ToArray()));
            at += length;
        }

        return fields;
    }

    private static ulong Varint(ReadOnlySpan<byte> message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte octet = message[at++];
            value |= (ulong)(octet & 0x7f) << shift;
            if (octet < 0x80)
            {
                return value;
            }
        }
    }
}
