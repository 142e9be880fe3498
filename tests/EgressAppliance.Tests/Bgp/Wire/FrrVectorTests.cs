using System.Text.Json;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Wire;

/// <summary>Byte vectors of FRR's unit tests with the verdicts documented there: attributes, capabilities and AS_PATHs, each put into the smallest message that can hold it.</summary>
public sealed class FrrVectorTests
{
    private const string Opaque = "a capability that is not used is not looked into (RFC 5492 section 3)";
    private const string NotNegotiated = "of a family that is never negotiated, and so not looked into (RFC 4760 section 5)";

    /// <summary>Vectors with another verdict here, and why.</summary>
    private static readonly Dictionary<string, string> Different = new()
    {
        ["IPv6"] = "the next hop is in ff00::/8 and so no host (RFC 4271 section 6.3, RFC 4291 section 2.7)",
        ["IPv6-default"] = "the next hop is in ff00::/8 and so no host (RFC 4271 section 6.3, RFC 4291 section 2.7)",
        ["IPv6-bug"] = "a next hop without any prefix announces nothing, which RFC 4760 does not forbid",
        ["IPv4-VPNv4-plen1-short"] = NotNegotiated,
        ["IPv4-VPNv4-plenn-long"] = NotNegotiated,
        ["ORF-empty"] = Opaque,
        ["GR-empty"] = Opaque,
        ["Role-empty"] = Opaque,
        ["local-pref-len-3-ebgp-oad"] = "sessions of one administration (OAD) are not known here, and LOCAL_PREF from an external peer is discarded unread (RFC 7606 section 7.5)",
        ["aigp-bad-flags-ibgp"] = "wrong flags are treat-as-withdraw but for attributes that say otherwise (RFC 7606 section 3 c), and RFC 7311 says nothing",
        ["BGP_AS_ZERO asdot+"] = "AS 0 in AS_PATH is malformed (RFC 7607 section 2)",
    };

    public static TheoryData<string> Folders() => Text.CorpusMessages.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Vectors_have_the_documented_verdict(string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "frr-unit-vectors.json")));
        var wrong = new List<string>();
        int agreed = 0;
        foreach (JsonElement vector in document.RootElement.EnumerateArray())
        {
            string name = vector.GetProperty("name").GetString()!;
            byte[] octets = Convert.FromHexString(vector.GetProperty("hex").GetString()!);
            string expected = vector.GetProperty("expect").GetString()!;
            string verdict = vector.GetProperty("array").GetString() switch
            {
                "mp_reach_segments" => Attribute(AttributeType.MpReachNlri, octets),
                "mp_unreach_segments" => Attribute(AttributeType.MpUnreachNlri, octets),
                "attr_tests" => Attributes(octets, vector.GetProperty("peer").GetString() == "ebgp", vector.GetProperty("has_nlri").GetBoolean()),
                "test_segments" when vector.TryGetProperty("as_octets", out JsonElement size) => Sequence(octets, size.GetInt32() == 4, vector),
                _ => Capability(octets),
            };
            agreed += verdict == expected ? 1 : 0;
            if (verdict == expected == Different.ContainsKey(name))
            {
                wrong.Add($"{name}: {verdict}, FRR {expected}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(agreed >= 35, $"only {agreed} agreed");
    }

    private static string Attribute(AttributeType type, byte[] value)
    {
        byte[] attributes = [0x40, 1, 1, 0, 0x40, 2, 0, 0x90, (byte)type, (byte)(value.Length >> 8), (byte)value.Length, .. value];
        return Decode(attributes, [], external: false) == ErrorAction.None ? "parse" : "error";
    }

    private static string Attributes(byte[] attributes, bool external, bool hasNlri) =>
        Decode(attributes, hasNlri ? [24, 203, 0, 113] : [], external) switch
        {
            ErrorAction.SessionReset => "session-reset",
            ErrorAction.TreatAsWithdraw => "treat-as-withdraw",
            _ => "proceed",
        };

    private static ErrorAction Decode(byte[] attributes, byte[] nlri, bool external)
    {
        byte[] body = [0, 0, (byte)(attributes.Length >> 8), (byte)attributes.Length, .. attributes, .. nlri];
        return UpdateDecoder.Decode(body, new BgpCodecOptions { FourOctetAs = true, External = external }, new UpdateMessage());
    }

    private static string Capability(byte[] octets)
    {
        byte[] body = [4, 0xFD, 0xE9, 0, 90, 192, 0, 2, 1, (byte)(octets.Length + 2), 2, (byte)octets.Length, .. octets];
        return OpenMessage.Decode(body, out _) is null ? "parse" : "error";
    }

    private static string Sequence(byte[] octets, bool fourOctet, JsonElement vector)
    {
        if (!AsPath.TryDecode(octets, fourOctet, out AsPath path))
        {
            return "error";
        }

        // FRR prints asdot here if told to (RFC 5396); the numbers are the same.
        string expected = string.Join(' ', vector.GetProperty("expected_string").GetString()!.Split(' ').Select(n => n.StartsWith("0.", StringComparison.Ordinal) ? n[2..] : n));

        // Two sequences behind one another it prints as one, and so do we.
        return path.ToString() == expected ? "aspath" : path.ToString();
    }
}
