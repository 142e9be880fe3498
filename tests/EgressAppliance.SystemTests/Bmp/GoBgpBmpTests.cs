using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Bmp;

/// <summary>The station with GoBGP, which shows Adj-RIB-In before and after policy and its Loc-RIB.</summary>
public sealed class GoBgpBmpTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [GoBgpFact]
    public Task Gobgp_shows_three_tables() => BmpLab.RunAsync(output, async lab =>
    {
        Start(lab);
        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPrePolicy, Limit);
        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPostPolicy, Limit);

        // A's paths are the shorter ones.
        Provider a = lab.Providers[0];
        string[] best = [.. BmpLab.Announced(a, ipv6: false).Concat(BmpLab.Announced(a, ipv6: true)).Order(StringComparer.Ordinal)];
        await UntilAsync("the Loc-RIB", () => lab.Routes.Of("0.0.0.0", BmpTable.LocRib).SequenceEqual(best));

        BmpRouterStatus status = lab.Router;
        Assert.Empty(status.Malformed);
        Assert.Equal((0L, 1L), (status.Oddities.OwnAsRemoved, status.Oddities.WithoutPeerUp));
        Assert.Equal(4, status.Peers.Count(p => p.IsUp && p.Id.Type == BmpPeerType.GlobalInstance));
        await UntilAsync("statistics", () => lab.Router.Peers.Any(p => p.Statistics.Count > 0));

        LabPrefix prefix = LabPrefixes.Ipv4[5];
        await a.WithdrawAsync(prefix);
        await UntilAsync($"{prefix} withdrawn by A", () => lab.Routes.Of(a.Ipv4, BmpTable.AdjRibInPrePolicy).SequenceEqual(BmpLab.Announced(a, ipv6: false, prefix)));
        Provider b = lab.Providers[1];
        await UntilAsync($"{prefix} by B in the Loc-RIB", () => lab.Routes.Of("0.0.0.0", BmpTable.LocRib).Contains($"{prefix} via {b.Ipv4} {b.AsPath}"));
    });

    /// <summary>The session brings all paths, BMP the router's own choice: they agree until an override is what the router uses.</summary>
    [GoBgpFact]
    public Task Gobgps_loc_rib_agrees_with_the_preferred_path_and_shows_our_override() => BmpLab.RunAsync(
        output,
        async lab =>
        {
            Start(lab, $"""
                [[neighbors]]
                  [neighbors.config]
                    neighbor-address = "{BmpLab.StationAddress}"
                    peer-as = 65000
                  [neighbors.timers.config]
                    connect-retry = 1
                  [[neighbors.afi-safis]]
                    [neighbors.afi-safis.config]
                      afi-safi-name = "ipv4-unicast"
                    [neighbors.afi-safis.add-paths.config]
                      send-max = 8

                """);
            IpPrefix prefix = IpPrefix.Parse(LabPrefixes.Ipv4[3].Prefix);
            Provider b = lab.Providers[1];
            await UntilAsync("all paths and a Loc-RIB", () => lab.Speaker.GetPeers()[0] is { AddPath: true, TableComplete: true, LocRib: { Complete: true, RoutesIPv4: > 0, RoutesIPv6: > 0 } });
            RouterChoice? Choice() => lab.Speaker.GetLocRib(prefix) is [var chosen] && lab.Speaker.GetPaths(prefix) is { Count: 2 } paths
                ? RouterChoiceResult.Of(chosen.Attributes, paths, BmpLab.Marker).Choice
                : null;
            await UntilAsync("agreement", () => Choice() == RouterChoice.Agrees);

            Assert.True(lab.Speaker.TryCreateOverride(prefix, IpAddr.Parse(b.Ipv4), out Override? created, out OverrideRefusal refusal), refusal.ToString());
            Assert.Empty(lab.Speaker.Announce([created!]));
            await UntilAsync("our override in the Loc-RIB", () => Choice() == RouterChoice.Override);
            Assert.Equal(b.Ipv4, lab.Speaker.GetLocRib(prefix)[0].NextHop.Address.ToString());

            lab.Speaker.WithdrawAll();
            await UntilAsync("agreement again", () => Choice() == RouterChoice.Agrees);
        },
        withSpeaker: true);

    private static void Start(BmpLab lab, string appliance = "")
    {
        string neighbors = string.Concat(lab.Providers.SelectMany(p => new[] { (p.Ipv4, p.As, "ipv4-unicast"), (p.Ipv6, p.As, "ipv6-unicast") }).Select(s => $"""
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "{s.Item1}"
                peer-as = {s.As}
              [neighbors.timers.config]
                connect-retry = 1
                hold-time = 9
                keepalive-interval = 3
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "{s.Item3}"

            """));
        string config = Path.Combine(lab.Folder, "gobgpd.toml");
        File.WriteAllText(config, $"""
            [global.config]
              as = 65000
              router-id = "{BmpLab.EdgeAddress}"
            [[bmp-servers]]
              [bmp-servers.config]
                address = "{BmpLab.StationAddress}"
                port = {BmpLab.Port}
                route-monitoring-policy = "all"
                statistics-timeout = 15
            {neighbors}
            {appliance}
            """);
        lab.Adopt(Daemon.Start("gobgpd", lab.Folder, lab.Edge.Command("gobgpd", "-t", "toml", "-f", config, "--api-hosts", "127.0.0.1:50051", "--pprof-disable")));
    }

    private Task UntilAsync(string what, Func<bool> condition) => Until.TrueAsync(what, () => Task.FromResult(condition()), Limit, output);

    /// <summary>A system fact that needs GoBGP too.</summary>
    private sealed class GoBgpFactAttribute() : SystemFactAttribute(SystemRequirements.Missing ?? SystemRequirements.MissingPackages([("gobgpd", "gobgpd")]));
}
