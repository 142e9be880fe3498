using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>What depends on more than one router, on a router without ADD-PATH, or on the control loop's heartbeat.</summary>
public sealed class SeveralRoutersTests
{
    [Fact]
    public async Task Override_reaches_every_router_also_one_that_comes_later_and_goes_with_the_one_it_came_from()
    {
        BgpSpeakerOptions options = SpeakerFixture.Options(SpeakerFixture.PassivePeer("127.0.0.2"), SpeakerFixture.PassivePeer("127.0.0.3"));
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(options);
        await using ScriptedRouter first = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.2"));
        await first.EstablishAsync();
        first.Announce(ScriptedRouter.Via("100.64.2.2", 64502), 2, "20.0.0.0/16");
        await speaker.UntilPathsAsync("20.0.0.0/16", 1);
        Assert.Empty(speaker.Announce([speaker.Create("20.0.0.0/16", "100.64.2.2")]));
        Assert.Single((await first.ExpectAsync(BgpMessageType.Update)).Update.Announced);

        await using ScriptedRouter second = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.3"));
        await second.EstablishAsync();
        Assert.Equal(200u, (await second.ExpectAsync(BgpMessageType.Update)).Update.Attributes!.LocalPref);
        Assert.Equal([1, 1], speaker.GetPeers().Select(p => p.Overrides));

        first.Reset();

        Assert.Equal("20.0.0.0/16", Assert.Single((await second.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn).ToString());
    }

    [Fact]
    public async Task Router_without_add_path_is_shown_and_never_steered()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(open: ScriptedRouter.OpenOf(addPath: false));
        bench.Router.Announce(new() { FourOctetAs = true }, ScriptedRouter.Via("100.64.1.2", 64501), 0, "20.0.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.0.0.0/16", 1);

        Assert.False(bench.Status.AddPath);
        Assert.Equal(OverrideRefusal.BestPathOnly, bench.Speaker.Refusal("20.0.0.0/16", "100.64.1.2"));
    }

    [Fact]
    public async Task Table_is_complete_after_a_quiet_time_without_end_of_rib()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        await bench.Speaker.UntilEstablishedAsync();
        Assert.False(bench.Status.TableComplete);
        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.0.0.0/16");

        await SpeakerFixture.UntilAsync(() => bench.Status.TableComplete);

        Assert.Equal(1, bench.Status.RoutesIPv4);
    }

    [Fact]
    public async Task Listener_hears_of_first_and_last_paths_only_and_a_late_one_of_what_is_there()
    {
        var heard = new Listener();
        BgpSpeakerOptions options = SpeakerFixture.Options(SpeakerFixture.PassivePeer("127.0.0.2"), SpeakerFixture.PassivePeer("127.0.0.3"));
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(options, heard);
        await using ScriptedRouter first = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.2"));
        await using ScriptedRouter second = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], IPAddress.Parse("127.0.0.3"));
        await first.EstablishAsync();
        await second.EstablishAsync();
        first.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.0.0.0/16", "20.1.0.0/16");
        second.Announce(ScriptedRouter.Via("100.64.2.2", 64502), 1, "20.0.0.0/16");
        await speaker.UntilPathsAsync("20.0.0.0/16", 2);
        var late = new Listener();
        speaker.Attach(late);

        first.Reset();
        await SpeakerFixture.UntilAsync(() => heard.Events.Count == 3);

        Assert.Equal(["+20.0.0.0/16", "+20.1.0.0/16", "-20.1.0.0/16"], heard.Events);
        Assert.Equal(["+20.0.0.0/16", "+20.1.0.0/16", "-20.1.0.0/16"], late.Events.Order());
        Assert.Single(speaker.GetPaths(IpPrefix.Parse("20.0.0.0/16")));
    }

    [Fact]
    public async Task Silent_control_loop_stops_keepalives_and_announcements_until_it_is_back()
    {
        // A KEEPALIVE is due every 7.5 to 10 s.
        var time = new ManualTimeProvider();
        await using SpeakerBench bench = await SpeakerBench.StartAsync(
            p => p with { HoldTime = TimeSpan.FromSeconds(30) }, change: o => o with { HeartbeatTimeout = TimeSpan.FromSeconds(7) }, time: time);
        bench.Router.Announce(ScriptedRouter.Via("100.64.2.2", 64502), 2, "20.0.0.0/16", "20.1.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.1.0.0/16", 1);
        long before = bench.Status.MessagesSent;
        time.Advance(TimeSpan.FromSeconds(6));
        bench.Speaker.Heartbeat();
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.InRange(bench.Status.MessagesSent - before, 1, 2);
        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create("20.0.0.0/16", "100.64.2.2")]));
        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced);

        // Seven seconds after the last heartbeat the loop counts as silent; in the thirteen that follow a KEEPALIVE is due and must not come.
        time.Advance(TimeSpan.FromSeconds(1.5));
        long sent = bench.Status.MessagesSent;
        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create("20.1.0.0/16", "100.64.2.2")]));
        time.Advance(TimeSpan.FromSeconds(13));
        Assert.Equal(sent, bench.Status.MessagesSent);

        bench.Speaker.Heartbeat();

        var announced = new List<string>();
        while (announced.Count < 2)
        {
            announced.AddRange((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced.Select(n => n.ToString()));
        }

        Assert.Equal(["20.0.0.0/16", "20.1.0.0/16"], announced.Order());
    }

    [Fact]
    public async Task Silent_control_loop_still_takes_back_an_override_whose_path_went()
    {
        var time = new ManualTimeProvider();
        await using SpeakerBench bench = await SpeakerBench.StartAsync(change: o => o with { HeartbeatTimeout = TimeSpan.FromMilliseconds(500) }, time: time);
        bench.Router.Announce(ScriptedRouter.Via("100.64.2.2", 64502), 2, "20.0.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.0.0.0/16", 1);
        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create("20.0.0.0/16", "100.64.2.2")]));
        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced);
        time.Advance(TimeSpan.FromMilliseconds(600));

        bench.Router.Withdraw(2, "20.0.0.0/16");

        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn);
    }

    private sealed class Listener : IRibListener
    {
        public ConcurrentQueue<string> Events { get; } = new();

        public void PrefixAdded(IpPrefix prefix) => Events.Enqueue("+" + prefix);

        public void PrefixRemoved(IpPrefix prefix) => Events.Enqueue("-" + prefix);
    }
}
