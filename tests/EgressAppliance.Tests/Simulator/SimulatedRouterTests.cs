using EgressAppliance.Net;
using EgressAppliance.Simulator.Routing;

namespace EgressAppliance.Tests.Simulator;

public class SimulatedRouterTests
{
    private static readonly IpPrefix Wide = IpPrefix.Parse("198.51.0.0/16");
    private static readonly IpPrefix Narrow = IpPrefix.Parse("198.51.100.0/24");
    private static readonly IpAddr Inside = IpAddr.Parse("198.51.100.7");

    private readonly SimulatedRouter _router = new(65000, 1, ThreeProviders.Links());
    private readonly List<OverrideChange> _changes = [];

    public SimulatedRouterTests()
    {
        for (int link = 0; link < 3; link++)
        {
            _router.AnnounceFromProvider(link, Wide, Route(link, 1 + link));
            _router.AnnounceFromProvider(link, Narrow, Route(link, 1 + link));
        }

        _router.OverrideChanged += _changes.Add;
    }

    [Fact]
    public void Forward_without_overrides_follows_the_best_path()
    {
        Assert.Equal(new ForwardingDecision(0, 0, false), _router.Forward(Inside));
        Assert.Equal(new ForwardingDecision(-1, -1, false), _router.Forward(IpAddr.Parse("8.8.8.8")));
    }

    [Fact]
    public void InstallOverride_of_a_known_next_hop_moves_the_prefix_and_withdrawal_moves_it_back()
    {
        Assert.True(_router.InstallOverride(Narrow, Override(1)));
        Assert.Equal(new ForwardingDecision(1, 0, false), _router.Forward(Inside));
        Assert.Equal(0, _router.Forward(IpAddr.Parse("198.51.1.1")).Link);

        Assert.True(_router.WithdrawOverride(Narrow));
        Assert.False(_router.WithdrawOverride(Narrow));
        Assert.Equal(0, _router.Forward(Inside).Link);
        Assert.Equal(
            [new(OverrideChangeKind.Installed, Narrow, 0, 1), new(OverrideChangeKind.Withdrawn, Narrow, 0, 1)], _changes);
    }

    [Theory]
    [InlineData("10.9.9.9", "64502,3")]
    [InlineData("2001:db8:ff:2::2", "64502,3")]
    [InlineData("100.64.2.2", "64502,65000,3")]
    public void InstallOverride_that_cannot_be_used_is_ignored(string nextHop, string path)
    {
        SimulatedRoute route = Override(1) with { NextHop = IpAddr.Parse(nextHop), AsPath = [.. path.Split(',').Select(uint.Parse)] };

        Assert.False(_router.InstallOverride(Narrow, route));
        Assert.Equal(0, _router.Forward(Inside).Link);
        Assert.Equal([new(OverrideChangeKind.Ignored, Narrow, 0, -1)], _changes);
    }

    [Fact]
    public void InstallOverride_with_a_lower_local_preference_changes_nothing()
    {
        _router.InstallOverride(Narrow, Override(2) with { LocalPref = 50 });

        Assert.Equal(0, _router.Forward(Inside).Link);
    }

    [Fact]
    public void InstallOverride_of_a_more_specific_wins_by_longest_match()
    {
        IpPrefix half = IpPrefix.Parse("198.51.100.0/25");
        _router.InstallOverride(half, Override(2));

        Assert.Equal(new ForwardingDecision(2, 0, false), _router.Forward(Inside));
        _router.WithdrawOverride(half);
        Assert.Equal(new ForwardingDecision(0, 0, false), _router.Forward(Inside));
    }

    [Fact]
    public void DropOverrides_when_the_session_ends_restores_plain_bgp()
    {
        _router.InstallOverride(Narrow, Override(1));
        _router.InstallOverride(Wide, Override(2));

        Assert.Equal(2, _router.DropOverrides());
        Assert.Equal(0, _router.OverrideCount);
        Assert.Equal(0, _router.Forward(Inside).Link);
        Assert.Equal(2, _changes.Count(c => c.Kind == OverrideChangeKind.SessionLost));
    }

    [Fact]
    public void WithdrawByProvider_under_an_override_black_holes_until_the_override_goes()
    {
        _router.InstallOverride(Narrow, Override(1));
        _router.WithdrawByProvider(1, Narrow);
        Assert.Equal(new ForwardingDecision(1, 0, false), _router.Forward(Inside)); // the provider still has the covering prefix

        _router.WithdrawByProvider(1, Wide);
        Assert.Equal(new ForwardingDecision(1, 0, true), _router.Forward(Inside));

        _router.WithdrawOverride(Narrow);
        Assert.Equal(new ForwardingDecision(0, 0, false), _router.Forward(Inside));
    }

    [Fact]
    public void SetLinkUp_false_makes_overrides_by_that_link_unused_until_it_is_up_again()
    {
        _router.InstallOverride(Narrow, Override(1));

        _router.SetLinkUp(1, false);
        Assert.Equal(0, _router.Forward(Inside).Link);
        _router.SetLinkUp(1, true);
        Assert.Equal(1, _router.Forward(Inside).Link);
    }

    [Fact]
    public void SetProviderSession_down_leaves_the_override_as_real_routers_do()
    {
        _router.InstallOverride(Narrow, Override(1));

        _router.SetProviderSession(1, false);
        Assert.Equal(new ForwardingDecision(1, 0, true), _router.Forward(Inside));
        _router.SetProviderSession(0, false);
        Assert.Equal(new ForwardingDecision(1, 2, true), _router.Forward(Inside));
    }

    [Fact]
    public void Observe_tells_every_path_and_gives_new_identifiers_after_a_session_came_back()
    {
        Recorder recorder = new();
        _router.Observe(recorder);
        PathChange[] initial = [.. recorder.Changes];
        recorder.Changes.Clear();
        Assert.Equal(6, initial.Length);
        Assert.Equal(6, initial.Select(c => (c.Prefix, c.PathId)).Distinct().Count());
        Assert.DoesNotContain(initial, c => c.PathId == 0);

        _router.SetProviderSession(1, false);
        _router.SetProviderSession(1, true);
        uint old = initial.First(c => c.Route!.NextHop == _router.Links[1].NextHopIPv4).PathId;
        Assert.Equal(2, recorder.Changes.Count(c => c.Route is null && c.PathId == old));
        Assert.Equal(2, recorder.Changes.Count(c => c.Route is not null && c.PathId != old));

        recorder.Best.Clear();
        _router.InstallOverride(Narrow, Override(2));
        Assert.Equal(4, recorder.Changes.Count); // our own route is not echoed
        Assert.Equal([Narrow], recorder.Best);
        _router.Unobserve(recorder);
        _router.WithdrawByProvider(0, Wide);
        Assert.Equal(4, recorder.Changes.Count);
    }

    [Fact]
    public void Build_of_the_real_prefixes_spreads_them_over_all_links()
    {
        IReadOnlyList<OriginatedPrefix> prefixes = RealPrefixes.Load();
        SimulatedRouter router = ThreeProviders.Build(prefixes);

        Assert.Equal(4000, prefixes.Count);
        Assert.Equal(prefixes.Select(p => p.Prefix), router.GetPrefixes());
        int[] native = new int[3];
        foreach (OriginatedPrefix p in prefixes)
        {
            (SimulatedRoute? route, int link) = router.BestOf(p.Prefix);
            native[link]++;
            Assert.Equal(p.OriginAs, route!.AsPath[^1]);
            Assert.Equal(router.Links[link].ProviderAs, route.AsPath[0]);
        }

        Assert.InRange(native[0], 1800, 2200);
        Assert.InRange(native[1], 800, 1200);
    }

    private static SimulatedRoute Route(int link, int length) => new()
    {
        NextHop = IpAddr.Parse($"100.64.{link + 1}.2"),
        AsPath = [64501 + (uint)link, .. Enumerable.Repeat(3u, length)],
        RouterId = (uint)link + 1,
    };

    private static SimulatedRoute Override(int link) => Route(link, 1) with { LocalPref = 200, IsExternal = false, RouterId = 99 };

    private sealed class Recorder : IPathObserver
    {
        public List<PathChange> Changes { get; } = [];

        public List<IpPrefix> Best { get; } = [];

        public void PathChanged(in PathChange change) => Changes.Add(change);

        public void BestChanged(IpPrefix prefix) => Best.Add(prefix);
    }
}
