using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>What the whole speaker needs.</summary>
/// <remarks>
/// The appliance's configuration has keys for <see cref="RouterId"/>, <see cref="MaxAnnouncementsPerSecond"/>, <see cref="QuietTime"/> and <see cref="ShutdownText"/>
/// (<c>bgp:</c>). It derives <see cref="Listen"/>, <see cref="AllowedNextHops"/> and <see cref="OwnAddresses"/> from routers, links and the machine's interfaces, and
/// <see cref="MaxOverrides"/>, <see cref="MarkerCommunity"/> and <see cref="HeartbeatTimeout"/> from <c>decision:</c>, since they must agree with the control loop.
/// </remarks>
public sealed record BgpSpeakerOptions
{
    /// <summary>BGP identifier, non-zero; host order.</summary>
    public required uint RouterId { get; init; }

    /// <summary>The routers.</summary>
    public required IReadOnlyList<BgpPeerOptions> Peers { get; init; }

    /// <summary>Addresses and port to accept sessions on; empty: none (purely active).</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [];

    /// <summary>The only next hops an override may carry: those of the configured links.</summary>
    public required IReadOnlySet<IpAddr> AllowedNextHops { get; init; }

    /// <summary>Our own addresses, which never may be a next hop.</summary>
    public required IReadOnlySet<IpAddr> OwnAddresses { get; init; }

    /// <summary>The community that marks our overrides (RFC 1997; upper 16 bits AS).</summary>
    public required uint MarkerCommunity { get; init; }

    /// <summary>Most overrides announced at a time.</summary>
    public int MaxOverrides { get; init; } = 1000;

    /// <summary>Prefixes announced to one router in a second at most; more wait their turn. 0: no limit. Withdrawals are never held back.</summary>
    public int MaxAnnouncementsPerSecond { get; init; } = 5000;

    /// <summary>
    /// Shortest time between two of our ROUTE-REFRESH requests for one family to one router. Not in the appliance's configuration: only an operator's hand asks for
    /// routes anew, and the bound is there to spare the router a second full table in a row.
    /// </summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What routers are told when we shut down (RFC 9003); at most 255 octets of UTF-8 are sent.</summary>
    public string ShutdownText { get; init; } = "egress-appliance stopping";

    /// <summary>A quiet time after which a table counts as complete where the router sends no End-of-RIB.</summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Without <see cref="IBgpSpeaker.Heartbeat"/> for this long no KEEPALIVE is sent, so that routers drop the session of a frozen controller. Zero: off.</summary>
    public TimeSpan HeartbeatTimeout { get; init; }

    /// <summary>
    /// Whether overrides may be announced now; null: always. Where several controllers speak to the same routers, only the one that leads may. It is asked right before
    /// each announcement and each KEEPALIVE, under the speaker's lock or a session's: the answer comes at once, from a clock. While it is false nothing is announced, a session that comes up
    /// gets no overrides, and as long as overrides stand no KEEPALIVE keeps them alive; withdrawals always go.
    /// </summary>
    public Func<bool>? MayAnnounce { get; init; }
}
