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
        await using Bench bench = await Bench.StartAsync();
        await SpeakerFixture.UntilAsync(() => bench.Session.Snapshot.State == SessionState.Established);
        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.0.0.0/16");
        await SpeakerFixture.UntilAsync(() => bench.Owner.Entered);

        // Six intervals of 0.75 to 1 s: the hold time of 3 s passes meanwhile, while the router's KEEPALIVEs lie unread.
        for (int i = 0; i < 6; i++)
        {
            await bench.Router.ExpectAsync(BgpMessageType.Keepalive);
        }

        Assert.False(bench.Owner.Left);
        bench.Owner.Release();
        await SpeakerFixture.UntilAsync(() => bench.Owner.Left);
        await bench.Router.ExpectAsync(BgpMessageType.Keepalive);
        Assert.Equal(SessionState.Established, bench.Session.Snapshot.State);
        Assert.Equal(1, bench.Session.Snapshot.Established);
        Assert.Equal(0, bench.Owner.Downs);
    }

    [Fact]
    public async Task Keepalives_stop_at_once_when_the_control_loop_is_silent()
    {
        await using Bench bench = await Bench.StartAsync();
        await bench.Router.ExpectAsync(BgpMessageType.Keepalive);
        bench.Owner.Frozen = true;
        // One may be on its way at this moment.
        await Task.Delay(1000);
        long sent = bench.Session.MessagesSent;

        await Task.Delay(2500);

        Assert.Equal(sent, bench.Session.MessagesSent);
    }

    /// <summary>One session, whose timers have their thread, with a scripted router; established on the router's side.</summary>
    private sealed class Bench : IAsyncDisposable
    {
        private readonly TimeProvider _timers = SessionTimers.For(TimeProvider.System);

        private Bench(int port)
        {
            BgpPeerOptions peer = SpeakerFixture.Peer(port) with { HoldTime = TimeSpan.FromSeconds(3) };
            Session = new PeerSession(0, peer, SpeakerFixture.RouterId, Owner, TimeProvider.System, _timers, NullLogger.Instance);
        }

        public SlowOwner Owner { get; } = new();

        public PeerSession Session { get; }

        public ScriptedRouter Router { get; private set; } = null!;

        public static async Task<Bench> StartAsync()
        {
            using Socket listener = ScriptedRouter.Listen(out int port);
            var bench = new Bench(port);
            bench.Session.Start();
            bench.Router = await ScriptedRouter.AcceptAsync(listener);
            await bench.Router.EstablishAsync();
            return bench;
        }

        public async ValueTask DisposeAsync()
        {
            // First of all, or a test that failed would wait for the lock that the owner holds.
            Owner.Release();
            await Router.DisposeAsync();
            await Session.DisposeAsync();
            ((IDisposable)_timers).Dispose();
            Owner.Dispose();
        }
    }

    private sealed class SlowOwner : IPeerOwner, IDisposable
    {
        private readonly ManualResetEventSlim _go = new();

        public bool Frozen { get; set; }

        public bool Overdue => false;

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

        public void Dispose() => _go.Dispose();
    }
}
