using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: the length of the first peer's stream (2 octets), that stream, the second peer's stream.</summary>
public sealed class SessionTarget : IFuzzTarget
{
    private const uint OurAs = 65000;
    private static readonly AfiSafi[] Families = [AfiSafi.IPv4Unicast, AfiSafi.IPv6Unicast];
    private readonly LooseUpdate _loose = new();
    private readonly LooseUpdate _donor = new();
    private readonly FuzzRandom _random = new(0);
    private readonly InputBuffer _body = new();

    public string Name => "session";

    public string Description => "all that two peers send: framing, state machine, decoding and the table of routes, the same however the streams are cut and woven together";

    public int Weight => 1;

    public void Make(InputBuffer input, Mutator mutator)
    {
        input.AppendUInt16(0);
        Stream(input, mutator, OurAs + 1);
        int first = input.Length - 2;
        Stream(input, mutator, OurAs);
        if (mutator.Random.OneIn(2))
        {
            mutator.Octets(input, 2);
        }

        input.Span[0] = (byte)(first >> 8);
        input.Span[1] = (byte)first;
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        ReadOnlySpan<byte> streams = input.Length > 2 ? input[2..] : [];
        int length = input.Length > 2 ? Math.Min((input[0] << 8) | input[1], streams.Length) : 0;
        ReadOnlySpan<byte> one = streams[..length];
        ReadOnlySpan<byte> other = streams[length..];

        using var whole = new TwoPeers(OurAs);
        whole.Receive(0, one);
        whole.Receive(1, other);
        ulong routes = whole.CheckRoutes();

        _random.Seed(Digest.Of(input));
        using var woven = new TwoPeers(OurAs);
        for (int a = 0, b = 0; a < one.Length || b < other.Length;)
        {
            bool first = b == other.Length || (a < one.Length && _random.OneIn(2));
            int chunk = _random.OneIn(8) ? _random.Between(1, 20) : _random.Between(20, 1500);
            ref int at = ref first ? ref a : ref b;
            ReadOnlySpan<byte> stream = first ? one : other;
            chunk = Math.Min(chunk, stream.Length - at);
            woven.Receive(first ? 0 : 1, stream.Slice(at, chunk));
            at += chunk;
        }

        Check.That(woven.CheckRoutes() == routes, $"in pieces the routes are {woven.Describe()} instead of {whole.Describe()}");
        for (int peer = 0; peer < 2; peer++)
        {
            Check.That(
                woven.History(peer) == whole.History(peer), $"in pieces peer {peer} ends in '{woven.Ending(peer)}' instead of '{whole.Ending(peer)}'");
        }

        Digest digest = default;
        digest.Add(routes);
        digest.Add(whole.History(0));
        digest.Add(whole.History(1));
        string verdict = whole.Verdict(0);
        whole.Close();
        woven.Close();
        return new(verdict, digest.Value);
    }

    /// <summary>OPEN and KEEPALIVE, then what a router might send, UPDATEs for the most part.</summary>
    private void Stream(InputBuffer input, Mutator mutator, uint asNumber)
    {
        FuzzRandom random = mutator.Random;
        if (random.OneIn(24) && mutator.Corpus.Streams.Count > 0)
        {
            input.Append(random.Pick(mutator.Corpus.Streams));
            return;
        }

        bool addPath = random.OneIn(3);
        bool fourOctet = !random.OneIn(4);
        Open(input, random, asNumber, fourOctet, addPath);
        if (!random.OneIn(32))
        {
            mutator.Message(input, (byte)BgpMessageType.Keepalive, []);
        }

        for (int i = random.Between(0, 7); i > 0; i--)
        {
            switch (random.Below(24))
            {
                case 0:
                    mutator.Message(input, (byte)BgpMessageType.RouteRefresh, random.Pick(mutator.Corpus.Refreshes).Body);
                    break;
                case 1:
                    mutator.Message(input, (byte)BgpMessageType.Keepalive, []);
                    break;
                case 2:
                    mutator.Message(input, (byte)BgpMessageType.Update, [0, 0, 0, 0]);
                    break;
                case 3 when random.OneIn(3):
                    // A second OPEN ends the session.
                    Open(input, random, asNumber, fourOctet, addPath);
                    break;
                case 3 when random.OneIn(2):
                    mutator.Message(input, (byte)BgpMessageType.Notification, random.Pick(mutator.Corpus.Notifications).Body);
                    break;
                default:
                    CorpusMessage message = Fitting(mutator, fourOctet, addPath);
                    _body.Clear();
                    _body.Append(message.Body);
                    if (random.OneIn(2))
                    {
                        _loose.Parse(message.Body);
                        _donor.Parse(random.Pick(mutator.Corpus.Updates).Body);
                        _loose.Mutate(random, _donor);
                        _body.Clear();
                        _loose.Write(_body, random);
                    }

                    mutator.Message(input, (byte)BgpMessageType.Update, _body.Span);
                    break;
            }
        }
    }

    private static void Open(InputBuffer input, FuzzRandom random, uint asNumber, bool fourOctet, bool addPath)
    {
        var capabilities = new List<BgpCapability>();
        foreach (AfiSafi family in Families)
        {
            if (!random.OneIn(16))
            {
                capabilities.Add(BgpCapability.Multiprotocol(family));
            }
        }

        if (fourOctet)
        {
            capabilities.Add(BgpCapability.FourOctetAs(asNumber));
        }

        if (addPath)
        {
            capabilities.Add(BgpCapability.AddPath(Array.ConvertAll(Families, f => new AddPathEntry(f, AddPathMode.Both))));
        }

        capabilities.Add(BgpCapability.RouteRefresh);
        var writer = new BgpWriter(stackalloc byte[BgpConstants.MaxMessageLength]);
        new OpenMessage
        {
            MyAs = (ushort)asNumber,
            HoldTime = (ushort)(random.OneIn(8) ? random.Below(6) : 90),
            RouterId = 0xC000_0200 + (uint)random.Below(3),
            Capabilities = capabilities,
        }.Encode(ref writer);
        input.Append(writer.Written);
    }

    /// <summary>A message of a session with the same options, if one is found soon.</summary>
    private static CorpusMessage Fitting(Mutator mutator, bool fourOctet, bool addPath)
    {
        byte wanted = Checks.CodecOctet.Make(fourOctet, addPath, external: false);
        CorpusMessage message = default;
        for (int i = 0; i < 8; i++)
        {
            message = mutator.Random.Pick(mutator.Corpus.Updates);
            if ((message.Options & 7) == wanted)
            {
                break;
            }
        }

        return message;
    }
}
