using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop.Rows;

/// <summary>What the router is told.</summary>
internal static class OverrideRows
{
    /// <summary>Announced, an override is the router's best path with everything on it that the appliance promises; withdrawn, it is gone at once.</summary>
    public static async Task IsBestUntilWithdrawnAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        IReadOnlyList<Override> overrides = bed.Announce(bed.Prefixes[0], bed.Prefixes[1], bed.Prefixes[^1]);
        IReadOnlyList<ReceivedRoute> routes = await bed.AwaitReceivedAsync(
            "three overrides at the router, all best", routes => routes.Count == 3 && routes.All(route => route.Best != false));
        foreach (Override announced in overrides)
        {
            ReceivedRoute route = Assert.Single(routes, route => route.Prefix == announced.Prefix.ToString());
            Assert.Equal(bed.Addresses.Provider(2, announced.Prefix.Family).ToString(), route.NextHop);
            Assert.Equal(announced.Path.Attributes.AsPath.ToString(), route.AsPath);
            Assert.Equal(200u, route.LocalPref);
            Assert.Contains(Community.Format(Community.NoExport), route.Communities);
            Assert.Contains(Community.Format(InteropBed.Marker), route.Communities);
        }

        bed.Speaker.Withdraw([bed.Prefixes[0]]);
        await bed.AwaitReceivedAsync("one withdrawn", routes => routes.Count == 2 && routes.All(route => route.Prefix != bed.Prefixes[0].ToString()));
        Assert.Equal(2, bed.Speaker.WithdrawAll());
        await bed.AwaitReceivedAsync("all withdrawn", routes => routes.Count == 0);
        await bed.AwaitTableAsync();
        Assert.Equal(SessionState.Established, bed.Peer.State);
    }

    /// <summary>On ROUTE-REFRESH the overrides in force are sent again.</summary>
    public static async Task AnswersRefreshAsync(InteropBed bed)
    {
        await bed.AwaitTableAsync();
        IpPrefix[] prefixes = [bed.Prefixes[0], bed.Prefixes[^1]];
        bed.Announce(prefixes);
        await bed.AwaitReceivedAsync("overrides at the router", routes => routes.Count == prefixes.Length);
        long sessions = bed.Peer.Transitions;
        long before = await bed.Router.CountUpdatesAsync();
        await bed.Router.RequestRefreshAsync();

        // One UPDATE for each family.
        await Until.ValueAsync(
            "both families sent again", bed.Router.CountUpdatesAsync, count => count >= before + prefixes.Length, InteropBed.Generous, bed.Output, InteropBed.Poll);
        await bed.AwaitReceivedAsync("overrides still there", routes => routes.Count == prefixes.Length);
        Assert.Equal(sessions, bed.Peer.Transitions);
    }
}
