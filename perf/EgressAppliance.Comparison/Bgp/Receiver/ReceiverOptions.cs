using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Bgp.Receiver;

/// <summary>What <c>bgp-receive</c> is told.</summary>
internal sealed record ReceiverOptions
{
    /// <summary>Where sessions are accepted; its address is the receiver's own.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Addresses of the routers.</summary>
    public required IReadOnlyList<IPAddress> Peers { get; init; }

    /// <summary>Their AS; the receiver's own for iBGP.</summary>
    public required uint PeerAs { get; init; }

    /// <summary>Hold time proposed, seconds.</summary>
    public int HoldTime { get; init; } = 9;

    /// <summary>TCP port to take BMP of the routers on, or null.</summary>
    public int? MonitoringPort { get; init; }

    /// <summary>Next hops that overrides may have.</summary>
    public IReadOnlyList<IpAddr> NextHops { get; init; } = [];
}
