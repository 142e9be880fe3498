using System.Net;
using EgressAppliance.Host.Config;
using EgressAppliance.Net;

namespace EgressAppliance.ClusterLoad;

/// <summary>A site of as many routers as collectors, each with two links that its collector's mirror shows.</summary>
internal static class LoadSite
{
    public const int LinksPerCollector = 2;

    public static TimeSpan Period { get; } = TimeSpan.FromSeconds(5);

    public static string Box(int collector) => $"col{collector}";

    public static string Link(int collector, int link) => $"isp-{collector}-{link}";

    /// <summary>The configuration of a controller.</summary>
    public static ApplianceConfig Controller(int collectors) => new()
    {
        Site = "load",
        Role = ApplianceRole.Controller,
        Box = "ctl1",
        Routers =
        [
            .. Enumerable.Range(0, collectors).Select(c => new RouterConfig
            {
                Name = $"edge{c}",
                Address = IPAddress.Parse($"192.0.2.{c + 1}"),
                Bgp = new BgpConfig { LocalAddress = IPAddress.Loopback, LocalAs = 65000, PeerAs = 65000, ListenPort = 0 },
            }),
        ],
        Links =
        [
            .. Enumerable.Range(0, collectors * LinksPerCollector).Select(i => new LinkConfig
            {
                Id = new LinkId((ushort)(i + 1)),
                Name = Link(i / LinksPerCollector, i % LinksPerCollector),
                Router = $"edge{i / LinksPerCollector}",
                Interface = $"eth{i}",
                NextHops = [IpAddr.FromIPv4(0x64400000u + ((uint)i << 8) + 2)],
                CapacityBps = 100_000_000_000,
            }),
        ],
        Decision = new DecisionConfig { Cycle = Period },
        Cluster = new ClusterConfig
        {
            Brokers = [],
            Collectors =
            [
                .. Enumerable.Range(0, collectors).Select(c => new ClusterCollectorConfig
                {
                    Box = Box(c), Links = [.. Enumerable.Range(c * LinksPerCollector, LinksPerCollector)],
                }),
            ],
        },
    };
}
