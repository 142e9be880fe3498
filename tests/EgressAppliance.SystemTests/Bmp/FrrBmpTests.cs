using System.Collections.Concurrent;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Net;
using EgressAppliance.SystemTests.Infrastructure;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Bmp;

/// <summary>The station with FRR, which connects to it.</summary>
public sealed class FrrBmpTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [SystemFact]
    public Task Frr_shows_what_each_provider_announces_and_withdraws() => BmpLab.RunAsync(output, async lab =>
    {
        await using var frr = await FrrWithBmp.StartAsync(lab);
        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPrePolicy, Limit);

        BmpRouterStatus status = lab.Router;
        Assert.Equal(BmpConnectionState.Up, status.State);
        Assert.Equal("edge", status.SysName);
        Assert.Contains("FRRouting", status.SysDescr, StringComparison.Ordinal);
        Assert.Equal(4, status.Peers.Count(p => p.IsUp));
        Assert.Empty(status.Malformed);
        Assert.True(status.Oddities.OwnAsRemoved > 0);
        foreach (Provider provider in lab.Providers)
        {
            BmpPeerStatus peer = status.Peers.Single(p => p.Id.Address == IpAddr.Parse(provider.Ipv4));
            Assert.Equal(((uint)provider.As, null), (peer.As, peer.Hint));
            Assert.Equal(LabPrefixes.All.Count(p => !p.IsIpv6), peer.Tables.Single(t => t.Table == BmpTable.AdjRibInPrePolicy).Routes);
        }

        Provider a = lab.Providers[0];
        foreach (LabPrefix prefix in new[] { LabPrefixes.Ipv4[3], LabPrefixes.Ipv6[3] })
        {
            string address = prefix.IsIpv6 ? a.Ipv6 : a.Ipv4;
            await a.WithdrawAsync(prefix);
            await UntilAsync($"{prefix} gone", () => lab.Routes.Of(address, BmpTable.AdjRibInPrePolicy).SequenceEqual(BmpLab.Announced(a, prefix.IsIpv6, prefix)));
            await a.RestoreAsync(prefix);
        }

        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPrePolicy, Limit);
    });

    [SystemFact]
    public Task Restarted_frr_is_learned_anew() => BmpLab.RunAsync(output, async lab =>
    {
        await using var frr = await FrrWithBmp.StartAsync(lab);
        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPrePolicy, Limit);
        await frr.StopBgpdAsync();
        await UntilAsync("no routes", () => lab.Routes.Routes == 0);
        Assert.NotEqual(BmpConnectionState.Up, lab.Router.State);
        Assert.Empty(lab.Router.Peers);

        int before = lab.Routes.Connections;
        frr.StartBgpd();
        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPrePolicy, Limit);
        Assert.True(lab.Routes.Connections > before);
    });

    [SystemFact]
    public Task Provider_that_goes_down_takes_its_routes_along() => BmpLab.RunAsync(output, async lab =>
    {
        await using var frr = await FrrWithBmp.StartAsync(lab);
        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPrePolicy, Limit);
        Provider b = lab.Providers[1];
        await BirdcAsync(lab, b, "disable", "edge4");
        await UntilAsync("B's IPv4 routes gone", () => lab.Routes.Of(b.Ipv4, BmpTable.AdjRibInPrePolicy).Count == 0);
        BmpPeerStatus down = lab.Router.Peers.Single(p => p.Id.Address == IpAddr.Parse(b.Ipv4));
        Assert.False(down.IsUp);
        Assert.StartsWith("the peer closed the session: 6/2 Cease, Administrative Shutdown", down.DownReason, StringComparison.Ordinal);
        Assert.Equal(BmpLab.Announced(b, ipv6: true), lab.Routes.Of(b.Ipv6, BmpTable.AdjRibInPrePolicy));

        await BirdcAsync(lab, b, "enable", "edge4");
        await lab.UntilAnnouncedAsync(BmpTable.AdjRibInPrePolicy, Limit);
    });

    [SystemFact]
    public Task Provider_without_soft_reconfiguration_gets_a_hint() => BmpLab.RunAsync(output, async lab =>
    {
        Provider b = lab.Providers[1];
        await using var frr = await FrrWithBmp.StartAsync(lab, quiet: b);
        await UntilAsync("A's routes", () => lab.Routes.Of(lab.Providers[0].Ipv4, BmpTable.AdjRibInPrePolicy).SequenceEqual(BmpLab.Announced(lab.Providers[0], ipv6: false)));
        await UntilAsync("the hint", () => lab.Router.Peers.Any(p => p.Id.Address == IpAddr.Parse(b.Ipv4) && p.Hint?.Contains("soft-reconfiguration inbound", StringComparison.Ordinal) == true));
        Assert.Null(lab.Router.Peers.Single(p => p.Id.Address == IpAddr.Parse(lab.Providers[0].Ipv4)).Hint);
    });

    [SystemFact]
    public Task Router_without_add_path_is_steered_by_what_bmp_shows() => BmpLab.RunAsync(
        output,
        async lab =>
        {
            var lost = new ConcurrentQueue<string>();
            lab.Speaker.OverrideLost += (prefix, reason) => lost.Enqueue($"{prefix}: {reason}");
            await using var frr = await FrrWithBmp.StartAsync(lab, withSpeaker: true);
            PeerStatus Peer() => lab.Speaker.GetPeers()[0];
            await UntilAsync("all paths of the router", () => Peer() is { PathSource: PathSource.Bmp, AllPathsKnown: true, TableComplete: true });
            Assert.False(Peer().AddPath);
            Provider a = lab.Providers[0];
            Provider b = lab.Providers[1];
            string Ways(LabPrefix prefix) => string.Join(' ', lab.Speaker.GetPaths(IpPrefix.Parse(prefix.Prefix)).Select(p => p.NextHop.Address));

            // The router's policy prefers B for one prefix, whatever the AS_PATHs say.
            LabPrefix preferred = LabPrefixes.Ipv4[0];
            LabPrefix[] others = [.. LabPrefixes.All.Where(p => p != preferred)];
            foreach (LabPrefix prefix in others)
            {
                await UntilAsync($"both ways of {prefix.Prefix}", () => Ways(prefix) == $"{a.NextHop(prefix)} {b.NextHop(prefix)}");
            }

            await UntilAsync("B first where policy has it so", () => Ways(preferred) == $"{b.Ipv4} {a.Ipv4}");
            await UntilRouteAsync(lab, preferred, b);

            LabPrefix[] moved = [LabPrefixes.Ipv4[1], LabPrefixes.Ipv4[2], LabPrefixes.Ipv6[1]];
            foreach (LabPrefix prefix in moved)
            {
                await UntilRouteAsync(lab, prefix, a);
            }

            Announce(lab, b, moved);
            Announce(lab, a, preferred);
            foreach (LabPrefix prefix in moved)
            {
                await UntilRouteAsync(lab, prefix, b);
            }

            // Against LOCAL_PREF 300, which no route over BMP has.
            await UntilRouteAsync(lab, preferred, a);
            Assert.Equal(4, lab.Speaker.GetOverrides().Count);

            // Our own routes come back by BMP as no inputs, and what the router preferred is still known.
            await Task.Delay(TimeSpan.FromSeconds(2));
            Assert.Equal($"{a.Ipv4} {b.Ipv4}", Ways(moved[0]));
            Assert.Equal($"{b.Ipv4} {a.Ipv4}", Ways(preferred));
            Assert.Empty(lost);

            await b.WithdrawAsync(moved[0]);
            await UntilAsync("the loss of the withdrawn path", () => lost.Any(l => l.StartsWith(moved[0].Prefix + ": the path by", StringComparison.Ordinal)));
            await UntilRouteAsync(lab, moved[0], a);
            Assert.Equal(3, lab.Speaker.GetOverrides().Count);

            await lab.Station.DisposeAsync();
            await UntilAsync("the loss of the other paths", () => lost.Count == 4);
            Assert.All(lost.Skip(1), l => Assert.Contains("which is gone: the station is stopped", l, StringComparison.Ordinal));
            await UntilRouteAsync(lab, moved[1], a);
            await UntilRouteAsync(lab, preferred, b);
            Assert.Equal((PathSource.BestOnly, SessionState.Established), (Peer().PathSource, Peer().State));
        },
        withSpeaker: true);

    private static void Announce(BmpLab lab, Provider provider, params LabPrefix[] prefixes)
    {
        var overrides = new List<Override>();
        foreach (LabPrefix prefix in prefixes)
        {
            Assert.True(
                lab.Speaker.TryCreateOverride(IpPrefix.Parse(prefix.Prefix), IpAddr.Parse(provider.NextHop(prefix)), out Override? created, out OverrideRefusal refusal),
                $"{prefix.Prefix}: {refusal}");
            overrides.Add(created!);
        }

        Assert.Empty(lab.Speaker.Announce(overrides));
    }

    /// <summary>Waits until the router forwards a prefix by a provider's link.</summary>
    private Task<string> UntilRouteAsync(BmpLab lab, LabPrefix prefix, Provider provider) => Until.ValueAsync(
        $"{prefix.Prefix} by {provider.Link}",
        () => lab.Edge.RunAsync("ip", prefix.IsIpv6 ? "-6" : "-4", "route", "show", prefix.Prefix),
        route => route.Contains($"dev {provider.EdgeInterface}", StringComparison.Ordinal), Limit, output);

    private static Task<string> BirdcAsync(BmpLab lab, Provider provider, params string[] command) =>
        Shell.CheckedAsync(["birdc", "-s", Path.Combine(lab.Folder, $"{provider.Link}.ctl"), .. command]);

    private Task UntilAsync(string what, Func<bool> condition) => Until.TrueAsync(what, () => Task.FromResult(condition()), Limit, output);

    /// <summary>zebra and bgpd with the BMP module in the lab's router namespace.</summary>
    private sealed class FrrWithBmp : IAsyncDisposable
    {
        private readonly BmpLab _lab;
        private readonly string _runFolder;
        private Daemon? _bgpd;

        private FrrWithBmp(BmpLab lab)
        {
            _lab = lab;
            _runFolder = Path.Combine("/var/run/frr", lab.Name);
        }

        /// <summary>Starts both; the provider named is left without soft-reconfiguration.</summary>
        public static async Task<FrrWithBmp> StartAsync(BmpLab lab, Provider? quiet = null, bool withSpeaker = false)
        {
            var frr = new FrrWithBmp(lab);
            await File.WriteAllTextAsync(Path.Combine(lab.Folder, "zebra.conf"), $"hostname edge\nlog file {lab.Folder}/frr-zebra.log\n");
            await File.WriteAllTextAsync(Path.Combine(lab.Folder, "bgpd.conf"), frr.Config(quiet, withSpeaker));
            Directory.CreateDirectory(frr._runFolder);
            await Shell.CheckedAsync("chown", "-R", "frr:frr", frr._runFolder, lab.Folder);
            lab.Adopt(frr.Start("zebra", "-s", "90000000"));
            await Until.TrueAsync("zebra's socket", () => Task.FromResult(File.Exists(Path.Combine(frr._runFolder, "zserv.api"))), TimeSpan.FromSeconds(90), Silent.Instance);
            frr.StartBgpd();
            return frr;
        }

        public void StartBgpd() => _bgpd = _lab.Adopt(Start("bgpd", "-M", "bmp"));

        public async Task StopBgpdAsync()
        {
            _bgpd!.Signal(PosixSignalNumber.Terminate);
            await _bgpd.WaitForExitAsync(TimeSpan.FromSeconds(10));
        }

        public ValueTask DisposeAsync()
        {
            Directory.Delete(_runFolder, recursive: true);
            return ValueTask.CompletedTask;
        }

        private Daemon Start(string daemon, params string[] more) => Daemon.Start(
            "frr-" + daemon, _lab.Folder,
            _lab.Edge.Command([
                Path.Combine(SystemRequirements.FrrFolder, daemon), "-N", _lab.Name, "-f", Path.Combine(_lab.Folder, daemon + ".conf"),
                "-i", Path.Combine(_lab.Folder, daemon + ".pid"), .. more]));

        private string Config(Provider? quiet, bool withSpeaker)
        {
            (string Address, Provider Provider, int Version)[] sessions =
                [.. _lab.Providers.SelectMany(p => new[] { (p.Ipv4, p, 4), (p.Ipv6, p, 6) })];
            string neighbors = string.Concat(sessions.Select(s =>
                $" neighbor {s.Address} remote-as {s.Provider.As}\n neighbor {s.Address} timers 3 9\n neighbor {s.Address} timers connect 1\n"));
            string Family(int version) => string.Concat(sessions.Where(s => s.Version == version).Select(s =>
                $"  neighbor {s.Address} activate\n" + (s.Provider == quiet ? "" : $"  neighbor {s.Address} soft-reconfiguration inbound\n")));
            // The session with the appliance has no ADD-PATH; one prefix is preferred by B.
            string speaker = withSpeaker ? $" neighbor {BmpLab.StationAddress} remote-as 65000\n neighbor {BmpLab.StationAddress} timers connect 1\n" : "";
            string activate = withSpeaker ? $"  neighbor {BmpLab.StationAddress} activate\n" : "";
            string policy = withSpeaker ? $"  neighbor {_lab.Providers[1].Ipv4} route-map from-b in\n" : "";
            return $"""
                hostname edge
                log file {_lab.Folder}/frr-bgpd.log
                router bgp 65000
                 bgp router-id {BmpLab.EdgeAddress}
                 no bgp default ipv4-unicast
                 no bgp ebgp-requires-policy
                {neighbors}{speaker}
                 address-family ipv4 unicast
                {Family(4)}{activate}{policy}
                 exit-address-family
                 address-family ipv6 unicast
                {Family(6)}{activate}
                 exit-address-family
                 bmp targets appliance
                  bmp monitor ipv4 unicast pre-policy
                  bmp monitor ipv6 unicast pre-policy
                  bmp connect {BmpLab.StationAddress} port {BmpLab.Port} min-retry 1000 max-retry 2000
                 exit
                exit
                ip prefix-list preferred permit {LabPrefixes.Ipv4[0].Prefix}
                route-map from-b permit 10
                 match ip address prefix-list preferred
                 set local-preference 300
                route-map from-b permit 20
                """ + "\n";
        }
    }
}
