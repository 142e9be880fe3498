using System.IO.Compression;
using System.Text.Json;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Bmp;

/// <summary>Messages of real routers, against what bgpdump reads in their UPDATEs and tshark in their headers.</summary>
public sealed class BmpCorpusTests
{
    /// <summary>
    /// Routes that no router could use: an IPv4 route of the Loc-RIB with next hop 0.0.0.0 (a local one), and those of one sender that leaves NEXT_HOP
    /// out. They are treated as withdrawn.
    /// </summary>
    private static bool IsWithoutNextHop(string id) => id == "b20-0599" || (id.StartsWith("b21-", StringComparison.Ordinal));

    public static TheoryData<string> Folders()
    {
        var folders = new TheoryData<string>(TestData.Path("bmp"));
        if (TestData.Shared is { } shared)
        {
            folders.Add(Path.Combine(shared, "bmp"));
        }

        return folders;
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_message_is_read_as_its_type(string folder)
    {
        var wrong = new List<string>();
        foreach ((string id, string type, BmpTextDecoder decoder, byte[] message) in Messages(folder))
        {
            using var json = JsonDocument.Parse(decoder.ToJson(message));
            string expected = type switch
            {
                "route-monitoring" => "Route Monitoring",
                "stats-report" => "Statistics Report",
                "peer-down" => "Peer Down Notification",
                "peer-up" => "Peer Up Notification",
                "initiation" => "Initiation Message",
                _ => "Termination Message",
            };
            string? action = json.RootElement.TryGetProperty("update", out JsonElement update) && update.TryGetProperty("error", out JsonElement error)
                ? error.GetProperty("action").GetString()
                : null;
            string? allowed = type == "route-monitoring" && IsWithoutNextHop(id) ? "treat-as-withdraw" : null;
            if (json.RootElement.GetProperty("type").GetString() != expected || json.RootElement.TryGetProperty("error", out _) || action != allowed)
            {
                wrong.Add($"{id} {type}: {json.RootElement}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Updates_have_the_routes_that_bgpdump_reads_in_them(string folder)
    {
        ILookup<string, string> lines = File.ReadLines(Path.Combine(folder, "expected-bgpdump.tsv")).Skip(1)
            .Select(line => line.Split('\t', 2)).ToLookup(f => f[0], f => f[1]);
        var wrong = new List<string>();
        var compared = new HashSet<string>();
        foreach ((string id, string type, Session session, byte[] message) in Read(folder, () => new Session()))
        {
            List<string>? routes = session.Take(message);
            if (routes is null || (!lines.Contains(id) && routes.Count == 0))
            {
                continue;
            }

            List<string> expected = [.. lines[id].Select(Normalize).Order(StringComparer.Ordinal)];
            compared.Add(id);
            if (!routes.Order(StringComparer.Ordinal).SequenceEqual(expected))
            {
                wrong.Add($"{id} {type}: [{string.Join("; ", routes)}] instead of [{string.Join("; ", expected)}]");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.Equal(lines.Count, compared.Count);
        Assert.True(compared.Count >= 10);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Headers_and_figures_are_those_that_tshark_reads(string folder)
    {
        Dictionary<string, JsonElement> decoded = Decoded(folder);
        var wrong = new List<string>();
        int compared = 0;
        foreach ((string id, _, BmpTextDecoder decoder, byte[] message) in Messages(folder))
        {
            if (!decoded.TryGetValue(id, out JsonElement theirs) || theirs.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            using var json = JsonDocument.Parse(decoder.ToJson(message));
            string[] expected = [.. Fields(theirs)];
            string[] read = [.. OurFields(json.RootElement, message)];
            compared++;
            if (!expected.SequenceEqual(read))
            {
                wrong.Add($"{id}: {string.Join(", ", read)} instead of {string.Join(", ", expected)}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(compared >= 10, $"only {compared} compared");
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Mutated_messages_never_throw(string folder)
    {
        byte[][] messages = [.. Messages(folder).Select(m => m.Message)];
        var random = new Random(7854);
        int malformed = 0;
        for (int round = 0; round < 200; round++)
        {
            var listener = new RecordingListener();
            var monitor = new BmpMonitor(
                new() { Name = "r", Address = System.Net.IPAddress.Loopback }, listener, new BmpSourcePool(1000), TimeProvider.System);
            var text = new BmpTextDecoder();
            monitor.Begin();
            for (int i = 0; i < 60; i++)
            {
                byte[] message = Mutate(messages[random.Next(messages.Length)], random);
                Assert.StartsWith("{", text.ToJson(message), StringComparison.Ordinal);
                if (BmpFramer.TryReadHeader(message, BmpConstants.DefaultMaxMessageLength, out BmpMessageType type, out int length, out BmpError? error)
                    && error is null && monitor.Process(type, message.AsSpan(0, length)) is not null)
                {
                    break;
                }

                malformed += error is null ? 0 : 1;
            }

            monitor.End("over");
            Assert.Empty(listener.Handles);
            Assert.EndsWith("disconnected: over", listener.Events[^1], StringComparison.Ordinal);
        }

        Assert.True(malformed > 0);
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        byte[] message = [.. original];
        for (int i = random.Next(4); i > 0; i--)
        {
            // Mostly behind the common header: what stands there is what this is about.
            int at = random.Next(20) == 0 ? random.Next(message.Length) : random.Next(Math.Min(BmpConstants.HeaderLength, message.Length - 1), message.Length);
            message[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)(message[at] ^ (1 << random.Next(8))), _ => 0xFF };
        }

        if (random.Next(4) == 0 && message.Length > BmpConstants.HeaderLength)
        {
            message = message[..random.Next(BmpConstants.HeaderLength, message.Length)];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length);
        }

        return message;
    }

    private static IEnumerable<(string Id, string Type, BmpTextDecoder Decoder, byte[] Message)> Messages(string folder) =>
        Read(folder, () => new BmpTextDecoder());

    /// <summary>The messages with a state for each connection they come from.</summary>
    private static IEnumerable<(string Id, string Type, T State, byte[] Message)> Read<T>(string folder, Func<T> create)
    {
        var states = new Dictionary<string, T>();
        foreach (string[] f in File.ReadLines(Path.Combine(folder, "messages.tsv")).Skip(1).Select(line => line.Split('\t')))
        {
            if (!states.TryGetValue(f[2], out T? state))
            {
                states.Add(f[2], state = create());
            }

            yield return (f[0], f[1], state, Convert.FromHexString(f[3]));
        }
    }

    private static Dictionary<string, JsonElement> Decoded(string folder)
    {
        var decoded = new Dictionary<string, JsonElement>();
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, "decoded.jsonl.gz")), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.GetProperty("tshark").TryGetProperty("bmp", out JsonElement bmp))
            {
                decoded.Add(json.RootElement.GetProperty("id").GetString()!, bmp.Clone());
            }
        }

        return decoded;
    }

    private static IEnumerable<string> Fields(JsonElement bmp)
    {
        yield return "type " + bmp.GetProperty("bmp.type").GetString();
        if (bmp.TryGetProperty("bmp.peer.header", out JsonElement peer))
        {
            yield return $"peer type {peer.GetProperty("bmp.peer.type").GetString()}";
            yield return $"flags {Convert.ToInt32(peer.GetProperty("bmp.peer.flags").GetString(), 16)}";
            yield return $"distinguisher {peer.GetProperty("bmp.peer.distinguisher").GetString()!.Replace(":", "", StringComparison.Ordinal)}";
            string address = peer.TryGetProperty("bmp.peer.ip.addr", out JsonElement ipv4) ? ipv4.GetString()! : peer.GetProperty("bmp.peer.ipv6.addr").GetString()!;

            // tshark reads F of a Loc-RIB as V.
            yield return $"address {(peer.GetProperty("bmp.peer.type").GetString() == "3" ? "0.0.0.0" : address)}";
            yield return $"as {peer.GetProperty("bmp.peer.asn").GetString()}";
            yield return $"id {peer.GetProperty("bmp.peer.id").GetString()}";
            yield return $"time {peer.GetProperty("bmp.peer.timestamp.sec").GetString()}.{int.Parse(peer.GetProperty("bmp.peer.timestamp.msec").GetString()!):d6}";
        }

        if (bmp.TryGetProperty("bmp.peer.down.reason", out JsonElement reason))
        {
            yield return "reason " + reason.GetString();
        }

        if (bmp.TryGetProperty("bmp.peer.up.port.local", out JsonElement local))
        {
            yield return $"ports {local.GetString()} {bmp.GetProperty("bmp.peer.up.port.remote").GetString()}";
        }

        foreach (string name in new[] { "bmp.init.types", "bmp.term.types" })
        {
            if (bmp.TryGetProperty(name, out JsonElement types))
            {
                foreach (JsonElement info in Items(types.TryGetProperty("bmp.init.type_tree", out JsonElement tree) ? tree : types))
                {
                    yield return "text " + (info.TryGetProperty("bmp.init.info", out JsonElement text) ? text : info.GetProperty("bmp.term.info")).GetString();
                }
            }
        }

        if (bmp.TryGetProperty("bmp.stats.type", out JsonElement statistics))
        {
            string[] codes = [.. Items(statistics).Select(t => t.GetString()!)];
            JsonElement[] values = Items(bmp.GetProperty("bmp.stats.type_tree"));
            for (int i = 0; i < codes.Length; i++)
            {
                // What the figures of undefined types look like, nobody says.
                yield return int.Parse(codes[i]) > 17 ? $"statistic {codes[i]}" : $"statistic {codes[i]} {values[i].GetProperty("bmp.stats.data").GetString()!.Replace(":", "", StringComparison.Ordinal)}";
            }
        }
    }

    private static JsonElement[] Items(JsonElement element) => element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];

    private static IEnumerable<string> OurFields(JsonElement json, byte[] message)
    {
        string type = json.GetProperty("type").GetString()!;
        int number = Array.FindIndex(Enum.GetValues<BmpMessageType>(), t => BmpNames.Of(t) == type);
        yield return $"type {number}";
        if (json.TryGetProperty("peer", out JsonElement peer))
        {
            int peerType = Array.FindIndex(Enum.GetValues<BmpPeerType>(), t => BmpNames.Of(t) == peer.GetProperty("type").GetString());
            yield return $"peer type {peerType}";
            yield return $"flags {peer.GetProperty("flags").GetInt32()}";
            yield return $"distinguisher {Convert.ToHexStringLower(message.AsSpan(8, 8))}";
            Assert.Equal(
                BmpPeerId.FormatDistinguisher(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(message.AsSpan(8))),
                peer.GetProperty("distinguisher").GetString());
            yield return $"address {peer.GetProperty("address").GetString()}";
            yield return $"as {peer.GetProperty("as").GetUInt32()}";
            yield return $"id {peer.GetProperty("bgp_id").GetString()}";
            yield return $"time {peer.GetProperty("timestamp").GetDecimal():F6}";
        }

        if (number == (int)BmpMessageType.PeerDown && json.TryGetProperty("reason", out JsonElement reason))
        {
            yield return $"reason {reason.GetInt32()}";
        }

        if (json.TryGetProperty("local_port", out JsonElement local))
        {
            yield return $"ports {local.GetInt32()} {json.GetProperty("remote_port").GetInt32()}";
        }

        if (number is 4 or 5 && json.TryGetProperty("information", out JsonElement information))
        {
            foreach (JsonElement tlv in information.EnumerateArray())
            {
                // The reason of a Termination is no text; tshark's JSON leaves it out.
                if (tlv.TryGetProperty("text", out JsonElement text))
                {
                    yield return $"text {text.GetString()}";
                }
            }
        }

        if (json.TryGetProperty("statistics", out JsonElement statistics))
        {
            foreach (JsonElement item in statistics.EnumerateArray())
            {
                int code = item.GetProperty("type").GetInt32();
                if (code > 17)
                {
                    yield return $"statistic {code}";
                    continue;
                }

                bool wide = code is 7 or 8 or 14 or 15;
                string hex = item.TryGetProperty("afi", out JsonElement afi)
                    ? $"{afi.GetInt32():x4}{item.GetProperty("safi").GetInt32():x2}{item.GetProperty("value").GetUInt64():x16}"
                    : item.GetProperty("value").GetUInt64().ToString(wide ? "x16" : "x8");
                yield return $"statistic {code} {hex}";
            }
        }
    }

    private static string Normalize(string line)
    {
        string[] f = line.Split('|');
        string nextHop = f[4] == "255.255.255.255" ? "-" : IpAddr.Parse(f[4]).ToString(); // bgpdump's way to print that there is none
        return f[0] == "W" ? $"W|{f[1]}" : $"A|{f[1]}|{f[2]}|{f[3]}|{nextHop}";
    }

    /// <summary>Reads the UPDATEs of one connection by the library's own parts.</summary>
    private sealed class Session
    {
        private readonly Dictionary<BmpPeerId, BmpPeerCodec> _codecs = [];

        public List<string>? Take(byte[] message)
        {
            var reader = new BgpReader(message.AsSpan(BmpConstants.HeaderLength));
            var type = (BmpMessageType)message[5];
            if (type is BmpMessageType.Initiation or BmpMessageType.Termination)
            {
                return null;
            }

            Assert.Null(BmpPeerHeader.Read(ref reader, out BmpPeerHeader header));
            if (type == BmpMessageType.PeerUp && BmpPeerUp.Decode(header, reader.Rest, out BmpPeerUp? up) is null)
            {
                _codecs[header.Id] = BmpPeerCodec.From(up!);
            }

            return type == BmpMessageType.RouteMonitoring ? Routes(header, reader.Rest[BgpConstants.HeaderLength..]) : null;
        }

        private List<string> Routes(BmpPeerHeader header, ReadOnlySpan<byte> body)
        {
            BgpCodecOptions options = _codecs.GetValueOrDefault(header.Id, BmpPeerCodec.Unknown).OptionsFor(header, body, out _);
            var update = new UpdateMessage();
            Assert.NotEqual(ErrorAction.SessionReset, UpdateDecoder.Decode(body, options, update));
            var routes = new List<string>();
            routes.AddRange(update.Withdrawn.Concat(update.MpUnreach).Select(n => $"W|{n.Prefix}"));
            PathAttributes attributes = update.Attributes ?? new PathAttributes();
            routes.AddRange(update.Announced.Select(n => Announced(n, update.Attributes!.NextHop)));
            routes.AddRange(update.MpReach.Select(n => Announced(n, update.MpNextHop)));
            return routes;

            string Announced(Nlri nlri, NextHop nextHop) =>
                $"A|{nlri.Prefix}|{attributes.AsPath}|{attributes.Origin.ToString().ToUpperInvariant()}|{nextHop.Address}";
        }
    }
}
