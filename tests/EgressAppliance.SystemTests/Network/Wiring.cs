using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>The cables, addresses and forwarding of the lab.</summary>
internal sealed class Wiring(
    NetNamespace content, IReadOnlyList<EdgeSite> edges, NetNamespace clients, NetNamespace appliance, IReadOnlyList<Provider> providers)
{
    private const string Sysctls =
        "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 " +
        "net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0";

    /// <summary>Does it all.</summary>
    public async Task ConnectAsync()
    {
        NetNamespace[] all = [content, .. edges.Select(edge => edge.Network), clients, appliance, .. providers.Select(provider => provider.Network)];

        // Before the interfaces exist: duplicate address detection would keep IPv6 addresses tentative for seconds.
        await Task.WhenAll(all.Select(network => network.RunAsync(["sysctl", "-qw", .. Sysctls.Split(' ')])));
        (await Shell.RunAsync(["ip", "-batch", "-"], string.Join('\n', Cables()) + "\n")).Checked();
        await Task.WhenAll(all.Select(network => network.RunAsync(
            "sh", "-c", "for d in $(ls /sys/class/net); do [ $d = lo ] || ethtool -K $d tso off gso off gro off tx off >/dev/null; done")));

        await content.IpAsync(
            "link set lo up", "link set to-edge up", "addr add 198.51.100.2/24 dev to-edge", "addr add 2001:db8:c0::2/64 dev to-edge",
            "route add default via 198.51.100.1", "route add ::/0 via 2001:db8:c0::1");
        await edges[0].Network.IpAsync("link set to-content up", "addr add 198.51.100.1/24 dev to-content", "addr add 2001:db8:c0::1/64 dev to-content");
        await appliance.IpAsync("link set lo up");
        foreach (EdgeSite edge in edges)
        {
            await edge.Network.IpAsync([
                "link set lo up", "link set span up promisc on", "link set mgmt up", $"addr add {edge.Address}/30 dev mgmt",
                .. edge.Providers.SelectMany(provider => new[]
                {
                    $"link set {provider.EdgeInterface} up", $"addr add {provider.EdgeIpv4}/30 dev {provider.EdgeInterface}",
                    $"addr add {provider.EdgeIpv6}/64 dev {provider.EdgeInterface}",
                }),
                .. CoreCommands(edge)]);
            await appliance.IpAsync(
                $"link set {edge.ApplianceInterface} up", $"addr add {edge.ApplianceAddress}/30 dev {edge.ApplianceInterface}",
                $"link set {edge.MirrorInterface} addrgenmode none", $"link set {edge.MirrorInterface} up promisc on");
        }

        foreach (Provider provider in providers)
        {
            await provider.Network.IpAsync(
                "link set lo up", "link set to-edge up", $"addr add {provider.Ipv4}/30 dev to-edge", $"addr add {provider.Ipv6}/64 dev to-edge",
                "link set to-clients up", $"addr add 172.31.{provider.Number}.1/30 dev to-clients", $"addr add 2001:db8:fa:{provider.Number}::1/64 dev to-clients",
                $"route add 20.0.0.0/8 via 172.31.{provider.Number}.2", $"route add 2a00::/16 via 2001:db8:fa:{provider.Number}::2");
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
            yield return $"link add span netns {edge.Network.Name} type veth peer name {edge.MirrorInterface} netns {appliance.Name}";
            foreach (Provider provider in edge.Providers)
            {
                yield return $"link add {provider.EdgeInterface} address {provider.EdgeMac} netns {edge.Network.Name} type veth "
                    + $"peer name to-edge address {provider.Mac} netns {provider.Network.Name}";
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

    // The kernel has no matchall classifier on some hosts; u32 that matches nothing of the frame does the same everywhere.
    private async Task MirrorAsync()
    {
        foreach (EdgeSite edge in edges)
        {
            string commands = string.Concat(edge.Providers.Select(provider =>
                $"qdisc replace dev {provider.EdgeInterface} clsact\n"
                + $"filter replace dev {provider.EdgeInterface} egress prio 1 handle 800::1 protocol all u32 match u32 0 0 action mirred egress mirror dev span\n"));
            (await Shell.RunAsync(["tc", "-n", edge.Network.Name, "-batch", "-"], commands)).Checked();
        }
    }
}
