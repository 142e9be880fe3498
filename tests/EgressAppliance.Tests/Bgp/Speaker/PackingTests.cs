using System.Buffers.Binary;
using System.Net.Sockets;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Thousands of overrides at a time: in the fewest messages, at the pace that is configured, and to a router that does not read.</summary>
public sealed class PackingTests
{
    private const int Count = 10_000;
    private const string ProviderB = "100.64.2.2";

    [Theory]
    [InlineData(40, false)]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public async Task Announce_and_withdraw_all_take_the_fewest_messages(int sets, bool extended)
    {
        await using Bench bench = await Bench.StartAsync(o => o with { MaxAnnouncementsPerSecond = 0 }, extended: extended);
        await bench.LearnAsync(Count, sets);
        int max = extended ? BgpConstants.MaxExtendedMessageLength : BgpConstants.MaxMessageLength;
        const int PrefixOctets = 4;

        Assert.Empty(bench.Speaker.Announce(bench.CreateAll(Count)));

        var perSet = new Dictionary<string, (int Messages, int Prefixes, int AttributeOctets)>();
        for (int seen = 0; seen < Count;)
        {
            Received message = await bench.Router.ExpectAsync(BgpMessageType.Update);
            UpdateMessage update = message.Update;
            string path = update.Attributes!.AsPath.ToString();
            (int messages, int prefixes, _) = perSet.GetValueOrDefault(path);
            int attributes = BinaryPrimitives.ReadUInt16BigEndian(message.Body.AsSpan(2));
            perSet[path] = (messages + 1, prefixes + update.Announced.Count, attributes);
            seen += update.Announced.Count;
        }

        Assert.Equal(sets, perSet.Count);
        Assert.All(perSet.Values, s => Assert.Equal(Fewest(s.Prefixes, (max - BgpConstants.HeaderLength - 4 - s.AttributeOctets) / PrefixOctets), s.Messages));

        Assert.Equal(Count, bench.Speaker.WithdrawAll());

        int withdrawn = 0;
        int withdrawals = 0;
        while (withdrawn < Count)
        {
            withdrawn += (await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn.Count;
            withdrawals++;
        }

        Assert.Equal(Fewest(Count, (max - BgpConstants.HeaderLength - 4) / PrefixOctets), withdrawals);
    }

    [Fact]
    public async Task Announcements_keep_to_the_rate_and_withdrawals_do_not_wait()
    {
        var time = new ManualTimeProvider();
        await using Bench bench = await Bench.StartAsync(o => o with { MaxAnnouncementsPerSecond = 10 }, time: time);
        await bench.LearnAsync(25, 1);

        Assert.Empty(bench.Speaker.Announce(bench.CreateAll(25)));

        Assert.Equal((10, 15), (bench.Status.Overrides, bench.Status.OverridesWaiting));
        Assert.Equal(Names(0, 10), await bench.AnnouncedAsync(10));
        bench.Speaker.Withdraw([Prefix(12), Prefix(3)]);
        Assert.Equal([Prefix(3)], (await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn.Select(n => n.Prefix));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(19, bench.Status.Overrides);
        Assert.Equal([.. Names(10, 2), .. Names(13, 8)], await bench.AnnouncedAsync(10));

        Assert.Equal(23, bench.Speaker.WithdrawAll());

        Assert.Equal((0, 0), (bench.Status.Overrides, bench.Status.OverridesWaiting));
        Assert.Equal(19, (await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn.Count);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 0), (bench.Status.Overrides, bench.Status.OverridesWaiting));
    }

    [Fact]
    public async Task Refresh_answers_keep_to_the_rate_too_and_to_one_round()
    {
        var time = new ManualTimeProvider();
        await using Bench bench = await Bench.StartAsync(o => o with { MaxAnnouncementsPerSecond = 10 }, time: time);
        await bench.LearnAsync(10, 1);
        Assert.Empty(bench.Speaker.Announce(bench.CreateAll(10)));
        await bench.AnnouncedAsync(10);

        for (int i = 0; i < 50; i++)
        {
            bench.Router.Send(new RouteRefreshMessage(AfiSafi.IPv4Unicast).Encode);
        }

        // The routes of another family's request show that all requests before it were handled.
        bench.Router.Announce(ScriptedRouter.Via(ProviderB, 64502), 2, "20.99.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.99.0.0/16", 1);
        Assert.Equal((10, 10), (bench.Status.Overrides, bench.Status.OverridesWaiting));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(Names(0, 10), await bench.AnnouncedAsync(10));
        Assert.Equal(0, bench.Status.OverridesWaiting);
    }

    [Fact]
    public async Task What_waits_for_the_rate_goes_on_after_the_control_loop_was_silent()
    {
        var time = new ManualTimeProvider();
        await using Bench bench = await Bench.StartAsync(o => o with { MaxAnnouncementsPerSecond = 2, HeartbeatTimeout = TimeSpan.FromSeconds(5) }, time: time);
        await bench.LearnAsync(20, 1);
        Assert.Empty(bench.Speaker.Announce(bench.CreateAll(20)));

        // The pump finds the loop silent after five of the eight seconds, and gives up.
        time.Advance(TimeSpan.FromSeconds(8));
        int waiting = bench.Status.OverridesWaiting;
        Assert.InRange(waiting, 6, 9);
        time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(waiting, bench.Status.OverridesWaiting);

        for (int i = 0; i < 8; i++)
        {
            bench.Speaker.Heartbeat();
            time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.Equal((20, 0), (bench.Status.Overrides, bench.Status.OverridesWaiting));
    }

    [Fact]
    public async Task Slow_router_is_spared_and_gets_the_difference_when_it_reads_again()
    {
        const int Routes = 1500;
        await using Bench bench = await Bench.StartAsync(
            o => o with { MaxAnnouncementsPerSecond = 0 }, p => p with { OutboundHighMark = 64 << 10, OutboundLowMark = 16 << 10 }, narrow: true);
        await bench.LearnAsync(Routes, Routes, communities: 200);
        bench.Router.Pause();

        Assert.Empty(bench.Speaker.Announce(bench.CreateAll(Routes)));

        // One look at a time: the kernel still takes some, and what waits goes over to what was told.
        PeerStatus status = bench.Status;
        Assert.InRange(status.OverridesWaiting, 1, Routes - 1);
        Assert.True(status.Output is { Behind: true, QueuedBytes: > 0 }, status.Output?.ToString());
        Assert.Equal(Routes, status.Overrides + status.OverridesWaiting);
        bench.Speaker.Withdraw([Prefix(0), Prefix(Routes - 1)]);
        status = bench.Status;
        Assert.Equal(Routes - 2, status.Overrides + status.OverridesWaiting);

        bench.Router.Resume();

        var held = new HashSet<IpPrefix>();
        int announcements = 0;
        while (held.Count < Routes - 2 || held.Contains(Prefix(0)))
        {
            UpdateMessage update = (await bench.Router.ExpectAsync(BgpMessageType.Update)).Update;
            announcements += update.Announced.Count;
            held.UnionWith(update.Announced.Select(n => n.Prefix));
            held.ExceptWith(update.Withdrawn.Select(n => n.Prefix));
        }

        Assert.DoesNotContain(Prefix(Routes - 1), held);
        Assert.Equal(Routes - 1, announcements);
        await SpeakerFixture.UntilAsync(() => bench.Status is { Overrides: Routes - 2, OverridesWaiting: 0, State: SessionState.Established, Output.Behind: false });
    }

    [Fact]
    public async Task Withdraw_all_leaves_nothing_waiting_for_a_slow_router()
    {
        const int Routes = 1000;
        await using Bench bench = await Bench.StartAsync(
            o => o with { MaxAnnouncementsPerSecond = 0 }, p => p with { OutboundHighMark = 64 << 10, OutboundLowMark = 16 << 10 }, narrow: true);
        await bench.LearnAsync(Routes, Routes, communities: 200);
        bench.Router.Pause();
        Assert.Empty(bench.Speaker.Announce(bench.CreateAll(Routes)));

        Assert.Equal(Routes, bench.Speaker.WithdrawAll());

        Assert.Equal((0, 0), (bench.Status.Overrides, bench.Status.OverridesWaiting));
        bench.Router.Resume();
        int announced = 0;
        int withdrawn = 0;

        // What was told is told first, then taken back; how much that was depends on how much the kernel took.
        while (announced == 0 || withdrawn < announced)
        {
            UpdateMessage update = (await bench.Router.ExpectAsync(BgpMessageType.Update)).Update;
            announced += update.Announced.Count;
            withdrawn += update.Withdrawn.Count;
        }

        Assert.Equal(announced, withdrawn);
        Assert.InRange(announced, 1, Routes - 1);
    }

    [Fact]
    public async Task Router_that_never_reads_loses_the_session_by_the_send_hold_timer()
    {
        const int Routes = 1000;
        await using Bench bench = await Bench.StartAsync(
            o => o with { MaxAnnouncementsPerSecond = 0 }, p => p with { SendHoldTime = TimeSpan.FromSeconds(1) }, narrow: true);
        await bench.LearnAsync(Routes, Routes, communities: 200);
        bench.Router.Pause();

        Assert.Empty(bench.Speaker.Announce(bench.CreateAll(Routes)));

        await SpeakerFixture.UntilAsync(() => bench.Status.LastError is not null);
        Assert.Contains("send hold timer expired", bench.Status.LastError, StringComparison.Ordinal);
        Assert.Empty(bench.Speaker.GetOverrides());
    }

    [Fact]
    public async Task Changes_without_end_never_fill_the_queue_of_a_router_that_does_not_read()
    {
        const int Routes = 1000;
        await using Bench bench = await Bench.StartAsync(
            o => o with { MaxAnnouncementsPerSecond = 0 },
            p => p with { OutboundLimit = 256 << 10, OutboundHighMark = 64 << 10, OutboundLowMark = 16 << 10 },
            narrow: true);
        await bench.LearnAsync(Routes, Routes, communities: 200);
        bench.Router.Pause();

        for (int round = 0; round < 30; round++)
        {
            Assert.Empty(bench.Speaker.Announce(bench.CreateAll(Routes)));
            bench.Speaker.WithdrawAll();
        }

        Assert.Equal((0, 0), (bench.Status.Overrides, bench.Status.OverridesWaiting));
        bench.Router.Resume();
        bench.Router.Announce(ScriptedRouter.Via(ProviderB, 64502), 2, "20.99.0.0/16");
        await bench.Speaker.UntilPathsAsync("20.99.0.0/16", 1);
        Assert.Null(bench.Status.LastError);
    }

    [Fact]
    public async Task Router_is_cut_off_when_one_step_is_more_than_its_queue_may_hold()
    {
        await using Bench bench = await Bench.StartAsync(
            o => o with { MaxAnnouncementsPerSecond = 0 },
            p => p with { OutboundLimit = 64 << 10, OutboundHighMark = 32 << 10, OutboundLowMark = 16 << 10 },
            narrow: true);
        await bench.LearnAsync(Count, 1, communities: 700);
        bench.Router.Pause();

        bench.Speaker.Announce(bench.CreateAll(Count));

        await SpeakerFixture.UntilAsync(() => bench.Status.LastError is not null);
        Assert.Equal("the router does not read: our outbound queue is full", bench.Status.LastError);
    }

    private static int Fewest(int prefixes, int perMessage) => (prefixes + perMessage - 1) / perMessage;

    private static IpPrefix Prefix(int i) => IpPrefix.Parse($"20.{i >> 8}.{i & 255}.0/24");

    private static string[] Names(int first, int count) => [.. Enumerable.Range(first, count).Select(i => Prefix(i).ToString())];

    private sealed class Bench : IAsyncDisposable
    {
        public BgpSpeaker Speaker { get; private set; } = null!;

        public ScriptedRouter Router { get; private set; } = null!;

        public PeerStatus Status => Speaker.GetPeers()[0];

        public static async Task<Bench> StartAsync(
            Func<BgpSpeakerOptions, BgpSpeakerOptions> change, Func<BgpPeerOptions, BgpPeerOptions>? changePeer = null,
            TimeProvider? time = null, bool extended = false, bool narrow = false)
        {
            BgpPeerOptions peer = (changePeer ?? (p => p))(SpeakerFixture.PassivePeer() with { HoldTime = TimeSpan.FromSeconds(90) });
            var bench = new Bench { Speaker = await SpeakerFixture.StartAsync(change(SpeakerFixture.Options(peer) with { MaxOverrides = Count }), null, time) };
            bench.Router = await ScriptedRouter.ConnectAsync(bench.Speaker.ListeningOn[0], prepare: narrow ? ScriptedRouter.MakeNarrow : null);
            bench.Router.ReceiveOptions = new() { ExtendedMessage = extended };
            await bench.Router.EstablishAsync(extended ? ScriptedRouter.OpenOf(more: BgpCapability.ExtendedMessage) : null);
            return bench;
        }

        /// <summary>The router sends so many prefixes, spread over so many sets of attributes.</summary>
        public async Task LearnAsync(int count, int sets, int communities = 0)
        {
            for (int set = 0; set < sets; set++)
            {
                PathAttributes attributes = ScriptedRouter.Via(
                    ProviderB, 70_000 + (uint)set, 100, [.. Enumerable.Range(0, communities).Select(c => (64500u << 16) + (uint)c)]);
                string[] prefixes = [.. Enumerable.Range(0, count).Where(i => i % sets == set).Select(i => Prefix(i).ToString())];
                for (int at = 0; at < prefixes.Length; at += 400)
                {
                    Router.Announce(attributes, 2, prefixes[at..Math.Min(prefixes.Length, at + 400)]);
                }
            }

            await SpeakerFixture.UntilAsync(() => Status.RoutesIPv4 == count);
        }

        public Override[] CreateAll(int count) => [.. Enumerable.Range(0, count).Select(i => Speaker.Create(Prefix(i).ToString(), ProviderB))];

        public async Task<IEnumerable<string>> AnnouncedAsync(int count)
        {
            var names = new List<string>();
            while (names.Count < count)
            {
                names.AddRange((await Router.ExpectAsync(BgpMessageType.Update)).Update.Announced.Select(n => n.ToString()));
            }

            return names;
        }

        public async ValueTask DisposeAsync()
        {
            await Router.DisposeAsync();
            await Speaker.DisposeAsync();
        }
    }
}
