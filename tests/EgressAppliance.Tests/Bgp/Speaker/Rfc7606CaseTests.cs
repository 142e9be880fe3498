using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>
/// The vectors of RFC 7606 played to the running speaker over TCP, as the file of cases says: a well-formed announcement of the prefix, the case's UPDATE,
/// a well-formed sentinel; then the verdict is read from the table and the wire.
/// </summary>
public sealed class Rfc7606CaseTests
{
    private const uint ExternalAs = 65001;
    private const string Sentinel = "198.18.0.0/15";
    private static readonly BgpCodecOptions Codec = new() { FourOctetAs = true };

    public static TheoryData<string> Folders() => CorpusTests.Folders();

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task Every_binding_case_gets_the_verdict_of_the_rfc(string folder)
    {
        var wrong = new List<string>();
        int count = 0;
        foreach (JsonElement item in CorpusTests.Cases(folder, "rfc7606-cases.json").Where(c => Text(c, "strength") == "must"))
        {
            string expected = Text(item, "expected")! + (Text(item, "notification") is { } notification ? $" {notification}" : "");
            string verdict = await PlayAsync(item);
            count++;
            bool anyCode = expected == "session-reset" && verdict.StartsWith(expected, StringComparison.Ordinal);
            if (verdict != expected && !anyCode)
            {
                wrong.Add($"{Text(item, "id")}: {verdict} instead of {expected}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(count >= 20, $"only {count} cases");
    }

    [Fact]
    public async Task What_we_do_where_the_rfcs_leave_room_is_documented()
    {
        var text = new StringBuilder();
        text.Append(
            """
            # Judgement: what we do where the RFCs leave room

            Malformed or odd UPDATEs for which an RFC gives no binding answer, or several. *What we do* is what the running speaker does over TCP with the bytes of
            `tests/data/bgp/rfc7606-judgement.json`; a test writes this page and fails when it differs (`UPDATE_GOLDEN=1` rewrites it).

            | Case | RFC, section | What is left open | What we do | Why |
            |---|---|---|---|---|

            """);
        foreach (JsonElement item in CorpusTests.Cases(TestData.Path("bgp"), "rfc7606-judgement.json"))
        {
            text.Append($"| `{Text(item, "id")}` | {Text(item, "ref")} | {Text(item, "left_open")} | {Words(await PlayAsync(item))} | {Text(item, "why")} |\n");
        }

        string page = Path.Combine(TestData.RepositoryRoot, "docs", "bgp-judgement.md");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            await File.WriteAllTextAsync(page, text.ToString());
        }

        Assert.Equal(await File.ReadAllTextAsync(page), text.ToString());
    }

    private static string Words(string verdict) => verdict switch
    {
        "accept" => "the route is taken",
        "attribute-discard" => "the attribute is dropped, the route taken",
        "treat-as-withdraw" => "the route is withdrawn, the session stays",
        _ => verdict.Replace("session-reset ", "the session is reset with ", StringComparison.Ordinal),
    };

    private static async Task<string> PlayAsync(JsonElement item)
    {
        bool external = Text(item, "peer") == "ebgp";
        uint peerAs = external ? ExternalAs : ScriptedRouter.As;
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer() with { PeerAs = peerAs }));
        await using ScriptedRouter router = await ScriptedRouter.ConnectAsync((IPEndPoint)speaker.ListeningOn[0]);
        await router.EstablishAsync(ScriptedRouter.OpenOf(addPath: false, asNumber: peerAs));
        IpPrefix prefix = IpPrefix.Parse(Text(item, "prefix")!);
        router.Announce(Codec, WellFormed(external, prefix.Family), 0, prefix.ToString());
        await speaker.UntilPathsAsync(prefix.ToString(), 1);
        byte[] update = Convert.FromHexString(Text(item, "update_hex")!);
        router.SendRaw(update);
        try
        {
            router.Announce(Codec, WellFormed(external, IpFamily.IPv4), 0, Sentinel);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The speaker was quicker to close.
        }

        await SpeakerFixture.UntilAsync(() => speaker.GetPaths(IpPrefix.Parse(Sentinel)).Count == 1 || speaker.GetPeers()[0].State != SessionState.Established);
        PeerStatus status = speaker.GetPeers()[0];
        if (status.State != SessionState.Established)
        {
            Received? last = (await router.ExpectCloseAsync()).Find(m => m.Type == BgpMessageType.Notification);
            return last is null ? "closed" : $"session-reset {last.Notification.Code}/{last.Notification.Subcode}";
        }

        Assert.Equal(1, status.Transitions);
        IReadOnlyList<RibPath> paths = speaker.GetPaths(prefix);
        return paths.Count == 0 ? "treat-as-withdraw" : LacksAny(update, paths[0].Attributes) ? "attribute-discard" : "accept";
    }

    private static PathAttributes WellFormed(bool external, IpFamily family) => new()
    {
        Origin = Origin.Igp,
        AsPath = external ? AsPath.Sequence(ExternalAs) : AsPath.Empty,
        NextHop = new(IpAddr.Parse(family == IpFamily.IPv4 ? "192.0.2.1" : "2001:db8::1")),
        LocalPref = external ? null : 100,
    };

    /// <summary>True if an attribute of the message is not, or not as it was sent the second time, among those that were stored.</summary>
    private static bool LacksAny(byte[] update, PathAttributes stored)
    {
        ReadOnlySpan<byte> body = update.AsSpan(BgpConstants.HeaderLength);
        int withdrawn = BinaryPrimitives.ReadUInt16BigEndian(body);
        int length = BinaryPrimitives.ReadUInt16BigEndian(body[(2 + withdrawn)..]);
        ReadOnlySpan<byte> attributes = body.Slice(4 + withdrawn, length);
        var seen = new HashSet<byte>();
        while (attributes.Length >= 3)
        {
            bool wide = (attributes[0] & (byte)AttributeFlags.ExtendedLength) != 0;
            int header = wide ? 4 : 3;
            int size = wide ? BinaryPrimitives.ReadUInt16BigEndian(attributes[2..]) : attributes[2];
            AttributeFlags flags = (AttributeFlags)attributes[0];
            byte type = attributes[1];
            if (type == (byte)AttributeType.Med && size == sizeof(uint) && !seen.Contains(type))
            {
                // RFC 7606 section 3 g: of an attribute that comes twice the first counts.
                Assert.Equal(BinaryPrimitives.ReadUInt32BigEndian(attributes[header..]), stored.Med);
            }

            // An unknown non-transitive attribute is quietly ignored (RFC 4271 section 5), which is no error.
            bool ignored = (flags & AttributeFlags.Transitive) == 0 && type > (byte)AttributeType.OnlyToCustomer;
            if (!seen.Add(type) || (!ignored && !Has(stored, type)))
            {
                return true;
            }

            attributes = attributes[(header + size)..];
        }

        return false;
    }

    private static bool Has(PathAttributes stored, byte type) => (AttributeType)type switch
    {
        AttributeType.Origin or AttributeType.AsPath or AttributeType.NextHop or AttributeType.MpReachNlri or AttributeType.MpUnreachNlri => true,
        AttributeType.Med => stored.Med is not null,
        AttributeType.LocalPref => stored.LocalPref is not null,
        AttributeType.AtomicAggregate => stored.AtomicAggregate,
        AttributeType.Aggregator => stored.Aggregator is not null,
        AttributeType.Communities => !stored.Communities.IsEmpty,
        AttributeType.OriginatorId => stored.OriginatorId is not null,
        AttributeType.ClusterList => !stored.ClusterList.IsEmpty,
        AttributeType.ExtendedCommunities => !stored.ExtendedCommunities.IsEmpty,
        AttributeType.LargeCommunities => !stored.LargeCommunities.IsEmpty,
        _ => stored.Unknown.Any(a => a.Type == type),
    };

    private static string? Text(JsonElement item, string name) => item.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
