using System.Net.Sockets;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Connection collisions over TCP: the speaker connects to the router while the router connects to the speaker.</summary>
public sealed class CollisionTests
{
    private const uint Lower = 0x01000000;
    private const uint Higher = 0xC0000000;

    [Theory]
    [InlineData(Lower, 65000u, true)]
    [InlineData(Higher, 65000u, false)]
    [InlineData(SpeakerFixture.RouterId, 64999u, true)]
    [InlineData(SpeakerFixture.RouterId, 65001u, false)]
    [InlineData(Lower, 65001u, true)]
    [InlineData(Higher, 64999u, false)]
    public async Task Open_on_either_connection_settles_it_while_the_other_awaits_its_open(uint routerId, uint peerAs, bool oursStays)
    {
        foreach (bool firstOnOurs in new[] { true, false })
        {
            await using Pair pair = await Pair.StartAsync(peerAs);
            await pair.ConnectAsync();
            OpenMessage open = ScriptedRouter.OpenOf(routerId: routerId, asNumber: peerAs);
            (firstOnOurs ? pair.Ours : pair.Theirs).Send(open.Encode);

            await pair.ExpectAsync(oursStays, open, openSent: firstOnOurs == oursStays);
        }
    }

    [Theory]
    [InlineData(Lower, 65000u, true)]
    [InlineData(Higher, 65000u, false)]
    [InlineData(SpeakerFixture.RouterId, 64999u, true)]
    [InlineData(SpeakerFixture.RouterId, 65001u, false)]
    public async Task Open_of_the_routers_connection_settles_it_while_ours_is_in_open_confirm(uint routerId, uint peerAs, bool oursStays)
    {
        await using Pair pair = await Pair.StartAsync(peerAs);
        OpenMessage open = ScriptedRouter.OpenOf(routerId: routerId, asNumber: peerAs);
        pair.Ours.Send(open.Encode);
        await pair.Ours.ExpectAsync(BgpMessageType.Keepalive);

        // The message goes out before the state is shown.
        await SpeakerFixture.UntilAsync(() => pair.Speaker.GetPeers()[0].State == SessionState.OpenConfirm);
        await pair.ConnectAsync();
        pair.Theirs.Send(open.Encode);

        await pair.ExpectAsync(oursStays, open, openSent: true);
    }

    [Theory]
    [InlineData(Lower)]
    [InlineData(Higher)]
    public async Task Established_session_stays_whoever_is_higher(uint routerId)
    {
        await using Pair pair = await Pair.StartAsync(65000);
        await pair.ConnectAsync();
        OpenMessage open = ScriptedRouter.OpenOf(routerId: routerId);
        bool oursStays = routerId == Lower;
        ScriptedRouter winner = oursStays ? pair.Ours : pair.Theirs;
        winner.Send(open.Encode);
        await pair.ExpectAsync(oursStays, open, openSent: true);
        await using ScriptedRouter late = await ScriptedRouter.ConnectAsync(pair.Speaker.ListeningOn[0]);

        NotificationMessage refusal = Assert.Single(await late.ExpectCloseAsync()).Notification;

        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Collision), (refusal.Code, refusal.Subcode));
        Assert.Equal(SessionState.Established, pair.Speaker.GetPeers()[0].State);
        Assert.Equal(1, pair.Speaker.GetPeers()[0].Transitions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unacceptable_open_ends_its_own_connection_and_leaves_the_other(bool onOurs)
    {
        await using Pair pair = await Pair.StartAsync(65000);
        await pair.ConnectAsync();
        ScriptedRouter bad = onOurs ? pair.Ours : pair.Theirs;
        ScriptedRouter good = onOurs ? pair.Theirs : pair.Ours;
        bad.Send(ScriptedRouter.OpenOf(asNumber: 65009).Encode);

        NotificationMessage refusal = (await bad.ExpectAsync(BgpMessageType.Notification)).Notification;

        Assert.Equal((BgpErrorCode.Open, OpenSubcode.PeerAs), (refusal.Code, refusal.Subcode));
        good.Send(ScriptedRouter.OpenOf().Encode);
        await good.ExpectAsync(BgpMessageType.Keepalive);
        good.Send(KeepaliveMessage.Encode);
        await pair.Speaker.UntilEstablishedAsync();
    }

    [Theory]
    [InlineData(SessionState.OpenConfirm, FsmSubcode.OpenConfirm)]
    [InlineData(SessionState.Established, FsmSubcode.Established)]
    public async Task Open_that_comes_too_late_is_unexpected_acceptable_or_not(SessionState state, byte subcode)
    {
        foreach (uint asNumber in new[] { ScriptedRouter.As, 65009u })
        {
            await using Pair pair = await Pair.StartAsync(65000);
            pair.Ours.Send(ScriptedRouter.OpenOf().Encode);
            await pair.Ours.ExpectAsync(BgpMessageType.Keepalive);
            if (state == SessionState.Established)
            {
                pair.Ours.Send(KeepaliveMessage.Encode);
                await pair.Speaker.UntilEstablishedAsync();
            }

            pair.Ours.Send(ScriptedRouter.OpenOf(asNumber: asNumber).Encode);

            NotificationMessage notification = (await pair.Ours.ExpectAsync(BgpMessageType.Notification)).Notification;
            Assert.Equal((BgpErrorCode.Fsm, subcode, "01"), (notification.Code, notification.Subcode, Convert.ToHexString(notification.Data.Span)));
        }
    }

    /// <summary>The speaker's connection, its OPEN already seen, and room for one of the router's own.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private Socket _listener = null!;

        public BgpSpeaker Speaker { get; private set; } = null!;

        public ScriptedRouter Ours { get; private set; } = null!;

        public ScriptedRouter Theirs { get; private set; } = null!;

        public static async Task<Pair> StartAsync(uint peerAs)
        {
            var pair = new Pair { _listener = ScriptedRouter.Listen(out int port) };
            pair.Speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port) with { PeerAs = peerAs }));
            pair.Ours = await ScriptedRouter.AcceptAsync(pair._listener);
            await pair.Ours.ExpectAsync(BgpMessageType.Open);
            return pair;
        }

        public async Task ConnectAsync()
        {
            Theirs = await ScriptedRouter.ConnectAsync(Speaker.ListeningOn[0]);
            await Theirs.ExpectAsync(BgpMessageType.Open);
        }

        /// <summary>The one connection ends with Cease/7, the other becomes the session.</summary>
        public async Task ExpectAsync(bool oursStays, OpenMessage open, bool openSent)
        {
            ScriptedRouter loser = oursStays ? Theirs : Ours;
            ScriptedRouter winner = oursStays ? Ours : Theirs;
            NotificationMessage notification = (await loser.ExpectAsync(BgpMessageType.Notification)).Notification;
            Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Collision), (notification.Code, notification.Subcode));
            if (!openSent)
            {
                winner.Send(open.Encode);
            }

            winner.Send(KeepaliveMessage.Encode);
            await Speaker.UntilEstablishedAsync();
            Assert.Equal(1, Speaker.GetPeers()[0].Transitions);
        }

        public async ValueTask DisposeAsync()
        {
            await Ours.DisposeAsync();
            if (Theirs is not null)
            {
                await Theirs.DisposeAsync();
            }

            await Speaker.DisposeAsync();
            _listener.Dispose();
        }
    }
}
