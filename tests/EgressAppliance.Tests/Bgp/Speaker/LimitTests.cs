using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Limits on prefixes, both ways, and what an operator may ask of a session.</summary>
public sealed class LimitTests
{
    private const string ProviderB = "100.64.2.2";

    [Fact]
    public async Task Max_prefix_is_warned_of_at_a_share_and_again_only_after_the_table_shrank()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(p => p with { MaxPrefix = 8 });
        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, Prefixes(0, 5));
        await bench.Speaker.UntilPathsAsync("20.4.0.0/16", 1);
        Assert.False(bench.Status.MaxPrefixWarning);

        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, "20.5.0.0/16");
        await SpeakerFixture.UntilAsync(() => bench.Status.MaxPrefixWarning);

        bench.Router.Withdraw(1, "20.5.0.0/16");
        await SpeakerFixture.UntilAsync(() => !bench.Status.MaxPrefixWarning);
        Assert.Equal(SessionState.Established, bench.Status.State);
    }

    [Fact]
    public void Max_prefix_warning_does_not_flutter_about_its_mark()
    {
        BgpPeerOptions peer = SpeakerFixture.Peer(179) with { MaxPrefix = 1000 };
        var table = new PeerTable(TimeProvider.System, SpeakerFixture.Options(peer), peer);
        List<int> crossings = [];
        foreach (int total in new[] { 100, 749, 750, 751, 749, 750, 701, 760, 699, 750, 1000, 1001 })
        {
            bool over = table.IsOverLimit(total, out bool crossed);
            Assert.Equal(total > 1000, over);
            if (crossed)
            {
                crossings.Add(total);
            }
        }

        Assert.Equal([750, 750], crossings);
    }

    [Theory]
    [InlineData("20.8.0.0/16", "00010100000002")]
    [InlineData("2a00:8::/32", "00020100000002")]
    public async Task Max_prefix_passed_names_the_family_and_the_limit(string last, string data)
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(p => p with { MaxPrefix = 2 });
        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, Prefixes(0, 2));
        bench.Router.Announce(ScriptedRouter.Via(last.Contains(':', StringComparison.Ordinal) ? "2001:db8:ff:2::2" : "100.64.1.2", 64501), 1, last);

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;

        Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.MaxPrefix), (notification.Code, notification.Subcode));
        Assert.Equal(data, Convert.ToHexStringLower(notification.Data.Span));
    }

    [Fact]
    public async Task Router_over_its_limit_that_connects_again_is_refused_until_the_wait_is_over()
    {
        var time = new ManualTimeProvider();
        await using BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer() with { MaxPrefix = 1 }), null, time);
        await using (ScriptedRouter router = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0]))
        {
            await router.EstablishAsync();
            router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, Prefixes(0, 2));
            await router.ExpectAsync(BgpMessageType.Notification);
        }

        await using (ScriptedRouter again = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0]))
        {
            NotificationMessage refusal = Assert.Single(await again.ExpectCloseAsync()).Notification;
            Assert.Equal((BgpErrorCode.Cease, CeaseSubcode.Rejected), (refusal.Code, refusal.Subcode));
        }

        time.Advance(FsmConfig.MaxDelay);
        await using ScriptedRouter later = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0]);
        await later.EstablishAsync();
        await speaker.UntilEstablishedAsync();
    }

    [Fact]
    public async Task Router_never_gets_more_prefixes_than_it_accepts()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(p => p with { PeerAcceptsAtMost = 2 });
        bench.Router.Announce(ScriptedRouter.Via(ProviderB, 64502), 2, Prefixes(0, 4));
        await bench.Speaker.UntilPathsAsync("20.3.0.0/16", 1);
        Override[] wanted = [.. Prefixes(0, 3).Select(p => bench.Speaker.Create(p, ProviderB))];

        (IpPrefix prefix, OverrideRefusal refusal) = Assert.Single(bench.Speaker.Announce(wanted));

        Assert.Equal(("20.2.0.0/16", OverrideRefusal.PeerLimit), (prefix.ToString(), refusal));
        Assert.Equal(OverrideRefusal.PeerLimit, bench.Speaker.Refusal("20.3.0.0/16", ProviderB));
        Assert.Equal(2, (await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced.Count);
        Assert.Equal(2, bench.Speaker.GetOverrides().Count);
        bench.Speaker.Withdraw([IpPrefix.Parse("20.0.0.0/16")]);
        Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn);
        Assert.Empty(bench.Speaker.Announce([bench.Speaker.Create("20.2.0.0/16", ProviderB)]));
        Assert.Equal("20.2.0.0/16", Assert.Single((await bench.Router.ExpectAsync(BgpMessageType.Update)).Update.Announced).ToString());
    }

    [Fact]
    public async Task Refresh_is_requested_for_each_family_and_not_too_often()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        await bench.Speaker.UntilEstablishedAsync();

        Assert.Equal(RefreshOutcome.Sent, bench.Speaker.RequestRefresh(bench.Status.Name, IpFamily.IPv6));
        Assert.Equal(RefreshOutcome.TooSoon, bench.Speaker.RequestRefresh(bench.Status.Name, IpFamily.IPv6));
        Assert.Equal(RefreshOutcome.Sent, bench.Speaker.RequestRefresh(bench.Status.Name, null));
        Assert.Equal(RefreshOutcome.TooSoon, bench.Speaker.RequestRefresh(bench.Status.Name, null));
        Assert.Equal(RefreshOutcome.UnknownPeer, bench.Speaker.RequestRefresh("edge-none", null));

        foreach (AfiSafi family in new[] { AfiSafi.IPv6Unicast, AfiSafi.IPv4Unicast })
        {
            byte[] body = (await bench.Router.ExpectAsync(BgpMessageType.RouteRefresh)).Body;
            Assert.Null(RouteRefreshMessage.Decode(body, out RouteRefreshMessage? refresh));
            Assert.Equal(new RouteRefreshMessage(family), refresh);
        }
    }

    [Fact]
    public async Task Routes_not_sent_again_after_a_refresh_stay()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64501), 1, Prefixes(0, 2));
        await bench.Speaker.UntilPathsAsync("20.1.0.0/16", 1);
        Assert.Equal(RefreshOutcome.Sent, bench.Speaker.RequestRefresh(bench.Status.Name, IpFamily.IPv4));
        await bench.Router.ExpectAsync(BgpMessageType.RouteRefresh);

        bench.Router.Announce(ScriptedRouter.Via("100.64.1.2", 64777), 1, "20.0.0.0/16");

        await SpeakerFixture.UntilAsync(() => bench.Speaker.GetPaths(IpPrefix.Parse("20.0.0.0/16"))[0].Attributes.AsPath.Contains(64777));
        Assert.Single(bench.Speaker.GetPaths(IpPrefix.Parse("20.1.0.0/16")));
    }

    [Fact]
    public async Task Refresh_is_not_sent_where_it_is_not_agreed_on()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(open: new OpenMessage
        {
            MyAs = (ushort)ScriptedRouter.As,
            HoldTime = 90,
            RouterId = 1,
            Capabilities = [BgpCapability.Multiprotocol(AfiSafi.IPv4Unicast), BgpCapability.FourOctetAs(ScriptedRouter.As)],
        });
        await bench.Speaker.UntilEstablishedAsync();
        Assert.Equal(RefreshOutcome.NotNegotiated, bench.Speaker.RequestRefresh(bench.Status.Name, null));

        await using BgpSpeaker lonely = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer()));
        Assert.Equal(RefreshOutcome.NotEstablished, lonely.RequestRefresh("edge-127.0.0.1", null));
    }

    [Fact]
    public async Task Refresh_of_a_family_the_session_does_not_have_is_refused()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(open: new OpenMessage
        {
            MyAs = (ushort)ScriptedRouter.As,
            HoldTime = 90,
            RouterId = 1,
            Capabilities = [BgpCapability.RouteRefresh, BgpCapability.FourOctetAs(ScriptedRouter.As)],
        });
        await bench.Speaker.UntilEstablishedAsync();

        Assert.Equal(RefreshOutcome.FamilyNotNegotiated, bench.Speaker.RequestRefresh(bench.Status.Name, IpFamily.IPv6));
    }

    [Fact]
    public async Task Shutdown_tells_the_router_why()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();

        await bench.Speaker.DisposeAsync();

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;
        Assert.Equal("6/2 Cease, Administrative Shutdown: \"egress-appliance stopping\"", notification.ToString());
    }

    [Fact]
    public async Task Reset_tells_the_router_why_and_the_session_comes_back()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        await bench.Speaker.UntilEstablishedAsync();

        Assert.True(bench.Speaker.Reset(bench.Status.Name, "ticket 17"));

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;
        Assert.Equal("6/4 Cease, Administrative Reset: \"ticket 17\"", notification.ToString());
        await SpeakerFixture.UntilAsync(() => bench.Status.LastError == "administrative reset: ticket 17");
        Assert.False(bench.Speaker.Reset("edge-none", ""));
        await using ScriptedRouter again = await ScriptedRouter.AcceptAsync(bench.Listener);
        await again.EstablishAsync();
        await bench.Speaker.UntilEstablishedAsync();
    }

    [Fact]
    public async Task Text_of_the_routers_shutdown_is_shown()
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync();
        bench.Router.Send(NotificationMessage.Shutdown("line card swap, back at 04:00").Encode);

        await SpeakerFixture.UntilAsync(() => bench.Status.LastError is not null);

        Assert.Equal("the peer sent NOTIFICATION 6/2 Cease, Administrative Shutdown: \"line card swap, back at 04:00\"", bench.Status.LastError);
    }

    [Fact]
    public async Task Long_message_is_an_error_where_it_is_not_agreed_on_and_a_message_where_it_is()
    {
        byte[] update = LongUpdate(out string last);
        await using (SpeakerBench plain = await SpeakerBench.StartAsync())
        {
            plain.Router.SendRaw(update);
            NotificationMessage notification = (await plain.Router.ExpectAsync(BgpMessageType.Notification)).Notification;
            Assert.Equal((BgpErrorCode.Header, HeaderSubcode.BadLength), (notification.Code, notification.Subcode));
            Assert.Equal(Convert.ToHexString(update.AsSpan(16, 2)), Convert.ToHexString(notification.Data.Span));
        }

        await using SpeakerBench extended = await SpeakerBench.StartAsync(open: ScriptedRouter.OpenOf(more: BgpCapability.ExtendedMessage));
        extended.Router.SendRaw(update);
        await extended.Speaker.UntilPathsAsync(last, 1);
        Assert.Equal(8000, extended.Status.RoutesIPv4);
    }

    [Theory]
    [InlineData(BgpMessageType.Open)]
    [InlineData(BgpMessageType.Keepalive)]
    public async Task Long_open_and_keepalive_are_errors_even_where_long_messages_are_agreed_on(BgpMessageType type)
    {
        await using SpeakerBench bench = await SpeakerBench.StartAsync(open: ScriptedRouter.OpenOf(more: BgpCapability.ExtendedMessage));
        byte[] message = new byte[5000];
        message.AsSpan(0, 16).Fill(0xFF);
        message[16] = 5000 >> 8;
        message[17] = 5000 & 0xFF;
        message[18] = (byte)type;
        bench.Router.SendRaw(message);

        NotificationMessage notification = (await bench.Router.ExpectAsync(BgpMessageType.Notification)).Notification;

        Assert.Equal((BgpErrorCode.Header, HeaderSubcode.BadLength), (notification.Code, notification.Subcode));
    }

    [Fact]
    public async Task External_peer_is_never_told_anything()
    {
        // RFC 8212: without a policy nothing is announced to an external peer; ours is to announce nothing there, ever.
        BgpPeerOptions external = SpeakerFixture.PassivePeer("127.0.0.3") with { PeerAs = 65001 };
        BgpSpeaker speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.PassivePeer("127.0.0.2"), external));
        await using ScriptedRouter inside = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], System.Net.IPAddress.Parse("127.0.0.2"));
        await inside.EstablishAsync();
        await using ScriptedRouter outside = await ScriptedRouter.ConnectAsync(speaker.ListeningOn[0], System.Net.IPAddress.Parse("127.0.0.3"));
        await outside.EstablishAsync(ScriptedRouter.OpenOf(asNumber: 65001));
        await speaker.UntilEstablishedAsync(1);
        inside.Announce(ScriptedRouter.Via(ProviderB, 64502), 2, "20.0.0.0/16");
        await speaker.UntilPathsAsync("20.0.0.0/16", 1);

        Assert.Empty(speaker.Announce([speaker.Create("20.0.0.0/16", ProviderB)]));
        await inside.ExpectAsync(BgpMessageType.Update);
        outside.Send(new RouteRefreshMessage(AfiSafi.IPv4Unicast).Encode);
        Assert.Equal([1, 0], speaker.GetPeers().Select(p => p.Overrides));
        speaker.WithdrawAll();
        await speaker.DisposeAsync();

        Assert.DoesNotContain(await outside.ExpectCloseAsync(), m => m.Type == BgpMessageType.Update);
    }

    private static string[] Prefixes(int first, int count) => [.. Enumerable.Range(first, count).Select(i => $"20.{i}.0.0/16")];

    private static byte[] LongUpdate(out string last)
    {
        Nlri[] nlri = [.. Enumerable.Range(0, 8000).Select(i => new Nlri(IpPrefix.Parse($"20.{i >> 8}.{i & 255}.0/24"), 1))];
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        Assert.Equal(1, UpdateEncoder.Announce(
            IpFamily.IPv4, ScriptedRouter.Via("100.64.1.2", 64501), nlri, ScriptedRouter.Codec with { ExtendedMessage = true }, output));
        last = nlri[^1].Prefix.ToString();
        return output.WrittenSpan.ToArray();
    }
}
