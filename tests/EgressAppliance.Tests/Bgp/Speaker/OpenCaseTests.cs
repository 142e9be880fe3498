using System.Net;
using System.Text.Json;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Tests.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Vectors of header, OPEN and state errors, played to a live speaker over TCP.</summary>
public sealed class OpenCaseTests
{
    public static TheoryData<string> Folders() => CorpusTests.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task Each_case_gets_the_answer_the_rfcs_ask_for(string folder)
    {
        var wrong = new List<string>();
        int count = 0;
        foreach (JsonElement item in CorpusTests.Cases(folder, "open-cases.json"))
        {
            string expected = item.GetProperty("expected").GetString()!;
            string verdict = await PlayAsync([.. item.GetProperty("send_hex").EnumerateArray().Select(h => Convert.FromHexString(h.GetString()!))], expected);
            count++;
            if (!Agrees(expected, verdict))
            {
                wrong.Add($"{item.GetProperty("id").GetString()}: {verdict} instead of {expected}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(count >= 10);
    }

    private static bool Agrees(string expected, string verdict) => expected switch
    {
        "notification 2/0 or ignore" => Is(verdict, "notification 2/0") || verdict == "established",
        _ => expected.Split(" or ").Any(e => Is(verdict, e) || Is(verdict, "notification " + e)),
    };

    /// <summary>The data field counts where the case gives one.</summary>
    private static bool Is(string verdict, string expected) =>
        verdict == expected || (!expected.Contains(" data ", StringComparison.Ordinal) && verdict.StartsWith(expected + " data ", StringComparison.Ordinal));

    private static async Task<string> PlayAsync(List<byte[]> frames, string expected)
    {
        BgpPeerOptions peer = SpeakerFixture.PassivePeer() with { PeerAs = 65001 };
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(peer));
        await using ScriptedRouter router = await ScriptedRouter.ConnectAsync((IPEndPoint)speaker.ListeningOn[0]);
        await router.ExpectAsync(BgpMessageType.Open);
        foreach (byte[] frame in frames)
        {
            router.SendRaw(frame);
        }

        if (expected is "established" or "notification 2/0 or ignore")
        {
            await speaker.UntilEstablishedAsync();
            return "established";
        }

        Received? notification = (await router.ExpectCloseAsync()).Find(m => m.Type == BgpMessageType.Notification);
        if (notification?.Notification is not { } sent)
        {
            return "closed";
        }

        return $"notification {sent.Code}/{sent.Subcode}" + (sent.Data.IsEmpty ? "" : $" data {Convert.ToHexStringLower(sent.Data.Span)}");
    }
}
