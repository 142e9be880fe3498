using System.Runtime.InteropServices;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>The policies of the configuration, asked with what the routers say of a prefix: the attributes and the link of the path that plain BGP prefers. Immutable.</summary>
/// <param name="policies">In the order of the configuration.</param>
/// <param name="links">The links.</param>
public sealed class RoutePolicies(IReadOnlyList<RoutingPolicy> policies, LinkDirectory links)
{
    private readonly PolicyTable _table = new(policies);

    /// <summary>The first policy that matches, or null.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <param name="paths">Its paths, the preferred one first. Without any, only what asks for the prefix alone can match.</param>
    public RoutingPolicy? First(IpPrefix prefix, IReadOnlyList<RibPath> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Count == 0)
        {
            return _table.First(new RouteFacts(prefix, null));
        }

        PathAttributes native = paths[0].Attributes;
        return _table.First(new RouteFacts(prefix, links.Of(paths[0])?.Name)
        {
            OriginAs = native.AsPath.OriginAs,
            Communities = native.Communities.AsSpan(),
            LargeCommunities = MemoryMarshal.Cast<LargeCommunity, uint>(native.LargeCommunities.AsSpan()),
        });
    }
}
