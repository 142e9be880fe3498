using System.Net.Sockets;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Tests.Bgp.Speaker;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>A session whose lock is held for long: by an UPDATE that takes its time, as by any other reason.</summary>
public sealed class BusySessionTests
{
    [Fact]
    public async Task Keepalives_go_out_and_the_hold_timer_waits_while_an_update_is_being_handled()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        using var owner = new SlowOwner();
        BgpPeerOptions peer = SpeakerFixture.Peer(port) with { HoldTime = TimeSpan.FromSeconds(3) };
        TimeProvider timers = SessionTimers.For(TimeProvider.System);
        await using var session = new PeerSession(0, peer, SpeakerFixture.RouterId, owner, TimeProvider.System, timers, NullLogger.Instance);
        session.Start();
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync();
        await SpeakerFixture.UntilAsync(() => session.Snapshot.State == SessionState.Established);
        router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.0.0.0/16");
        await SpeakerFixture.UntilAsync(() => owner.Entered);

        // Six intervals of 0.75 to 1 s: the hold time of 3 s passes meanwhile, while the router's KEEPALIVEs lie unread.
        for (int i = 0; i < 6; i++)
        {
            await router.ExpectAsync(BgpMessageType.Keepalive);
        }

        Assert.False(owner.Left);
        owner.Release();
        await SpeakerFixture.UntilAsync(() => owner.Left);
        await router.ExpectAsync(BgpMessageType.Keepalive);
        Assert.Equal(SessionState.Established, session.Snapshot.State);
        Assert.Equal(1, session.Snapshot.Established);
        Assert.Equal(0, owner.Downs);
        ((IDisposable)timers).Dispose();
    }

    [Fact]
    public async Task Keepalives_stop_at_once_when_the_control_loop_is_silent()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        using var owner = new SlowOwner();
        BgpPeerOptions peer = SpeakerFixture.Peer(port) with { HoldTime = TimeSpan.FromSeconds(3) };
        TimeProvider timers = SessionTimers.For(TimeProvider.System);
        await using var session = new PeerSession(0, peer, SpeakerFixture.RouterId, owner, TimeProvider.System, timers, NullLogger.Instance);
        session.Start();
        await using ScriptedRouter router = await ScriptedRouter.AcceptAsync(listener);
        await router.EstablishAsync();
        await router.ExpectAsync(BgpMessageType.Keepalive);
        owner.Frozen = true;
        // One may be on its way at this moment.
        await Task.Delay(1000);
        long sent = session.MessagesSent;

        await Task.Delay(2500);

        Assert.Equal(sent, session.MessagesSent);
        ((IDisposable)timers).Dispose();
    }

    private sealed class SlowOwner : IPeerOwner, IDisposable
    {
        private readonly ManualResetEventSlim _go = new();

        public bool Frozen { get; set; }

        public volatile bool Entered;

        public volatile bool Left;

        public int Downs { get; private set; }

        public void Release() => _go.Set();

        public void OnUp(int peer, SessionParameters parameters, BgpConnection connection)
        {
            // Nothing to announce.
        }

        public void OnDown(int peer, string reason) => Downs++;

        public BgpError? OnUpdate(int peer, SessionParameters parameters, UpdateMessage update)
        {
            Entered = true;
            _go.Wait(TimeSpan.FromSeconds(60));
            Left = true;
            return null;
        }

        public void OnIdle(int peer)
        {
            // Nothing was put off.
        }

        public void OnRefresh(int peer, AfiSafi family)
        {
            // Nothing to announce.
        }

        public void OnDrained(int peer, BgpConnection connection)
        {
            // Nothing waits.
        }

        public void AfterStep()
        {
            // No events.
        }

        public void Dispose()
        {
            _go.Set();
            _go.Dispose();
        }
    }
}
