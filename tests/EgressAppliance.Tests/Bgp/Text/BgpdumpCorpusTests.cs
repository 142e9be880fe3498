using System.Text.Json;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Text;

/// <summary>
/// What <c>bgp decode</c> prints for real messages against what <c>bgpdump -m</c> printed for them. bgpdump was given each message in a BGP4MP record of the
/// subtype that its columns say: MESSAGE for two octets, else MESSAGE_AS4, and the same with ADDPATH where the session knew path identifiers.
/// </summary>
public sealed class BgpdumpCorpusTests
{
    /// <summary>Messages that differ for a reason, and the reason.</summary>
    private static readonly Dictionary<string, string> Different = new()
    {
        ["g042-0000"] = "it has path identifiers, and no OPEN that says so: without them a prefix of 128 bits is an error of the session (RFC 4271 section 6.3); bgpdump prints 0.0.0.0",
        ["g069-0000"] = "made to crash decoders: the withdrawn routes are longer than the message (RFC 4271 section 6.3, 3/1)",
        ["g075-0000"] = "made to crash decoders: the withdrawn routes are longer than the message (RFC 4271 section 6.3, 3/1)",
        ["g100-0001"] = "an unknown attribute marked well-known: 3/2 (RFC 4271 section 6.3)",
        ["g100-0002"] = "an unknown attribute marked well-known: 3/2 (RFC 4271 section 6.3)",
        ["g127-0001"] = "an IPv6 route with an IPv4 next hop, which no RFC has",
        ["g130-0006"] = "an ORIGIN of two octets shifts what follows; the MED that bgpdump reads there has the flags of no MED (RFC 7606 sections 3 c and 7.1)",
        ["g130-0008"] = "several messages run together: the withdrawn routes are longer than the message",
    };

    public static TheoryData<string> Folders() => CorpusMessages.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Decode_agrees_with_bgpdump_on_every_message(string folder)
    {
        ILookup<string, string> reference = File.ReadLines(Path.Combine(folder, "expected-bgpdump.tsv")).Skip(1)
            .Select(line => line.Split('\t', 2)).ToLookup(f => f[0], f => f[1]);
        var wrong = new List<string>();
        int agreed = 0;
        foreach (CorpusMessage message in CorpusMessages.Read(folder).Where(m => reference.Contains(m.Id) && !HasNoIdentifiers(m)))
        {
            List<string> expected = [.. reference[message.Id].Select(Masked).Order(StringComparer.Ordinal)];
            JsonElement decoded = message.Decode();
            List<string> read = [.. Lines(decoded).Order(StringComparer.Ordinal)];
            bool same = read.SequenceEqual(expected);
            agreed += same ? 1 : 0;
            if (same == Different.ContainsKey(message.Id))
            {
                wrong.Add($"{message.Id}: {(same ? "agrees now" : string.Join("; ", read) + " instead of " + string.Join("; ", expected))} {decoded.At("error/text")}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(agreed > 100, $"only {agreed} agreed");
    }

    /// <summary>
    /// In three captures the OPENs speak of ADD-PATH, but the directions do not fit (RFC 7911 section 4) and no UPDATE has identifiers. bgpdump was told otherwise: it takes
    /// prefixes for identifiers, and prints 0.0.0.0/0 where the message ends within one. Read as ADD-PATH these messages are errors; read as they are, they have the prefixes that tshark finds.
    /// </summary>
    [Theory]
    [MemberData(nameof(Folders))]
    public void Messages_without_the_identifiers_that_were_announced_are_an_error_with_them_and_right_without(string folder)
    {
        Dictionary<string, JsonElement> others = CorpusMessages.Others(folder);
        int compared = 0;
        foreach (CorpusMessage message in CorpusMessages.Read(folder).Where(HasNoIdentifiers))
        {
            Assert.Equal("session-reset", message.Decode().Action());
            JsonElement decoded = message.Decode(addPath: false);
            Assert.NotEqual("session-reset", decoded.Action());
            Assert.Equal(
                Prefixes(others[message.Id].GetProperty("tshark")).Order(),
                Lines(decoded).Select(l => l.Split('|')[1]).Order());
            compared++;
        }

        Assert.True(compared >= 36, $"only {compared} compared");
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_message_gives_an_object_and_a_wrong_length_an_error(string folder)
    {
        int wrongLength = 0;
        foreach (CorpusMessage message in CorpusMessages.Read(folder))
        {
            JsonElement decoded = message.Decode();
            Assert.True(decoded.At("type") is not null || decoded.At("error") is not null, message.Id);
            if (message.BadLength)
            {
                wrongLength++;
                Assert.Equal((1, 2), (decoded.At("error/code")!.Value.GetInt32(), decoded.At("error/subcode")!.Value.GetInt32()));
            }
        }

        Assert.Equal(2, wrongLength);
    }

    private static bool HasNoIdentifiers(CorpusMessage message) =>
        message.AddPath && message.Type == "UPDATE" && message.Group.StartsWith("capture:", StringComparison.Ordinal);

    private static IEnumerable<string> Prefixes(JsonElement tshark)
    {
        foreach (JsonProperty property in tshark.EnumerateObject())
        {
            JsonElement[] values = property.Value.ValueKind == JsonValueKind.Array ? [.. property.Value.EnumerateArray()] : [property.Value];
            foreach (JsonElement value in values.Where(v => v.ValueKind == JsonValueKind.Object))
            {
                if (IpPrefix.TryParse(property.Name, out IpPrefix prefix) && value.At("bgp.prefix_length") is not null)
                {
                    yield return prefix.ToString();
                    continue;
                }

                foreach (string inner in Prefixes(value))
                {
                    yield return inner;
                }
            }
        }
    }

    private static IEnumerable<string> Lines(JsonElement message)
    {
        foreach (JsonElement nlri in message.Items("withdrawn").Concat(message.Items("attributes/mp_unreach/withdrawn")))
        {
            yield return "W|" + Prefix(nlri);
        }

        foreach (JsonElement nlri in message.Items("nlri"))
        {
            yield return Announced(nlri, message.At("attributes/next_hop"));
        }

        foreach (JsonElement nlri in message.Items("attributes/mp_reach/nlri"))
        {
            yield return Announced(nlri, message.At("attributes/mp_reach/next_hop"));
        }

        string Announced(JsonElement nlri, JsonElement? nextHop) => string.Join(
            '|', "A", Prefix(nlri), message.At("attributes/as_path"), message.At("attributes/origin")?.GetString()?.ToUpperInvariant(), nextHop?.GetString() ?? "255.255.255.255",
            message.At("attributes/local_pref")?.GetUInt32() ?? 0, message.At("attributes/med")?.GetUInt32() ?? 0,
            string.Join(' ', message.Items("attributes/communities").Select(c => Name(c.GetString()!))),
            message.At("attributes/atomic_aggregate") is null ? "NAG" : "AG",
            message.At("attributes/aggregator") is { } aggregator ? $"{aggregator.At("as")} {aggregator.At("address")}" : "", "");
    }

    private static string Prefix(JsonElement nlri) => nlri.At("path_id") is { } id ? $"{nlri.At("prefix")}|{id}" : $"{nlri.At("prefix")}";

    private static string Name(string community) => community switch
    {
        "65535:65281" => "no-export",
        "65535:65282" => "no-advertise",
        "65535:65283" => "local-AS",
        _ => community,
    };

    /// <summary>bgpdump prints bits beyond the prefix length, which RFC 4271 section 4.3 calls irrelevant.</summary>
    private static string Masked(string line)
    {
        string[] f = line.Split('|');
        string[] parts = f[1].Split('/');
        IpAddr address = IpAddr.Parse(parts[0]);
        int length = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        f[1] = length > address.BitLength ? f[1] : IpPrefix.Create(address, length).ToString();
        if (f.Length > 4 && IpAddr.TryParse(f[^7], out IpAddr nextHop))
        {
            f[^7] = nextHop.ToString();
        }

        return string.Join('|', f);
    }
}
