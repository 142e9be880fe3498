using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>The cables, addresses and forwarding of the lab.</summary>
internal sealed class Wiring(
    NetNamespace content, NetNamespace edge, NetNamespace clients, NetNamespace appliance, IReadOnlyList<Provider> providers)
{
    private const string Sysctls =
        "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 " +
        "net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0";

    /// <summary>Does it all.</summary>
    public async Task ConnectAsync()
    {
        NetNamespace[] all = [content, edge, clients, appliance, .. providers.Select(provider => provider.Network)];

        // Before the interfaces exist: duplicate address detection would keep IPv6 addresses tentative for seconds.
        await Task.WhenAll(all.Select(network => network.RunAsync(["sysctl", "-qw", .. Sysctls.Split(' ')])));
        (await Shell.RunAsync(["ip", "-batch", "-"], string.Join('\n', Cables()) + "\n")).Checked();
        await Task.WhenAll(all.Select(network => network.RunAsync(
            "sh", "-c", "for d in $(ls /sys/class/net); do [ $d = lo ] || ethtool -K $d tso off gso off gro off tx off >/dev/null; done")));

        await content.IpAsync(
            "link set lo up", "link set to-edge up", "addr add 198.51.100.2/24 dev to-edge", "addr add 2001:db8:c0::2/64 dev to-edge",
            "route add default via 198.51.100.1", "route add ::/0 via 2001:db8:c0::1");
        await edge.IpAsync([
            "link set lo up", "link set span up promisc on", "link set to-content up", "addr add 198.51.100.1/24 dev to-content",
            "addr add 2001:db8:c0::1/64 dev to-content", "link set mgmt up", "addr add 192.0.2.1/30 dev mgmt",
            .. providers.SelectMany(provider => new[]
            {
                $"link set {provider.EdgeInterface} up", $"addr add {provider.EdgeIpv4}/30 dev {provider.EdgeInterface}",
                $"addr add {provider.EdgeIpv6}/64 dev {provider.EdgeInterface}",
            })]);
        await appliance.IpAsync("link set lo up", "link set mgmt0 up", "addr add 192.0.2.2/30 dev mgmt0", "link set mir0 addrgenmode none", "link set mir0 up promisc on");
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
        yield return $"link add to-edge netns {content.Name} type veth peer name to-content netns {edge.Name}";
        yield return $"link add mgmt netns {edge.Name} type veth peer name mgmt0 netns {appliance.Name}";
        yield return $"link add span netns {edge.Name} type veth peer name mir0 netns {appliance.Name}";
        foreach (Provider provider in providers)
        {
            yield return $"link add {provider.EdgeInterface} address {provider.EdgeMac} netns {edge.Name} type veth "
                + $"peer name to-edge address {provider.Mac} netns {provider.Network.Name}";
            yield return $"link add to-clients netns {provider.Network.Name} type veth peer name {provider.ClientInterface} netns {clients.Name}";
        }
    }

    // The kernel has no matchall classifier on some hosts; u32 that matches nothing of the frame does the same everywhere.
    private async Task MirrorAsync()
    {
        string commands = string.Concat(providers.Select(provider =>
            $"qdisc replace dev {provider.EdgeInterface} clsact\n"
            + $"filter replace dev {provider.EdgeInterface} egress prio 1 handle 800::1 protocol all u32 match u32 0 0 action mirred egress mirror dev span\n"));
        (await Shell.RunAsync(["tc", "-n", edge.Name, "-batch", "-"], commands)).Checked();
    }
}
