using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Speaker;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>What two OPENs agree on, capability by capability.</summary>
public sealed class SessionParametersTests
{
    private static readonly BgpPeerOptions Peer = SpeakerFixture.Peer(179);

    [Fact]
    public void MakeOpen_offers_what_we_do_and_never_what_would_let_our_routes_outlive_us()
    {
        OpenMessage open = SessionParameters.MakeOpen(Peer, SpeakerFixture.RouterId);

        Assert.Equal([1, 1, 2, 5, 6, 65, 69], open.Capabilities.Select(c => (int)c.Code));
        Assert.True(open.ExtendedNextHop(AfiSafi.IPv4Unicast, BgpConstants.AfiIPv6));
        Assert.DoesNotContain(open.Capabilities, c => c.Code is BgpCapability.GracefulRestartCode
            or BgpCapability.EnhancedRouteRefreshCode or BgpCapability.LongLivedGracefulRestartCode);
    }

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void MakeOpen_offers_no_foreign_next_hops_with_one_family_alone(IpFamily family) =>
        Assert.DoesNotContain(
            SessionParameters.MakeOpen(Peer with { Families = [family] }, SpeakerFixture.RouterId).Capabilities,
            c => c.Code == BgpCapability.ExtendedNextHopCode);

    [Fact]
    public void Negotiate_takes_extended_messages_and_next_hops_only_if_the_peer_offers_them_too()
    {
        SessionParameters plain = Agreed();
        Assert.False(plain.Receive.ExtendedMessage || plain.Send.ExtendedMessage || plain.Receive.ExtendedNextHop || plain.Send.ExtendedNextHop);
        Assert.Equal(BgpConstants.MaxMessageLength, plain.Send.MaxMessageLength);

        SessionParameters both = Agreed(BgpCapability.ExtendedMessage, BgpCapability.ExtendedNextHop(AfiSafi.IPv4Unicast, BgpConstants.AfiIPv6));
        Assert.True(both.Receive.ExtendedMessage && both.Send.ExtendedMessage && both.Receive.ExtendedNextHop && both.Send.ExtendedNextHop);
        Assert.Equal(BgpConstants.MaxExtendedMessageLength, both.Send.MaxMessageLength);
    }

    [Theory]
    // IPv6 routes with IPv4 next hops, multicast, an entry cut short: none is the one we offer.
    [InlineData("000200010001")]
    [InlineData("000100020002")]
    [InlineData("0001000100")]
    [InlineData("000101010002")]
    public void Negotiate_passes_over_an_extended_next_hop_of_another_kind(string value) =>
        Assert.False(Agreed(new BgpCapability(BgpCapability.ExtendedNextHopCode, Convert.FromHexString(value))).Receive.ExtendedNextHop);

    [Fact]
    public void Negotiate_ignores_capabilities_nobody_knows_and_malformed_ones()
    {
        // RFC 5492 section 3: not a reason for a NOTIFICATION.
        SessionParameters agreed = Agreed(
            new BgpCapability(200, [1, 2, 3]), new BgpCapability(BgpCapability.MultiprotocolCode, [1]), new BgpCapability(BgpCapability.AddPathCode, [0, 1]));

        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], agreed.Families);
    }

    [Theory]
    [InlineData(AddPathMode.Send, AddPathMode.Send, true, true)]
    [InlineData(AddPathMode.Both, AddPathMode.Receive, true, false)]
    [InlineData(AddPathMode.Receive, AddPathMode.Send, false, true)]
    [InlineData(AddPathMode.Receive, AddPathMode.Receive, false, false)]
    public void Negotiate_receives_several_paths_of_each_family_the_peer_sends_them_of(AddPathMode ipv4, AddPathMode ipv6, bool receive4, bool receive6)
    {
        SessionParameters agreed = Agreed(BgpCapability.AddPath(new AddPathEntry(AfiSafi.IPv4Unicast, ipv4), new AddPathEntry(AfiSafi.IPv6Unicast, ipv6)));

        Assert.Equal((receive4, receive6), (agreed.Receive.AddPathIPv4, agreed.Receive.AddPathIPv6));
        Assert.Equal(receive4 && receive6, agreed.AddPath);
        Assert.False(agreed.Send.AddPathIPv4 || agreed.Send.AddPathIPv6);
    }

    [Fact]
    public void Negotiate_without_a_common_family_names_the_families_that_were_wanted()
    {
        BgpError? error = SessionParameters.Negotiate(
            Peer with { Families = [IpFamily.IPv6] }, SpeakerFixture.RouterId, Open(BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast)), out SessionParameters? agreed);

        Assert.Null(agreed);
        Assert.Equal((BgpErrorCode.Open, OpenSubcode.Capability), (error!.Code, error.Subcode));
        Assert.Equal("010400020001", Convert.ToHexStringLower(error.ToNotification().Data.Span));
    }

    [Fact]
    public void Negotiate_takes_a_peer_without_any_capability_for_one_of_ipv4()
    {
        Assert.Null(SessionParameters.Negotiate(
            Peer, SpeakerFixture.RouterId, new OpenMessage { MyAs = (ushort)ScriptedRouter.As, HoldTime = 90, RouterId = 1 }, out SessionParameters? agreed));

        Assert.Equal([IpFamily.IPv4], agreed!.Families);
        Assert.False(agreed.Receive.FourOctetAs);
        Assert.False(agreed.RouteRefresh);
    }

    [Fact]
    public void Negotiate_accepts_equal_identifiers_of_different_autonomous_systems_only()
    {
        OpenMessage external = ScriptedRouter.OpenOf(routerId: SpeakerFixture.RouterId, asNumber: 65001);
        Assert.Null(SessionParameters.Negotiate(Peer with { PeerAs = 65001 }, SpeakerFixture.RouterId, external, out _));

        BgpError? error = SessionParameters.Negotiate(Peer, SpeakerFixture.RouterId, ScriptedRouter.OpenOf(routerId: SpeakerFixture.RouterId), out _);
        Assert.Equal((BgpErrorCode.Open, OpenSubcode.Identifier), (error!.Code, error.Subcode));
    }

    [Fact]
    public void Shutdown_text_is_cut_at_a_character_and_read_back()
    {
        NotificationMessage sent = NotificationMessage.Shutdown(new string('ä', 200), CeaseSubcode.Reset);

        Assert.Equal(255, sent.Data.Length);
        Assert.Equal(new string('ä', 127), sent.ShutdownText);
        Assert.Equal("6/4 Cease, Administrative Reset: \"maintenance\"", NotificationMessage.Shutdown("maintenance", CeaseSubcode.Reset).ToString());
        Assert.Null(NotificationMessage.Shutdown("").ShutdownText);
    }

    [Fact]
    public void Shutdown_text_of_a_peer_cannot_move_a_terminal()
    {
        NotificationMessage evil = NotificationMessage.Shutdown("a\u001b[2J\u202eb\u2028c");

        Assert.Equal("a?[2J?b?c", evil.ShutdownText);
    }

    [Fact]
    public void Hard_reset_shows_what_is_inside()
    {
        byte[] inner = [BgpErrorCode.Cease, CeaseSubcode.Shutdown, 3, (byte)'o', (byte)'p', (byte)'s'];

        Assert.Equal(
            "6/9 Cease, Hard Reset (6/2 Cease, Administrative Shutdown: \"ops\")",
            new NotificationMessage(BgpErrorCode.Cease, CeaseSubcode.HardReset, inner).ToString());
        Assert.Equal("6/9 Cease, Hard Reset", NotificationMessage.Cease(CeaseSubcode.HardReset).ToString());
    }

    [Theory]
    [InlineData(1, "Maximum Number of Prefixes Reached")]
    [InlineData(2, "Administrative Shutdown")]
    [InlineData(3, "Peer De-configured")]
    [InlineData(4, "Administrative Reset")]
    [InlineData(5, "Connection Rejected")]
    [InlineData(6, "Other Configuration Change")]
    [InlineData(7, "Connection Collision Resolution")]
    [InlineData(8, "Out of Resources")]
    [InlineData(9, "Hard Reset")]
    [InlineData(10, "BFD Down")]
    public void Cease_subcodes_have_the_names_of_the_rfcs(byte subcode, string name) =>
        Assert.Equal($"6/{subcode} Cease, {name}", NotificationNames.Describe(BgpErrorCode.Cease, subcode));

    private static OpenMessage Open(params BgpCapability[] capabilities) => new()
    {
        MyAs = (ushort)ScriptedRouter.As,
        HoldTime = 90,
        RouterId = 0x0A000001,
        Capabilities = [BgpCapability.FourOctetAs(ScriptedRouter.As), .. capabilities],
    };

    private static SessionParameters Agreed(params BgpCapability[] more)
    {
        OpenMessage open = Open([BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast), .. more]);
        Assert.Null(SessionParameters.Negotiate(Peer, SpeakerFixture.RouterId, open, out SessionParameters? agreed));
        return agreed!;
    }
}
