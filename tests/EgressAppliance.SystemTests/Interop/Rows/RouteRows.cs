using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Rows;

/// <summary>What is learned from the router.</summary>
internal static class RouteRows
{
    /// <summary>Every attribute arrives as the provider sent it, with LOCAL_PREF 100 and the provider's own next hop; withdrawals are seen.</summary>
    public static async Task LearnsRoutesAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        foreach (FeedRoute route in bed.Routes())
        {
            PathAttributes expected = route.Attributes(bed.Addresses);
            PathAttributes seen = PathBy(bed, route.Prefix, route.Provider).Attributes;
            Assert.Equal(expected.AsPath, seen.AsPath);
            Assert.Equal(100u, seen.LocalPref);
            Assert.Equal(expected.Origin, seen.Origin);
            Assert.Equal(expected.Med ?? 0, seen.Med ?? 0);
            Assert.Equal(expected.Communities.Order(), seen.Communities.Order());
            Assert.Equal(expected.LargeCommunities.Order(Large), seen.LargeCommunities.Order(Large));
        }

        bed.Output.WriteLine($"next hops: {PathBy(bed, bed.Prefixes[0], 1).NextHop}, {PathBy(bed, bed.Prefixes[^1], 1).NextHop}");
        IpPrefix[] gone = [bed.Prefixes[0], bed.Prefixes[^1]];
        IpPrefix[] half = [bed.Prefixes[1], bed.Prefixes[^2]];
        await bed.AnnounceAsync(route => !gone.Contains(route.Prefix) && (route.Provider == 2 || !half.Contains(route.Prefix)));
        await AwaitProvidersAsync(bed, gone, "");
        await AwaitProvidersAsync(bed, half, "2");
        await bed.AnnounceAsync();
        await bed.AwaitTableAsync();
        Assert.Equal(0, bed.Peer.UpdateErrors);
    }

    /// <summary>Two paths with identifiers of their own, which stay while an override of ours is the router's best path.</summary>
    public static async Task LearnsAllPathsAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        Assert.True(bed.Peer.AddPath);
        foreach (IpPrefix prefix in bed.Prefixes)
        {
            Assert.NotEqual(PathBy(bed, prefix, 1).PathId, PathBy(bed, prefix, 2).PathId);
        }

        IpPrefix[] moved = [bed.Prefixes[0], bed.Prefixes[^1]];
        bed.Announce(moved);
        await bed.AwaitReceivedAsync("overrides best", routes => routes.Count == 2 && routes.All(route => route.Best != false));
        await AwaitProvidersAsync(bed, moved, "1 2");
        await bed.AnnounceAsync(route => route.Provider == 2);
        await AwaitProvidersAsync(bed, bed.Prefixes, "2");
        Assert.Equal(2, bed.Speaker.GetOverrides().Count);

        // The path of the override itself goes: so does the override, without anybody's help.
        await bed.AnnounceAsync(route => route.Provider == 1);
        await AwaitProvidersAsync(bed, bed.Prefixes, "1");
        Assert.Empty(bed.Speaker.GetOverrides());
        await bed.AwaitReceivedAsync("overrides gone", routes => routes.Count == 0);
    }

    /// <summary>A router that shows its best path only: it is learned, but nothing may be built on it.</summary>
    public static async Task RefusesWithoutAllPathsAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        Assert.False(bed.Peer.AddPath);
        foreach (IpPrefix prefix in bed.Prefixes)
        {
            RibPath only = Assert.Single(bed.Speaker.GetPaths(prefix));
            Assert.False(bed.Speaker.TryCreateOverride(prefix, only.NextHop.Address, out _, out OverrideRefusal refusal));
            Assert.Equal(OverrideRefusal.BestPathOnly, refusal);
        }
    }

    /// <summary>On ROUTE-REFRESH of ours the router sends its whole table again.</summary>
    public static async Task AsksAgainAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        long sessions = bed.Peer.Transitions;
        long before = bed.Peer.MessagesReceived;
        Assert.Equal(RefreshOutcome.Sent, bed.Speaker.RequestRefresh(bed.Peer.Name, null));

        // An UPDATE for each path, as no two have the same attributes; so many KEEPALIVEs would take longer than the limit.
        int paths = bed.Prefixes.Count * 2;
        await Until.TrueAsync(
            "all paths sent again", () => Task.FromResult(bed.Peer.MessagesReceived >= before + paths), InteropBed.Generous, bed.Output, InteropBed.Poll);
        await bed.AwaitTableAsync();
        Assert.Equal(sessions, bed.Peer.Transitions);
    }

    private static IComparer<LargeCommunity> Large { get; } =
        Comparer<LargeCommunity>.Create((a, b) => (a.GlobalAdministrator, a.Local1, a.Local2).CompareTo((b.GlobalAdministrator, b.Local1, b.Local2)));

    private static RibPath PathBy(InteropBed bed, IpPrefix prefix, int provider) =>
        Assert.Single(bed.Speaker.GetPaths(prefix), path => path.NextHop.Address == bed.Addresses.Provider(provider, prefix.Family));

    /// <summary>Waits until the paths of all these prefixes are those by these providers, numbers separated by blanks.</summary>
    private static Task<string> AwaitProvidersAsync(InteropBed bed, IReadOnlyCollection<IpPrefix> prefixes, string providers) => Until.ValueAsync(
        $"paths by \"{providers}\"",
        () => Task.FromResult(string.Join("; ", prefixes.Select(prefix => string.Join(' ', new[] { 1, 2 }.Where(provider =>
            bed.Speaker.GetPaths(prefix).Any(path => path.NextHop.Address == bed.Addresses.Provider(provider, prefix.Family))))).Distinct())),
        seen => seen == providers, InteropBed.Generous, bed.Output, InteropBed.Poll);
}
