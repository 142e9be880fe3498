using System.Text.Json;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Wire;

/// <summary>Vectors with verdicts from the RFCs, and real messages against what bgpdump reads in them.</summary>
public sealed class CorpusTests
{
    /// <summary>Messages where bgpdump is more lenient than a speaker may be, or was told the wrong session.</summary>
    private static readonly HashSet<string> Disputed =
    [
        "g042-0000", // carries path identifiers although the session is listed without
        "g100-0001", "g100-0002", // an unknown attribute marked well-known: NOTIFICATION 3/2 by RFC 4271 section 6.3
        "g127-0000", "g127-0001", // next hop of the other family (RFC 8950), which is not negotiated
    ];

    public static TheoryData<string> Folders()
    {
        var folders = new TheoryData<string>(TestData.Path("bgp"));
        if (TestData.Shared is { } shared)
        {
            folders.Add(Path.Combine(shared, "bgp"));
        }

        return folders;
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Malformed_updates_get_the_verdict_of_rfc_7606(string folder)
    {
        var wrong = new List<string>();
        int must = 0;
        foreach (JsonElement item in Cases(folder, "rfc7606-cases.json"))
        {
            string id = item.GetProperty("id").GetString()!;
            byte[] message = Convert.FromHexString(item.GetProperty("update_hex").GetString()!);
            var options = new BgpCodecOptions { FourOctetAs = true, External = item.GetProperty("peer").GetString() == "ebgp" };
            Assert.True(BgpFramer.TryReadHeader(message, options, out _, out int length, out BgpError? header));
            Assert.Null(header);
            Assert.Equal(message.Length, length);
            var update = new UpdateMessage();
            string verdict = UpdateDecoder.Decode(message.AsSpan(BgpConstants.HeaderLength), options, update) switch
            {
                ErrorAction.None => "accept",
                ErrorAction.AttributeDiscard => "attribute-discard",
                ErrorAction.TreatAsWithdraw => "treat-as-withdraw",
                _ => "session-reset",
            };
            if (verdict == "session-reset" && item.GetProperty("notification").GetString() is { } notification)
            {
                verdict += $" {update.Errors[^1].Code}/{update.Errors[^1].Subcode}";
                Compare(item.GetProperty("expected").GetString() + " " + notification);
            }
            else
            {
                Compare(item.GetProperty("expected").GetString()!);
            }

            void Compare(string expected)
            {
                bool binding = item.GetProperty("strength").GetString() == "must";
                must += binding ? 1 : 0;
                if (binding && verdict != expected)
                {
                    wrong.Add($"{id}: {verdict} instead of {expected}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(must >= 20);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Real_updates_have_the_routes_that_bgpdump_reads_in_them(string folder)
    {
        ILookup<string, string> lines = File.ReadLines(Path.Combine(folder, "expected-bgpdump.tsv")).Skip(1)
            .Select(line => line.Split('\t', 2)).ToLookup(f => f[0], f => f[1]);
        var wrong = new List<string>();
        int compared = 0;
        foreach (string[] f in File.ReadLines(Path.Combine(folder, "messages.tsv")).Skip(1).Select(line => line.Split('\t')))
        {
            // bgpdump reads path identifiers into every message of a session that knew ADD-PATH, and guesses at cut messages.
            if (f[2] != "UPDATE" || f[4] != "0" || f[5] != "0" || f[6] != "0" || !lines.Contains(f[0]) || Disputed.Contains(f[0]))
            {
                continue;
            }

            List<string> expected = [.. lines[f[0]].Select(Normalize).Order()];
            List<string>? read = Routes(Convert.FromHexString(f[8]), new BgpCodecOptions { FourOctetAs = f[3] != "2" });
            compared++;
            if (!Same(read, expected))
            {
                wrong.Add($"{f[0]} {f[1]}: [{string.Join("; ", read ?? [])}] instead of [{string.Join("; ", expected)}]");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(compared >= 10, $"only {compared} compared");
    }

    internal static IEnumerable<JsonElement> Cases(string folder, string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));
        foreach (JsonElement item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            yield return item.Clone();
        }
    }

    private static bool Same(List<string>? read, List<string> expected) => read is not null && read.Order().SequenceEqual(expected);

    /// <summary>Kind, prefix, and for announcements AS_PATH, ORIGIN and next hop (bgpdump prints an absent one as all ones).</summary>
    private static string Normalize(string line)
    {
        string[] f = line.Split('|');
        return f[0] == "W" ? $"W|{Masked(f[1])}" : $"A|{Masked(f[1])}|{f[2]}|{f[3]}|{IpAddr.Parse(f[4])}";
    }

    /// <summary>bgpdump prints bits beyond the prefix length, which RFC 4271 calls irrelevant.</summary>
    private static string Masked(string text)
    {
        string[] parts = text.Split('/');
        IpAddr address = IpAddr.Parse(parts[0]);
        int length = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        return length > address.BitLength ? text : IpPrefix.Create(address, length).ToString();
    }

    private static List<string>? Routes(byte[] message, BgpCodecOptions options)
    {
        var update = new UpdateMessage();
        if (UpdateDecoder.Decode(message.AsSpan(BgpConstants.HeaderLength), options, update) == ErrorAction.SessionReset)
        {
            return null;
        }

        var routes = new List<string>();
        routes.AddRange(update.Withdrawn.Concat(update.MpUnreach).Select(n => $"W|{n.Prefix}"));
        PathAttributes attributes = update.Attributes ?? new PathAttributes();
        routes.AddRange(update.Announced.Select(n => Announced(n, update.Attributes!.NextHop)));
        routes.AddRange(update.MpReach.Select(n => Announced(n, update.MpNextHop)));
        return routes;

        string Announced(Nlri nlri, NextHop nextHop) =>
            $"A|{nlri.Prefix}|{attributes.AsPath}|{attributes.Origin.ToString().ToUpperInvariant()}|{(nextHop.Address.IsDefault ? "255.255.255.255" : nextHop.Address)}";
    }
}
