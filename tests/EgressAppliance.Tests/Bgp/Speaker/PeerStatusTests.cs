using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>What is shown of a peer: what was agreed on, why it went down, what it was asked, and how near the limits are.</summary>
public sealed class PeerStatusTests
{
    private const string ProviderA = "100.64.1.2";

    [Fact]
    public async Task Negotiated_is_what_both_offered_and_goes_with_the_session()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));
        Assert.Null(speaker.GetPeers()[0].Negotiated);
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync(ScriptedRouter.OpenOf(holdTime: 6, addPath: false, more: BgpCapability.AddPath(new AddPathEntry(AfiSafi.IPv6Unicast, AddPathMode.Send))));
        await speaker.UntilEstablishedAsync();

        NegotiatedSession agreed = speaker.GetPeers()[0].Negotiated!;

        Assert.Equal((0x0A000001u, true, TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(2)), (agreed.PeerRouterId, agreed.Internal, agreed.HoldTime, agreed.KeepaliveInterval));
        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], agreed.Families);
        Assert.Equal([IpFamily.IPv6], agreed.AddPathFamilies);
        Assert.Equal((true, true, false, false), (agreed.RouteRefresh, agreed.FourOctetAs, agreed.ExtendedMessage, agreed.ExtendedNextHop));

        router.Reset();
        await SpeakerFixture.UntilAsync(() => speaker.GetPeers()[0].State != SessionState.Established);
        Assert.Null(speaker.GetPeers()[0].Negotiated);
        Assert.Null(speaker.GetPeers()[0].Output);
    }

    [Fact]
    public async Task Notification_received_is_kept_with_its_text_when_the_next_attempt_fails_otherwise()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync();
        await speaker.UntilEstablishedAsync();
        Assert.Null(speaker.GetPeers()[0].LastNotification);

        router.Send(NotificationMessage.Shutdown("line card swap").Encode);
        await SpeakerFixture.UntilAsync(() => speaker.GetPeers()[0].LastNotification is not null);
        await using (ScriptedRouter again = await ScriptedRouter.AcceptAsync(listener))
        {
            await again.ExpectAsync(BgpMessageType.Open);
            again.Reset();
        }

        await SpeakerFixture.UntilAsync(() => speaker.GetPeers()[0].LastError!.Contains("TCP", StringComparison.Ordinal));
        PeerStatus status = speaker.GetPeers()[0];
        Assert.True(status.LastNotification!.Received);
        Assert.Equal("line card swap", status.LastNotification.Message.ShutdownText);
        Assert.Equal((0, 1), (status.NotificationsSent, status.NotificationsReceived));
        Assert.True(status.LastErrorTime >= status.LastNotification.Time);
    }

    [Fact]
    public async Task Notification_sent_is_told_as_ours()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)));
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync(ScriptedRouter.OpenOf(asNumber: 65009), keepAlive: false).WaitAsync(TimeSpan.FromMinutes(2)).ContinueWith(_ => { }, TaskScheduler.Default);

        await SpeakerFixture.UntilAsync(() => speaker.GetPeers()[0].LastNotification is not null);

        PeerStatus status = speaker.GetPeers()[0];
        Assert.False(status.LastNotification!.Received);
        Assert.Equal((BgpErrorCode.Open, OpenSubcode.PeerAs), (status.LastNotification.Message.Code, status.LastNotification.Message.Subcode));
        Assert.Equal((true, 0L), (status.NotificationsSent > 0, status.NotificationsReceived));
    }

    [Fact]
    public async Task Refreshes_ignored_routes_and_limits_are_counted()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        BgpPeerOptions peer = SpeakerFixture.Peer(port) with { MaxPrefix = 4, PeerAcceptsAtMost = 7 };
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(peer));
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync();
        await speaker.UntilEstablishedAsync();
        router.Send(new RouteRefreshMessage(AfiSafi.IPv4Unicast).Encode);
        router.Send(new RouteRefreshMessage(AfiSafi.IPv6Unicast).Encode);
        router.Announce(ScriptedRouter.Via(ProviderA, 64501, communities: SpeakerFixture.Marker), 1, "20.9.0.0/16");
        router.Announce(ScriptedRouter.Via(ProviderA, 64501), 1, "20.0.0.0/16", "20.1.0.0/16", "20.2.0.0/16");
        await speaker.UntilPathsAsync("20.2.0.0/16", 1);

        Assert.Equal(RefreshOutcome.Sent, speaker.RequestRefresh(peer.Name, IpFamily.IPv4));

        PeerStatus status = speaker.GetPeers()[0];
        Assert.Equal((1, 2, 1), (status.RefreshesSent, status.RefreshesReceived, status.RoutesIgnored));
        Assert.Equal((4, 0.75, true, (int?)7), (status.MaxPrefix, status.MaxPrefixRatio, status.MaxPrefixWarning, status.MaxPrefixOut));
        Assert.Equal((peer.OutboundHighMark, peer.OutboundLimit, false), (status.Output!.HighMarkBytes, status.Output.LimitBytes, status.Output.Behind));
    }

    [Fact]
    public async Task Protection_is_told()
    {
        BgpPeerOptions guarded = SpeakerFixture.Peer(1) with { TtlSecurity = true, Password = "k3y" };
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(1, "127.0.0.2"), guarded) with { Listen = [] });
        Assert.Equal([(false, false), (true, true)], speaker.GetPeers().Select(p => (p.Md5, p.TtlSecurity)));
    }
}
