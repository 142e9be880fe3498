using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Simulator.Routing;

/// <summary>
/// The network of the demo: an edge router of AS 65000 with three providers, the same addresses and names as the namespace lab.
/// Each prefix gets paths whose lengths differ from provider to provider as they do in the Internet, so that plain BGP spreads the prefixes
/// by AS_PATH length and knows nothing of load. The AS between provider and origin are from the ranges reserved for documentation
/// (RFC 5398), a 4-octet one among them; the origins are real.
/// </summary>
public static class ThreeProviders
{
    /// <summary>The router's AS.</summary>
    public const uint LocalAs = 65000;

    /// <summary>Name of the router in configuration.</summary>
    public const string RouterName = "edge1";

    private static readonly uint[] MiddleAs = [64504, 64505, 64506, 64507, 65540];

    /// <summary>The links <c>isp-a</c>, <c>isp-b</c>, <c>isp-c</c> with these speeds.</summary>
    public static IReadOnlyList<SimulatedLinkOptions> Links(long capacityA = 400_000_000, long capacityB = 300_000_000, long capacityC = 300_000_000) =>
        [Link(0, capacityA), Link(1, capacityB), Link(2, capacityC)];

    /// <summary>A router with these links and the paths of these prefixes from all providers. Same seed, same paths.</summary>
    public static SimulatedRouter Build(IReadOnlyList<OriginatedPrefix> prefixes, IReadOnlyList<SimulatedLinkOptions>? links = null, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(prefixes);
        SimulatedRouter router = new(LocalAs, 0xC0000201, links ?? Links());
        SplitMix64 random = new(seed);
        foreach (OriginatedPrefix p in prefixes)
        {
            // Half of the prefixes are best by the first provider, the rest by the others. Few are single-homed: those cannot be moved.
            int draw = random.Next(100);
            int best = draw < 50 ? 0 : 1 + random.Next(router.Links.Count - 1);
            int alone = random.Next(100) < 5 ? best : -1;
            for (int link = 0; link < router.Links.Count; link++)
            {
                int middle = link == best ? 0 : 1 + random.Next(3);
                int prepend = link != best && random.Next(20) == 0 ? 2 : 0;
                uint med = (uint)random.Next(4) * 10;
                if (alone < 0 || alone == link)
                {
                    router.AnnounceFromProvider(link, p.Prefix, Path(router.Links[link], p, middle, prepend, med, ref random));
                }
            }
        }

        return router;
    }

    private static SimulatedRoute Path(
        SimulatedLinkOptions link, OriginatedPrefix prefix, int middle, int prepend, uint med, ref SplitMix64 random)
    {
        List<uint> path = [link.ProviderAs];
        int first = random.Next(MiddleAs.Length);
        for (int i = 0; i < middle; i++)
        {
            path.Add(MiddleAs[(first + i) % MiddleAs.Length]);
        }

        for (int i = 0; i <= prepend; i++)
        {
            path.Add(prefix.OriginAs);
        }

        return new()
        {
            NextHop = link.NextHop(prefix.Prefix.Family),
            AsPath = path,
            Origin = random.Next(10) == 0 ? Origin.Incomplete : Origin.Igp,
            Med = med == 0 ? null : med,
            RouterId = link.ProviderRouterId,
            PeerAddress = link.NextHopIPv4,
            Communities = [link.ProviderAs << 16 | 100],
        };
    }

    private static SimulatedLinkOptions Link(int index, long capacity)
    {
        char letter = (char)('a' + index);
        uint nextHop = 0x6440_0002 + (uint)((index + 1) << 8);
        return new()
        {
            Name = $"isp-{letter}",
            Interface = $"prov-{letter}",
            InterfaceIndex = index + 2,
            CapacityBps = capacity,
            ProviderAs = 64501 + (uint)index,
            ProviderRouterId = nextHop,
            NextHopIPv4 = IpAddr.FromIPv4(nextHop),
            NextHopIPv6 = IpAddr.FromIPv6(0x2001_0DB8_00FF_0000 + (ulong)(index + 1), 2),
            ProviderMac = new(0x0200_0000_0002 + ((ulong)(index + 10) << 8)),
            RouterMac = new(0x0200_0000_0001 + ((ulong)(index + 10) << 8)),
        };
    }
}
