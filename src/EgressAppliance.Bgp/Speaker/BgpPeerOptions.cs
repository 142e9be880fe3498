using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>How to reach one router.</summary>
/// <remarks>
/// The appliance's configuration has a key for each (<c>routers[].bgp</c>) but the bounds of the outbound queue: an override takes some two hundred octets
/// on the wire, so that the defaults hold those of every configuration many times over; they are for programs that embed the speaker, and for tests.
/// </remarks>
public sealed record BgpPeerOptions
{
    /// <summary>The router's name in configuration.</summary>
    public required string Name { get; init; }

    /// <summary>The router's address.</summary>
    public required IPAddress RemoteAddress { get; init; }

    /// <summary>Our address of the session, or null to let the kernel choose.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>TCP port the router listens on.</summary>
    public int RemotePort { get; init; } = 179;

    /// <summary>Our AS, 4 octets.</summary>
    public required uint LocalAs { get; init; }

    /// <summary>The router's AS; equal to ours for iBGP.</summary>
    public required uint PeerAs { get; init; }

    /// <summary>True to wait for the router to connect and never connect ourselves.</summary>
    public bool Passive { get; init; }

    /// <summary>Hold time proposed; zero or at least 3 s (RFC 4271 section 4.2).</summary>
    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>Shortest wait before a reconnect; doubles up to a minute.</summary>
    public TimeSpan ConnectRetry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Families offered.</summary>
    public IReadOnlyList<IpFamily> Families { get; init; } = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>TCP MD5 key (RFC 2385), or null.</summary>
    public string? Password { get; init; }

    /// <summary>Require packets with TTL 255 and send such (GTSM, RFC 5082): only a router on our own wire can then reach the session.</summary>
    public bool TtlSecurity { get; init; }

    /// <summary>
    /// The connection is given up when the router takes nothing for this long (RFC 9687). The RFC suggests 8 minutes; overrides must not be stuck
    /// that long in a queue.
    /// </summary>
    public TimeSpan SendHoldTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The kernel gives the connection up when the router has acknowledged nothing for this long (TCP_USER_TIMEOUT, tcp(7)), whether this process runs or not; null: the kernel's
    /// own limit. It bounds by how much a message may be late, and so how long after our last word a router may still hold our routes.
    /// </summary>
    public TimeSpan? UnacknowledgedTimeout { get; init; }

    /// <summary>Octets queued for the router at most, 64 KiB or more; beyond, the session ends with Cease/8 rather than memory growing. Not in the appliance's configuration (see the remarks).</summary>
    public int OutboundLimit { get; init; } = 8 << 20;

    /// <summary>
    /// Octets queued for the router from which on announcements to it are held back; withdrawals go on up to <see cref="OutboundLimit"/>. At most half
    /// of that: to take back what was announced never needs more room than to announce it, so a router that does not read ends by the send hold timer,
    /// and the limit is the second line. Not in the appliance's configuration (see the remarks).
    /// </summary>
    public int OutboundHighMark { get; init; } = 1 << 20;

    /// <summary>Octets queued down to which the queue must fall before held-back announcements go on; below <see cref="OutboundHighMark"/>. Not in the appliance's configuration (see the remarks).</summary>
    public int OutboundLowMark { get; init; } = 1 << 18;

    /// <summary>Routes accepted, all families together, before the session is torn down with Cease/1 (RFC 4486).</summary>
    public int MaxPrefix { get; init; } = 10_000_000;

    /// <summary>Share of <see cref="MaxPrefix"/>, 0 to 1, from which on the table's size is warned of.</summary>
    public double MaxPrefixWarning { get; init; } = 0.75;

    /// <summary>
    /// Prefixes the router takes from us at most, or null for no limit; to be set below the router's own maximum-prefix, since a router that
    /// finds it passed ends the session, and often for good. Overrides beyond are refused.
    /// </summary>
    public int? PeerAcceptsAtMost { get; init; }
}
