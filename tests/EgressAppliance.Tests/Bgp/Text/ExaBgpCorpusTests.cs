using System.Globalization;
using System.Text.Json;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Text;

/// <summary>What <c>bgp decode</c> prints against what ExaBGP's own test suite expects of its decoder, field by field, and OPENs against tshark.</summary>
public sealed class ExaBgpCorpusTests
{
    private static readonly string[] Families = ["ipv4 unicast", "ipv6 unicast"];

    /// <summary>Attributes that are of no use to a unicast speaker and stay undecoded: those of BGP-LS (RFC 9552), and IPv6 extended communities (RFC 5701), which are kept as octets.</summary>
    private static readonly string[] OutOfScope = ["bgp-ls", "extended-community-ipv6"];

    /// <summary>Messages that differ for a reason, and the reason.</summary>
    private static readonly Dictionary<string, string> Different = new()
    {
        ["g100-0001"] = "an unknown attribute marked well-known: 3/2 (RFC 4271 section 6.3)",
        ["g100-0002"] = "an unknown attribute marked well-known: 3/2 (RFC 4271 section 6.3)",
        ["g127-0001"] = "an IPv6 route with an IPv4 next hop, which no RFC has",
    };

    public static TheoryData<string> Folders() => CorpusMessages.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Decode_agrees_with_exabgp_on_every_field(string folder)
    {
        Dictionary<string, JsonElement> others = CorpusMessages.Others(folder);
        var wrong = new List<string>();
        var otherFamilies = new SortedSet<string>();
        int compared = 0;
        foreach (CorpusMessage message in CorpusMessages.Read(folder))
        {
            if (others[message.Id].At("exabgp/neighbor/message/update") is not { } expected)
            {
                continue;
            }

            JsonElement decoded = message.Decode();
            List<string> differences = [.. Attributes(expected, decoded), .. Routes(expected, decoded, otherFamilies)];
            compared++;
            if (differences.Count == 0 == Different.ContainsKey(message.Id))
            {
                wrong.Add($"{message.Id}: {(differences.Count == 0 ? "agrees now" : string.Join("; ", differences))}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(compared >= 40, $"only {compared} compared");
        Assert.Equal(["bgp-ls bgp-ls", "ipv4 flow", "ipv4 mcast-vpn", "ipv4 mup", "ipv6 mcast-vpn", "ipv6 mup", "l2vpn vpls"], otherFamilies);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Decode_agrees_with_exabgp_and_tshark_on_every_open(string folder)
    {
        Dictionary<string, JsonElement> others = CorpusMessages.Others(folder);
        int compared = 0;
        foreach (CorpusMessage message in CorpusMessages.Read(folder).Where(m => m.Type == "OPEN"))
        {
            JsonElement decoded = message.Decode();
            Assert.Null(decoded.Action());
            JsonElement tshark = others[message.Id].GetProperty("tshark");
            Assert.Equal(tshark.At("bgp.open.version")!.Value.GetString(), decoded.At("version").ToString());
            Assert.Equal(tshark.At("bgp.open.myas")!.Value.GetString(), decoded.At("my_as").ToString());
            Assert.Equal(tshark.At("bgp.open.holdtime")!.Value.GetString(), decoded.At("hold_time").ToString());
            Assert.Equal(tshark.At("bgp.open.identifier")!.Value.GetString(), decoded.At("router_id").ToString());
            if (message.Id == "g056-0000")
            {
                // tshark 4.0 does not know extended optional parameters (RFC 9072) and finds no capabilities.
                Assert.Equal(11, decoded.Items("capabilities").Count());
                continue;
            }

            Assert.Equal(Values(tshark, "bgp.cap.type"), decoded.Items("capabilities").Select(c => c.At("code").ToString()));
            Assert.Equal(
                Values(tshark, "bgp.cap.mp.afi").Zip(Values(tshark, "bgp.cap.mp.safi")),
                decoded.Items("capabilities").Where(c => c.At("name")?.GetString() == "multiprotocol").Select(c => (c.At("afi").ToString(), c.At("safi").ToString()))!);
            Assert.Equal(
                Values(tshark, "bgp.cap.4as"),
                decoded.Items("capabilities").Where(c => c.At("name")?.GetString() == "4-octet-as").Select(c => c.At("as").ToString()));
            if (others[message.Id].At("exabgp/neighbor/open") is { } open)
            {
                Assert.Equal(open.At("asn").ToString(), decoded.At("as").ToString());
                Assert.Equal(open.At("hold_time").ToString(), decoded.At("hold_time").ToString());
                Assert.Equal(open.At("router_id").ToString(), decoded.At("router_id").ToString());
                Assert.Equal(open.At("capabilities")!.Value.EnumerateObject().Select(c => c.Name), decoded.Items("capabilities").Select(c => c.At("code").ToString()));
            }

            compared++;
        }

        Assert.True(compared >= 20, $"only {compared} compared");
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Decode_agrees_with_tshark_on_every_notification(string folder)
    {
        Dictionary<string, JsonElement> others = CorpusMessages.Others(folder);
        int compared = 0;
        foreach (CorpusMessage message in CorpusMessages.Read(folder).Where(m => m.Type == "NOTIFICATION"))
        {
            JsonElement decoded = message.Decode();
            JsonElement tshark = others[message.Id].GetProperty("tshark");
            Assert.Equal(tshark.At("bgp.notify.major_error")!.Value.GetString(), decoded.At("code").ToString());
            Assert.Equal(Assert.Single(tshark.EnumerateObject(), p => p.Name.StartsWith("bgp.notify.minor_error", StringComparison.Ordinal)).Value.GetString(), decoded.At("subcode").ToString());
            Assert.Equal(tshark.At("bgp.notify.communication")?.GetString(), decoded.At("shutdown")?.GetString());
            compared++;
        }

        Assert.True(compared >= 2, $"only {compared} compared");
    }

    private static IEnumerable<string> Values(JsonElement element, string name) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => p.Name != name ? Values(p.Value, name)
            : p.Value.ValueKind == JsonValueKind.Array ? p.Value.EnumerateArray().Select(v => v.ToString()) : [p.Value.ToString()]),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(e => Values(e, name)),
        _ => [],
    };

    private static IEnumerable<string> Attributes(JsonElement expected, JsonElement decoded)
    {
        JsonElement? ours = decoded.At("attributes");
        Dictionary<string, string?> told = new()
        {
            ["origin"] = ours?.At("origin")?.GetString(),
            ["as-path"] = ours?.At("as_path")?.GetString(),
            ["med"] = ours?.At("med")?.ToString(),
            ["local-preference"] = ours?.At("local_pref")?.ToString(),
            ["atomic-aggregate"] = ours?.At("atomic_aggregate")?.ToString(),
            ["aggregator"] = ours?.At("aggregator") is { } a ? $"{a.At("as")}:{a.At("address")}" : null,
            ["community"] = List("communities", c => c),
            ["large-community"] = List("large_communities", c => c),
            ["extended-community"] = List("extended_communities", c => ulong.Parse(c, NumberStyles.HexNumber, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)),
            ["originator-id"] = ours?.At("originator_id")?.GetString(),
            ["cluster-list"] = List("cluster_list", c => c),
        };
        Dictionary<string, string> wanted = expected.At("attribute") is { } attributes
            ? attributes.EnumerateObject().Where(p => !OutOfScope.Contains(p.Name)).ToDictionary(p => p.Name, Text)
            : [];
        foreach (string name in told.Keys.Union(wanted.Keys))
        {
            // ExaBGP leaves an empty AS_PATH out.
            string? told1 = told.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
            if (told1 != wanted.GetValueOrDefault(name))
            {
                yield return $"{name}: {told1} instead of {wanted.GetValueOrDefault(name)}";
            }
        }

        string? List(string name, Func<string, string> item) =>
            ours?.At(name) is { } list ? string.Join(' ', list.EnumerateArray().Select(e => item(e.GetString()!))) : null;
    }

    private static string Text(JsonProperty attribute) => attribute.Name switch
    {
        "as-path" => string.Join(' ', attribute.Value.EnumerateObject().Select(s => Segment(s.Value))),
        "extended-community" => string.Join(' ', attribute.Value.EnumerateArray().Select(c => c.At("value").ToString())),
        "community" or "large-community" => string.Join(' ', attribute.Value.EnumerateArray().Select(c => string.Join(':', c.EnumerateArray()))),
        "cluster-list" => string.Join(' ', attribute.Value.EnumerateArray()),
        _ => attribute.Value.ToString(),
    };

    private static string Segment(JsonElement segment)
    {
        IEnumerable<string> numbers = segment.Items("value").Select(v => v.ToString());
        return segment.At("element")!.Value.GetString() switch
        {
            "as-sequence" => string.Join(' ', numbers),
            "as-set" => $"{{{string.Join(',', numbers)}}}",
            "confed-sequence" => $"({string.Join(' ', numbers)})",
            _ => $"[{string.Join(',', numbers)}]",
        };
    }

    private static IEnumerable<string> Routes(JsonElement expected, JsonElement decoded, SortedSet<string> otherFamilies)
    {
        List<string> wanted = [];
        foreach (JsonProperty family in Members(expected, "announce").Concat(Members(expected, "withdraw")))
        {
            if (!Families.Contains(family.Name))
            {
                otherFamilies.Add(family.Name);
            }
            else if (family.Value.ValueKind == JsonValueKind.Object)
            {
                wanted.AddRange(family.Value.EnumerateObject().SelectMany(hop => hop.Value.EnumerateArray().Select(n => $"{n.At("nlri")} {n.At("path-information")} via {hop.Name}")));
            }
            else
            {
                wanted.AddRange(family.Value.EnumerateArray().Select(n => $"{n.At("nlri")} {n.At("path-information")} withdrawn"));
            }
        }

        List<string> told =
        [
            .. decoded.Items("withdrawn").Concat(decoded.Items("attributes/mp_unreach/withdrawn")).Select(n => $"{n.At("prefix")} {Id(n)} withdrawn"),
            .. decoded.Items("nlri").Select(n => $"{n.At("prefix")} {Id(n)} via {decoded.At("attributes/next_hop")}"),
            .. decoded.Items("attributes/mp_reach/nlri").Select(n => $"{n.At("prefix")} {Id(n)} via {decoded.At("attributes/mp_reach/next_hop")}"),
        ];
        return told.Order().SequenceEqual(wanted.Order()) ? [] : [$"{string.Join(", ", told)} instead of {string.Join(", ", wanted)}"];
    }

    private static string Id(JsonElement nlri) => nlri.At("path_id") is { } id ? IpAddr.FromIPv4(id.GetUInt32()).ToString() : "";

    private static IEnumerable<JsonProperty> Members(JsonElement element, string name) => element.At(name)?.EnumerateObject() ?? Enumerable.Empty<JsonProperty>();
}
