using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>Maps the configuration to the options of the BGP speaker.</summary>
public static class SpeakerOptions
{
    /// <summary>The options.</summary>
    public static BgpSpeakerOptions From(ApplianceConfig config, LinkDirectory links) => new()
    {
        RouterId = RouterId(config),
        Peers = [.. config.Routers.Select(r => Peer(r, config.Role))],
        Listen = [.. config.Routers.Where(r => r.Bgp.ListenPort != 0)
            .Select(r => new IPEndPoint(r.Bgp.LocalAddress, r.Bgp.ListenPort)).Distinct()],
        AllowedNextHops = links.NextHops,
        OwnAddresses = OwnAddresses(config),
        MarkerCommunity = config.Decision.MarkerCommunity,

        // Announcements go before withdrawals, so a cycle that replaces overrides at the cap needs room for its moves.
        MaxOverrides = config.Decision.MaxOverrides + config.Decision.MaxMovesPerCycle,
        HeartbeatTimeout = SteeringOptions.HeartbeatTimeout(config.Decision),
        MaxAnnouncementsPerSecond = config.Bgp.MaxAnnouncementsPerSecond,
        QuietTime = config.Bgp.QuietTime,
        ShutdownText = config.Bgp.ShutdownMessage,
    };

    /// <summary>Our BGP identifier: the configured one, or one made of the first router's local address.</summary>
    public static uint RouterId(ApplianceConfig config) => config.Bgp.RouterId ?? RouterId(config.Routers[0].Bgp.LocalAddress);

    /// <summary>
    /// A BGP identifier: the local address if it is IPv4, else its last four octets with a bit set so that it is never zero (RFC 6286 asks
    /// only that it be non-zero and unique within the AS).
    /// </summary>
    public static uint RouterId(IPAddress local)
    {
        byte[] bytes = local.GetAddressBytes();
        uint last = (uint)(bytes[^4] << 24 | bytes[^3] << 16 | bytes[^2] << 8 | bytes[^1]);
        return local.AddressFamily == AddressFamily.InterNetwork ? last : last | 0x8000_0000;
    }

    private static BgpPeerOptions Peer(RouterConfig router, ApplianceRole role) => new()
    {
        Name = router.Name,
        RemoteAddress = router.Address,
        LocalAddress = router.Bgp.LocalAddress,
        RemotePort = router.Bgp.Port,
        LocalAs = router.Bgp.LocalAs,
        PeerAs = router.Bgp.PeerAs,
        Passive = router.Bgp.Passive,
        HoldTime = router.Bgp.HoldTime,
        Families = router.Bgp.Families,
        Password = router.Bgp.Password,
        TtlSecurity = router.Bgp.TtlSecurity,
        ConnectRetry = router.Bgp.ConnectRetry,
        SendHoldTime = router.Bgp.SendHoldTime,

        // Where another may lead after this one, it must be known for how long a router may still hear of this one.
        UnacknowledgedTimeout = role == ApplianceRole.Controller ? ClusterChecks.UnacknowledgedTimeout(router.Bgp.HoldTime) : null,
        MaxPrefix = router.Bgp.MaxPrefix,
        MaxPrefixWarning = router.Bgp.MaxPrefixWarning,
        PeerAcceptsAtMost = router.Bgp.MaxPrefixOut,
    };

    private static HashSet<IpAddr> OwnAddresses(ApplianceConfig config) =>
        [.. config.Routers.Select(r => IpAddr.From(r.Bgp.LocalAddress)), .. LocalAddresses.All().Select(IpAddr.From)];
}
