using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Speaker;

/// <summary>Overrides over loopback TCP against a scripted router: what is announced, and when it is taken back.</summary>
public sealed class OverrideTests : IAsyncLifetime
{
    private const string Prefix = "20.0.0.0/16";
    private const string ProviderA = "100.64.1.2";
    private const string ProviderB = "100.64.2.2";
    private readonly ConcurrentQueue<(IpPrefix Prefix, string Reason)> _lost = new();
    private Socket _listener = null!;
    private BgpSpeaker _speaker = null!;
    private ScriptedRouter _router = null!;

    public async Task InitializeAsync()
    {
        _listener = ScriptedRouter.Listen(out int port);
        _speaker = await SpeakerFixture.StartAsync(SpeakerFixture.Options(SpeakerFixture.Peer(port)) with { MaxOverrides = 3 });
        _speaker.OverrideLost += (prefix, reason) => _lost.Enqueue((prefix, reason));
        _router = await ScriptedRouter.AcceptAsync(_listener);
        await _router.EstablishAsync();
        _router.Announce(ScriptedRouter.Via(ProviderA, 64501, localPref: 120), 1, Prefix, "20.1.0.0/16", "20.2.0.0/16", "20.3.0.0/16");
        _router.Announce(ScriptedRouter.Via(ProviderB, 64502, localPref: null, 0xFBF6_0001), 2, Prefix, "20.1.0.0/16", "20.2.0.0/16", "20.3.0.0/16");
        await _speaker.UntilPathsAsync("20.3.0.0/16", 2);
    }

    public async Task DisposeAsync()
    {
        await _router.DisposeAsync();
        await _speaker.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public void GetPaths_are_in_the_routers_order()
    {
        IReadOnlyList<RibPath> paths = _speaker.GetPaths(IpPrefix.Parse(Prefix));

        Assert.Equal([1u, 2u], paths.Select(p => p.PathId));
        Assert.Equal(ProviderA, paths[0].NextHop.ToString());
        Assert.Empty(_speaker.GetPaths(IpPrefix.Parse("20.0.0.0/17")));
    }

    [Fact]
    public async Task Announce_sends_the_learned_path_with_a_higher_local_pref_and_our_marks()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));

        UpdateMessage update = (await _router.ExpectAsync(BgpMessageType.Update)).Update;

        Assert.Equal(Prefix, Assert.Single(update.Announced).ToString());
        Assert.Equal(220u, update.Attributes!.LocalPref);
        Assert.Equal("64502 64999", update.Attributes.AsPath.ToString());
        Assert.Equal(ProviderB, update.Attributes.NextHop.ToString());
        Assert.Equal([0xFBF6_0001, Community.NoExport, SpeakerFixture.Marker], update.Attributes.Communities.ToArray());
        Assert.Equal(1, _speaker.GetPeers()[0].Overrides);
        Assert.Equal(Prefix, Assert.Single(_speaker.GetOverrides()).Prefix.ToString());
    }

    [Fact]
    public async Task Announce_packs_prefixes_that_share_attributes_into_one_message()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB), _speaker.Create("20.1.0.0/16", ProviderB), _speaker.Create("20.2.0.0/16", ProviderB)]));
        UpdateMessage update = (await _router.ExpectAsync(BgpMessageType.Update)).Update;
        Assert.Equal(3, update.Announced.Count);

        Assert.Equal(3, _speaker.WithdrawAll());

        Assert.Equal(3, (await _router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn.Count);
        Assert.Empty(_speaker.GetOverrides());
        Assert.Equal(0, _speaker.WithdrawAll());
    }

    [Fact]
    public async Task Announce_again_sends_nothing_and_another_path_replaces_in_one_message()
    {
        Override first = _speaker.Create(Prefix, ProviderB);
        Assert.Empty(_speaker.Announce([first]));
        await _router.ExpectAsync(BgpMessageType.Update);
        Assert.Empty(_speaker.Announce([first]));
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderA)]));

        UpdateMessage update = (await _router.ExpectAsync(BgpMessageType.Update)).Update;

        Assert.Equal(ProviderA, update.Attributes!.NextHop.ToString());
        Assert.Empty(update.Withdrawn);
        Assert.Single(_speaker.GetOverrides());
    }

    [Fact]
    public async Task Withdraw_takes_back_what_is_there_and_ignores_the_rest()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);

        _speaker.Withdraw([IpPrefix.Parse("20.3.0.0/16"), IpPrefix.Parse(Prefix)]);

        Assert.Equal(Prefix, Assert.Single((await _router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn).ToString());
    }

    [Fact]
    public async Task Path_withdrawn_under_an_override_takes_the_override_with_it()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);

        _router.Withdraw(2, Prefix);

        Assert.Equal(Prefix, Assert.Single((await _router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn).ToString());
        await SpeakerFixture.UntilAsync(() => !_lost.IsEmpty);
        Assert.Equal($"the path by {ProviderB} was withdrawn by edge-127.0.0.1", Assert.Single(_lost).Reason);
        Assert.Empty(_speaker.GetOverrides());
    }

    [Fact]
    public async Task Handler_that_throws_harms_nobody()
    {
        _speaker.OverrideLost += (_, _) => throw new InvalidOperationException("the handler's own");
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);

        _router.Withdraw(2, Prefix);

        Assert.Single((await _router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn);
        _router.Announce(ScriptedRouter.Via(ProviderA, 64501), 1, "20.10.0.0/16");
        await _speaker.UntilPathsAsync("20.10.0.0/16", 1);
        Assert.Equal(1, _speaker.GetPeers()[0].Transitions);
        Assert.Null(_speaker.GetPeers()[0].LastError);
    }

    [Fact]
    public async Task Path_whose_next_hop_changes_takes_the_override_with_it()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);

        _router.Announce(ScriptedRouter.Via("100.64.3.2", 64503), 2, Prefix);

        Assert.Single((await _router.ExpectAsync(BgpMessageType.Update)).Update.Withdrawn);
    }

    [Fact]
    public async Task Path_with_new_attributes_and_the_same_next_hop_is_announced_anew()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);

        _router.Announce(ScriptedRouter.Via(ProviderB, 64777), 2, Prefix);

        UpdateMessage update = (await _router.ExpectAsync(BgpMessageType.Update)).Update;
        Assert.Equal("64777 64999", update.Attributes!.AsPath.ToString());
        Assert.Empty(_lost);
    }

    [Fact]
    public async Task Path_learned_anew_under_another_identifier_keeps_the_override()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);
        _router.Announce(ScriptedRouter.Via(ProviderB, 64502, localPref: null, 0xFBF6_0001), 12, Prefix);
        _router.Withdraw(2, Prefix);

        await SpeakerFixture.UntilAsync(() => _speaker.GetPaths(IpPrefix.Parse(Prefix)).All(p => p.PathId != 2));

        Assert.Equal(12u, Assert.Single(_speaker.GetOverrides()).Path.PathId);
        Assert.Empty(_lost);
    }

    [Fact]
    public async Task Higher_local_pref_from_the_router_raises_the_override_above_it()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);

        _router.Announce(ScriptedRouter.Via("100.64.3.2", 64503, localPref: 500), 3, Prefix);

        Assert.Equal(600u, (await _router.ExpectAsync(BgpMessageType.Update)).Update.Attributes!.LocalPref);
    }

    [Fact]
    public async Task Override_stays_when_another_path_of_the_prefix_goes()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);
        _router.Withdraw(1, Prefix);
        await _speaker.UntilPathsAsync(Prefix, 1);

        Assert.Single(_speaker.GetOverrides());
        Assert.Empty(_lost);
    }

    [Fact]
    public async Task Refresh_request_is_answered_with_the_overrides()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        await _router.ExpectAsync(BgpMessageType.Update);
        _router.Send(new RouteRefreshMessage(AfiSafi.IPv4Unicast).Encode);

        Assert.Equal(Prefix, Assert.Single((await _router.ExpectAsync(BgpMessageType.Update)).Update.Announced).ToString());
    }

    [Fact]
    public void Create_is_refused_for_every_reason_in_the_book()
    {
        Assert.Equal(OverrideRefusal.PathNotLearned, _speaker.Refusal("20.9.0.0/16", ProviderA));
        Assert.Equal(OverrideRefusal.PathNotLearned, _speaker.Refusal("20.0.0.0/17", ProviderA));
        Assert.Equal(OverrideRefusal.PathNotLearned, _speaker.Refusal(Prefix, "100.64.3.2"));
        Assert.Equal(OverrideRefusal.NextHopNotAllowed, _speaker.Refusal(Prefix, "100.64.9.9"));
        Assert.Equal(OverrideRefusal.NextHopIsOurs, _speaker.Refusal(Prefix, "192.0.2.2"));
    }

    [Fact]
    public async Task Create_is_refused_for_a_path_with_an_empty_as_path()
    {
        _router.Announce(new PathAttributes { NextHop = new(IpAddr.Parse(ProviderA)) }, 5, "20.9.0.0/16");
        await _speaker.UntilPathsAsync("20.9.0.0/16", 1);

        Assert.Equal(OverrideRefusal.EmptyAsPath, _speaker.Refusal("20.9.0.0/16", ProviderA));
    }

    [Fact]
    public void Announce_beyond_the_cap_is_refused()
    {
        Override fourth = _speaker.Create("20.3.0.0/16", ProviderB);
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB), _speaker.Create("20.1.0.0/16", ProviderB), _speaker.Create("20.2.0.0/16", ProviderB)]));

        Assert.Equal(OverrideRefusal.TooMany, Assert.Single(_speaker.Announce([fourth])).Refusal);
        Assert.Equal(OverrideRefusal.TooMany, _speaker.Refusal("20.3.0.0/16", ProviderB));
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderA)]));
    }

    [Fact]
    public async Task Announce_refuses_an_override_whose_path_went_meanwhile()
    {
        Override stale = _speaker.Create(Prefix, ProviderB);
        _router.Withdraw(2, Prefix);
        await _speaker.UntilPathsAsync(Prefix, 1);

        Assert.Equal(OverrideRefusal.PathNotLearned, Assert.Single(_speaker.Announce([stale])).Refusal);
    }

    [Fact]
    public async Task Routes_with_our_marker_are_never_inputs()
    {
        _router.Announce(ScriptedRouter.Via(ProviderA, 64501, 100, SpeakerFixture.Marker), 9, "20.9.0.0/16");
        // The same path identifier: the marked route takes the place of the one that was learned.
        _router.Announce(ScriptedRouter.Via(ProviderB, 64502, 100, SpeakerFixture.Marker), 2, Prefix);
        _router.Announce(ScriptedRouter.Via(ProviderA, 64501), 1, "20.10.0.0/16");
        await _speaker.UntilPathsAsync("20.10.0.0/16", 1);

        Assert.Empty(_speaker.GetPaths(IpPrefix.Parse("20.9.0.0/16")));
        Assert.Equal([1u], _speaker.GetPaths(IpPrefix.Parse(Prefix)).Select(p => p.PathId));
    }

    [Fact]
    public async Task Ipv6_override_carries_the_global_next_hop_alone()
    {
        var attributes = new PathAttributes
        {
            NextHop = new(IpAddr.Parse("2001:db8:ff:2::2"), IpAddr.Parse("fe80::2")),
            AsPath = AsPath.Sequence(64502),
            LocalPref = 100,
        };
        _router.Announce(attributes, 4, "2a00:2::/32");
        await _speaker.UntilPathsAsync("2a00:2::/32", 1);
        Assert.Empty(_speaker.Announce([_speaker.Create("2a00:2::/32", "2001:db8:ff:2::2")]));

        UpdateMessage update = (await _router.ExpectAsync(BgpMessageType.Update)).Update;

        Assert.Equal("2a00:2::/32", Assert.Single(update.MpReach).ToString());
        Assert.Equal("2001:db8:ff:2::2", update.MpNextHop.ToString());
        _speaker.WithdrawAll();
        Assert.Single((await _router.ExpectAsync(BgpMessageType.Update)).Update.MpUnreach);
    }

    [Fact]
    public async Task Table_is_complete_by_end_of_rib_and_not_before()
    {
        Assert.True(_speaker.GetPeers()[0].AddPath);
        _router.SendEndOfRib();

        await SpeakerFixture.UntilAsync(() => _speaker.GetPeers()[0].TableComplete);
        Assert.Equal(8, _speaker.GetPeers()[0].RoutesIPv4);
    }

    [Fact]
    public async Task Override_goes_when_the_session_it_was_learned_from_goes()
    {
        Assert.Empty(_speaker.Announce([_speaker.Create(Prefix, ProviderB)]));
        _router.Reset();

        await SpeakerFixture.UntilAsync(() => !_lost.IsEmpty);

        Assert.Contains("went down", _lost.First().Reason, StringComparison.Ordinal);
        Assert.Empty(_speaker.GetOverrides());
        Assert.Empty(_speaker.GetPaths(IpPrefix.Parse(Prefix)));
    }
}
