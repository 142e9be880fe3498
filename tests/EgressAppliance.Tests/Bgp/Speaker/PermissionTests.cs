using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>A speaker that may announce only for a time, since another controller may lead after it.</summary>
public sealed class PermissionTests
{
    private const string Prefix = "20.0.0.0/16";
    private const string Provider = "100.64.2.2";
    private volatile bool _allowed = true;

    /// <summary>Asked in place of <see cref="_allowed"/>.</summary>
    private volatile Func<bool>? _ask;

    [Fact]
    public async Task Without_permission_nothing_is_announced_and_with_it_all_can_be()
    {
        await using SpeakerBench bench = await StartAsync();
        Override made = bench.Speaker.Create(Prefix, Provider);
        _allowed = false;

        Assert.Equal(OverrideRefusal.NotLeading, bench.Speaker.Refusal(Prefix, Provider));
        Assert.Equal(OverrideRefusal.NotLeading, Assert.Single(bench.Speaker.Announce([made])).Refusal);
        Assert.Empty(bench.Speaker.GetOverrides());

        _allowed = true;
        Assert.Empty(bench.Speaker.Announce([made]));
        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced);
    }

    [Fact]
    public async Task When_it_ends_nothing_keeps_the_routes_alive_and_they_can_be_withdrawn()
    {
        var time = new ManualTimeProvider();
        await using SpeakerBench bench = await StartAsync(time);
        await AnnounceAsync(bench);
        _allowed = false;
        long sent = bench.Status.MessagesSent;

        // A KEEPALIVE is due every 7.5 to 10 s.
        time.Advance(TimeSpan.FromSeconds(25));
        bench.Speaker.Heartbeat();
        Assert.Equal(sent, bench.Status.MessagesSent);

        Assert.Equal(1, bench.Speaker.WithdrawAll());
        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn);
        time.Advance(TimeSpan.FromSeconds(10));
        await bench.Router.ExpectAsync(BgpMessageType.Keepalive);
    }

    [Fact]
    public async Task Session_ends_when_the_permission_was_over_by_the_time_an_announcement_was_with_tcp()
    {
        await using SpeakerBench bench = await StartAsync();
        Override made = bench.Speaker.Create(Prefix, Provider);
        int caller = Environment.CurrentManagedThreadId;
        _ask = () => Environment.CurrentManagedThreadId == caller;

        Assert.Empty(bench.Speaker.Announce([made]));

        // The writer is another thread. The router has it, and is told to forget it.
        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced);
        await ExpectResetAsync(bench);
    }

    [Fact]
    public async Task Session_ends_when_the_permission_was_over_by_the_time_a_keepalive_was_with_tcp()
    {
        var time = new ManualTimeProvider();
        await using SpeakerBench bench = await StartAsync(time);
        await AnnounceAsync(bench);
        int asked = 0;
        _ask = () => Interlocked.Increment(ref asked) == 1;

        time.Advance(TimeSpan.FromSeconds(10));

        await ExpectResetAsync(bench);
    }

    [Fact]
    public async Task Session_that_comes_up_without_permission_is_told_nothing()
    {
        await using SpeakerBench bench = await StartAsync();
        await AnnounceAsync(bench);
        _allowed = false;
        bench.Router.Reset();
        await using ScriptedRouter again = await ScriptedRouter.AcceptAsync(bench.Listener);
        await again.EstablishAsync();
        await bench.Speaker.UntilEstablishedAsync();

        Assert.Empty(bench.Speaker.GetOverrides());
        again.Announce(ScriptedRouter.Via(Provider, 64502), 2, Prefix);
        await bench.Speaker.UntilPathsAsync(Prefix, 1);
        Assert.Equal(OverrideRefusal.NotLeading, bench.Speaker.Refusal(Prefix, Provider));
    }

    private static async Task AnnounceAsync(SpeakerBench bench)
    {
        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create(Prefix, Provider)]));
        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced);
    }

    private static async Task ExpectResetAsync(SpeakerBench bench)
    {
        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;
        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Reset), (notification.Code, notification.Subcode));
        await bench.Router.ExpectCloseAsync();
    }

    private async Task<SpeakerBench> StartAsync(TimeProvider? time = null)
    {
        SpeakerBench bench = await SpeakerBench.StartAsync(
            p => p with { HoldTime = TimeSpan.FromSeconds(30) }, change: o => o with { MayAnnounce = () => _ask?.Invoke() ?? _allowed }, time: time);
        bench.Router.Announce(ScriptedRouter.Via(Provider, 64502), 2, Prefix);
        await bench.Speaker.UntilPathsAsync(Prefix, 1);
        return bench;
    }
}
