using System.Text.Json;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Wire;

/// <summary>Vectors with verdicts from the RFCs.</summary>
public sealed class CorpusTests
{
    public static TheoryData<string> Folders() => Text.CorpusMessages.Folders();

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

    internal static IEnumerable<JsonElement> Cases(string folder, string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));
        foreach (JsonElement item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            yield return item.Clone();
        }
    }
}
