using System.Buffers.Binary;
using System.Net;
using System.Text.Json;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: what a router sends on one BMP connection. Limits are small, so that inputs reach them.</summary>
public sealed class BmpTarget : IFuzzTarget
{
    private const int MaxMessageLength = 8192;
    private const int MaxSources = 12;
    private static readonly BmpRouterOptions Router = new() { Name = "edge1", Address = IPAddress.Loopback, MaxPeers = 8, MaxRoutes = 200 };
    private readonly FuzzRandom _random = new(0);

    public string Name => "bmp";

    public string Description => "what a router sends to the monitoring station: calls in the promised order, counters that add up, limits kept, nothing left at the end";

    public int Weight => 1;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        IReadOnlyList<byte[]> corpus = mutator.Corpus.Bmp;
        for (int runs = random.Between(1, 3); runs > 0; runs--)
        {
            // Messages that follow each other are mostly of one connection: the Peer Up, and the routes that it says how to read.
            int first = random.Below(corpus.Count);
            for (int i = 0, count = random.Between(1, 12); i < count && first + i < corpus.Count; i++)
            {
                int start = input.Length;
                input.Append(corpus[random.OneIn(12) ? random.Below(corpus.Count) : first + i]);
                if (random.OneIn(5) && input.Length - start > BmpConstants.HeaderLength)
                {
                    mutator.Octets(input, start + BmpConstants.HeaderLength - (random.OneIn(4) ? 1 : 0), most: 3);
                    if (!random.OneIn(8) && input.Length - start >= BmpConstants.HeaderLength)
                    {
                        BinaryPrimitives.WriteInt32BigEndian(input.Span[(start + 1)..], input.Length - start);
                    }
                }
            }
        }

        if (random.OneIn(6))
        {
            mutator.Octets(input, 0, most: 2);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        _random.Seed(Digest.Of(input));
        string verdict = Run(input, chunked: false, out ulong digest);
        string again = Run(input, chunked: true, out ulong cut);
        Check.That(verdict == again && digest == cut, $"in pieces the stream is {again} instead of {verdict}");
        return new(verdict, digest);
    }

    private string Run(ReadOnlySpan<byte> stream, bool chunked, out ulong hash)
    {
        var listener = new BmpListenerChecks();
        var pool = new BmpSourcePool(MaxSources);
        var monitor = new BmpMonitor(Router, listener, pool, TimeProvider.System);
        var buffer = new BmpStreamBuffer(MaxMessageLength);
        var text = new BmpTextDecoder();
        Digest digest = default;
        BmpEnd? end = null;
        BmpError? error = null;
        int given = 0;
        int taken = 0;
        long messages = 0;
        monitor.Begin();
        while (end is null && error is null)
        {
            if (!buffer.TryRead(out BmpMessageType type, out ReadOnlySpan<byte> message, out error))
            {
                if (given == stream.Length)
                {
                    break;
                }

                Memory<byte> free = buffer.Free;
                Check.That(!free.IsEmpty && buffer.Capacity <= BmpStreamBuffer.InitialLength, $"{free.Length} of {buffer.Capacity} octets are free");
                int count = Math.Min(Math.Min(free.Length, stream.Length - given), chunked ? _random.Between(1, 900) : int.MaxValue);
                stream.Slice(given, count).CopyTo(free.Span);
                buffer.Advance(count);
                given += count;
                continue;
            }

            CheckHeader(stream[taken..], error, message.Length);
            if (error is not null)
            {
                monitor.CountMalformed(error);
                break;
            }

            Check.That(message.SequenceEqual(stream.Slice(taken, message.Length)), $"message {messages} is not what stands in the stream");
            taken += message.Length;
            messages++;
            if (!chunked)
            {
                CheckText(text, message);
            }

            end = monitor.Process(type, message);
        }

        BmpRouterStatus status = Status(monitor);
        CheckStatus(status, listener, messages);
        monitor.End("the stream ended");
        BmpRouterStatus after = Status(monitor);
        Check.That(after.Peers.Count == 0 && after.Routes.Values.Sum() == 0, $"{after.Peers.Count} peers and {after.Routes.Values.Sum()} routes are left at the end");
        int free2 = 0;
        while (pool.TryTake(out _))
        {
            free2++;
        }

        Check.That(free2 == MaxSources, $"{free2} of {MaxSources} handles are free at the end");
        digest.Add(listener.Hash);
        digest.Add(messages);
        foreach ((BmpErrorKind kind, long count) in status.Malformed.OrderBy(m => m.Key))
        {
            digest.Add(((ulong)kind << 32) | (ulong)count);
        }

        digest.Add(status.LastMalformed ?? "");
        digest.Add(status.Oddities.ToString());
        digest.Add(end?.ToString() ?? "");
        hash = digest.Value;
        return error is not null ? "bad header" : end is { Limit: true } ? "limit" : end is not null ? "ended by the router"
            : status.Malformed.Count > 0 ? "malformed" : Verdicts.Accepted;
    }

    private static BmpRouterStatus Status(BmpMonitor monitor) => monitor.AddTo(
        new()
        {
            Name = Router.Name,
            Address = Router.Address,
            State = BmpConnectionState.Up,
            Since = default,
            Messages = new Dictionary<BmpMessageType, long>(),
            Malformed = new Dictionary<BmpErrorKind, long>(),
            Oddities = new(),
            Routes = new Dictionary<BmpTable, long>(),
            Peers = [],
        },
        TimeSpan.FromDays(1));

    /// <summary>RFC 7854 section 4.1 once more.</summary>
    private static void CheckHeader(ReadOnlySpan<byte> stream, BmpError? error, int length)
    {
        BmpErrorKind? expected = stream[0] != 3 ? BmpErrorKind.Version
            : stream.Length >= 5 && BinaryPrimitives.ReadUInt32BigEndian(stream[1..]) is < 6 or > MaxMessageLength ? BmpErrorKind.Length
            : null;
        Check.That(error?.Kind == expected, $"the header is {error?.Kind} instead of {expected}");
        Check.That(error is not null || length == BinaryPrimitives.ReadUInt32BigEndian(stream[1..]), $"a message of {length} octets");
    }

    private static void CheckText(BmpTextDecoder decoder, ReadOnlySpan<byte> message)
    {
        string text = decoder.ToJson(message);
        using var json = JsonDocument.Parse(text);
        Check.That(json.RootElement.ValueKind == JsonValueKind.Object, $"not an object: {text}");
        Check.That(json.RootElement.TryGetProperty("type", out _), $"without a type: {text}");
    }

    private static void CheckStatus(BmpRouterStatus status, BmpListenerChecks listener, long messages)
    {
        Check.That(status.Messages.Values.Sum() == messages, $"{status.Messages.Values.Sum()} of {messages} messages are counted");
        Check.That(status.Malformed.Values.Sum() <= messages + 1, $"{status.Malformed.Values.Sum()} of {messages} messages are malformed");
        Check.That(status.Malformed.Count > 0 == status.LastMalformed is not null, $"the last malformed message is {status.LastMalformed}");
        Check.That(status.Routes.Values.Sum() == listener.HeldInAll, $"{status.Routes.Values.Sum()} routes are counted, {listener.HeldInAll} are held");
        Check.That(status.Peers.Count <= Router.MaxPeers && status.Peers.Count(p => p.IsUp) == listener.Peers, $"{status.Peers.Count} peers, {listener.Peers} are up");
        Check.That(listener.Sources <= MaxSources, $"{listener.Sources} tables");
    }
}
