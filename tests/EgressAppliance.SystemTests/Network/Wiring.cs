using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>The cables, addresses and forwarding of the lab.</summary>
/// <param name="content">The content servers.</param>
/// <param name="edges">The edge routers.</param>
/// <param name="clients">The clients.</param>
/// <param name="appliance">The appliance.</param>
/// <param name="providers">The providers.</param>
/// <param name="mirrorSwitch">Where the first router's mirror port leads to on its way to the appliance; null: nowhere else.</param>
internal sealed class Wiring(
    NetNamespace content, IReadOnlyList<EdgeSite> edges, NetNamespace clients, NetNamespace appliance, IReadOnlyList<Provider> providers,
    NetNamespace? mirrorSwitch = null)
{
    private const string Sysctls =
        "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 " +
        "net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0";

    private const string OffloadsOff = "for d in $(ls /sys/class/net); do [ $d = lo ] || ethtool -K $d tso off gso off gro off tx off >/dev/null; done";

    /// <summary>
    /// Takes the cable between an edge router and a provider out and puts a new one in: the interface has another number and its counters are at zero, as after a
    /// restart of a router.
    /// </summary>
    public static async Task RecableAsync(EdgeSite edge, Provider provider)
    {
        await edge.Network.IpAsync($"link del {provider.EdgeInterface}");
        await Shell.CheckedAsync(["ip", .. Cable(edge, provider).Split(' ')]);
        foreach (NetNamespace network in new[] { edge.Network, provider.Network })
        {
            await network.RunAsync("sh", "-c", OffloadsOff);
        }

        await provider.Network.IpAsync(ProviderPort(provider));
        await edge.Network.IpAsync(EdgePort(provider));
        (await Shell.RunAsync(["tc", "-n", edge.Network.Name, "-batch", "-"], Mirror(provider))).Checked();
    }

    /// <summary>Does it all.</summary>
    public async Task ConnectAsync()
    {
        NetNamespace[] all = [content, .. edges.Select(edge => edge.Network), clients, appliance, .. providers.Select(provider => provider.Network)];
        NetNamespace[] switches = mirrorSwitch is null ? [] : [mirrorSwitch];
        all = [.. all, .. switches];

        // Before the interfaces exist: duplicate address detection would keep IPv6 addresses tentative for seconds.
        await Task.WhenAll(all.Select(network => network.RunAsync(["sysctl", "-qw", .. Sysctls.Split(' ')])));
        (await Shell.RunAsync(["ip", "-batch", "-"], string.Join('\n', Cables()) + "\n")).Checked();
        await Task.WhenAll(all.Select(network => network.RunAsync("sh", "-c", OffloadsOff)));

        await content.IpAsync(
            "link set lo up", "link set to-edge up", "addr add 198.51.100.2/24 dev to-edge", "addr add 2001:db8:c0::2/64 dev to-edge",
            "route add default via 198.51.100.1", "route add ::/0 via 2001:db8:c0::1");
        await edges[0].Network.IpAsync("link set to-content up", "addr add 198.51.100.1/24 dev to-content", "addr add 2001:db8:c0::1/64 dev to-content");
        await appliance.IpAsync("link set lo up");
        foreach (NetNamespace box in switches)
        {
            await box.IpAsync([.. new[] { MirrorSwitch.Inside, MirrorSwitch.Outside }.SelectMany(port => new[] { $"link set {port} addrgenmode none", $"link set {port} up promisc on" })]);
        }

        foreach (EdgeSite edge in edges)
        {
            await edge.Network.IpAsync([
                "link set lo up", "link set span up promisc on", "link set mgmt up", $"addr add {edge.Address}/30 dev mgmt",
                .. edge.Providers.SelectMany(EdgePort),
                .. CoreCommands(edge)]);
            await appliance.IpAsync(
                $"link set {edge.ApplianceInterface} up", $"addr add {edge.ApplianceAddress}/30 dev {edge.ApplianceInterface}",
                $"link set {edge.MirrorInterface} addrgenmode none", $"link set {edge.MirrorInterface} up promisc on");
        }

        foreach (Provider provider in providers)
        {
            await provider.Network.IpAsync([
                "link set lo up", .. ProviderPort(provider), "link set to-clients up", $"addr add 172.31.{provider.Number}.1/30 dev to-clients", $"addr add 2001:db8:fa:{provider.Number}::1/64 dev to-clients",
                $"route add 20.0.0.0/8 via 172.31.{provider.Number}.2", $"route add 2a00::/16 via 2001:db8:fa:{provider.Number}::2"]);
        }

        await clients.IpAsync([
            "link set lo up", "route add local 20.0.0.0/8 dev lo", "route add local 2a00::/16 dev lo",
            .. providers.SelectMany(provider => new[]
            {
                $"link set {provider.ClientInterface} up", $"addr add 172.31.{provider.Number}.2/30 dev {provider.ClientInterface}",
                $"addr add 2001:db8:fa:{provider.Number}::2/64 dev {provider.ClientInterface}",
            })]);
        await MirrorAsync();
    }

    private static string Cable(EdgeSite edge, Provider provider) =>
        $"link add {provider.EdgeInterface} address {provider.EdgeMac} netns {edge.Network.Name} type veth "
        + $"peer name to-edge address {provider.Mac} netns {provider.Network.Name}";

    private static string[] EdgePort(Provider provider) =>
    [
        $"link set {provider.EdgeInterface} up", $"addr add {provider.EdgeIpv4}/30 dev {provider.EdgeInterface}",
        $"addr add {provider.EdgeIpv6}/64 dev {provider.EdgeInterface}",
    ];

    private static string[] ProviderPort(Provider provider) =>
        ["link set to-edge up", $"addr add {provider.Ipv4}/30 dev to-edge", $"addr add {provider.Ipv6}/64 dev to-edge"];

    // The kernel has no matchall classifier on some hosts; u32 that matches nothing of the frame does the same everywhere.
    private static string Mirror(Provider provider) =>
        $"qdisc replace dev {provider.EdgeInterface} clsact\n"
        + $"filter replace dev {provider.EdgeInterface} egress prio 1 handle 800::1 protocol all u32 match u32 0 0 action mirred egress mirror dev span\n";

    private IEnumerable<string> Cables()
    {
        yield return $"link add to-edge netns {content.Name} type veth peer name to-content netns {edges[0].Network.Name}";
        if (edges.Count > 1)
        {
            yield return $"link add core netns {edges[0].Network.Name} type veth peer name core netns {edges[1].Network.Name}";
        }

        foreach (EdgeSite edge in edges)
        {
            yield return $"link add mgmt netns {edge.Network.Name} type veth peer name {edge.ApplianceInterface} netns {appliance.Name}";
            if (mirrorSwitch is { } box && edge == edges[0])
            {
                yield return $"link add span netns {edge.Network.Name} type veth peer name {MirrorSwitch.Inside} netns {box.Name}";
                yield return $"link add {MirrorSwitch.Outside} netns {box.Name} type veth peer name {edge.MirrorInterface} netns {appliance.Name}";
            }
            else
            {
                yield return $"link add span netns {edge.Network.Name} type veth peer name {edge.MirrorInterface} netns {appliance.Name}";
            }

            foreach (Provider provider in edge.Providers)
            {
                yield return Cable(edge, provider);
            }
        }

        foreach (Provider provider in providers)
        {
            yield return $"link add to-clients netns {provider.Network.Name} type veth peer name {provider.ClientInterface} netns {clients.Name}";
        }
    }

    /// <summary>The cable to the other edge router, and the way to its providers: what an IGP would do, so that next hops can be left as they are.</summary>
    private static IEnumerable<string> CoreCommands(EdgeSite edge)
    {
        foreach (EdgeSite other in edge.Others)
        {
            yield return "link set core up";
            yield return $"addr add {edge.CoreIpv4}/24 dev core";
            yield return $"addr add {edge.CoreIpv6}/64 dev core";
            foreach (Provider provider in other.Providers)
            {
                yield return $"route add 100.64.{provider.Number}.0/30 via {other.CoreIpv4}";
                yield return $"route add 2001:db8:ff:{provider.Number}::/64 via {other.CoreIpv6}";
            }
        }
    }

    private async Task MirrorAsync()
    {
        foreach (EdgeSite edge in edges)
        {
            (await Shell.RunAsync(["tc", "-n", edge.Network.Name, "-batch", "-"], string.Concat(edge.Providers.Select(Mirror)))).Checked();
        }
    }
}
