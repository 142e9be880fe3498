using System.Net;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>One peer as it stands.</summary>
/// <param name="Name">The router's name.</param>
/// <param name="RemoteAddress">The router's address.</param>
/// <param name="State">FSM state.</param>
/// <param name="Since">When the state was entered.</param>
/// <param name="AddPath">ADD-PATH receive is in force for every negotiated family; without it the session shows the best path only, and all paths are known only by BMP (<see cref="AllPathsKnown"/>).</param>
/// <param name="TableComplete">End-of-RIB came for each family, or the quiet time passed; for paths learned over BMP, for its tables too.</param>
/// <param name="RoutesIPv4">IPv4 paths of the session held.</param>
/// <param name="RoutesIPv6">IPv6 paths of the session held.</param>
/// <param name="Overrides">Overrides announced to it.</param>
/// <param name="MessagesReceived">BGP messages since start.</param>
/// <param name="MessagesSent">BGP messages since start.</param>
/// <param name="Transitions">Times the session went up.</param>
/// <param name="UpdateErrors">UPDATEs handled by RFC 7606.</param>
/// <param name="LastError">Why the session last went down or could not come up, in words, or null.</param>
public sealed record PeerStatus(
    string Name, IPAddress RemoteAddress, SessionState State, DateTimeOffset Since, bool AddPath, bool TableComplete,
    int RoutesIPv4, int RoutesIPv6, int Overrides, long MessagesReceived, long MessagesSent, long Transitions, long UpdateErrors, string? LastError)
{
    /// <summary>The router has sent so many prefixes that its limit is near (<see cref="BgpPeerOptions.MaxPrefixWarning"/>).</summary>
    public bool MaxPrefixWarning { get; init; }

    /// <summary>Overrides in force that the router has not been told of yet: the rate limit, a queue it does not empty, or its limit on prefixes holds them back.</summary>
    public int OverridesWaiting { get; init; }

    /// <summary>What the OPENs agreed on, or null while the session is not established.</summary>
    public NegotiatedSession? Negotiated { get; init; }

    /// <summary>Times each state of the session was entered since start, by <see cref="SessionState"/>. It begins in Idle, which does not count as entered.</summary>
    public IReadOnlyList<long> StatesEntered { get; init; } = [];

    /// <summary>When <see cref="LastError"/> happened, or null if nothing has.</summary>
    public DateTimeOffset? LastErrorTime { get; init; }

    /// <summary>The last NOTIFICATION that ended a connection, sent or received, or null if none has. It may be older than <see cref="LastError"/>; those that only settle a collision are left out.</summary>
    public PeerNotification? LastNotification { get; init; }

    /// <summary>NOTIFICATIONs sent that ended a connection, collisions left out, since start.</summary>
    public long NotificationsSent { get; init; }

    /// <summary>NOTIFICATIONs received that ended a connection, collisions left out, since start.</summary>
    public long NotificationsReceived { get; init; }

    /// <summary>ROUTE-REFRESH requests sent since start.</summary>
    public long RefreshesSent { get; init; }

    /// <summary>ROUTE-REFRESH requests received since start, each answered by announcing the family's overrides anew.</summary>
    public long RefreshesReceived { get; init; }

    /// <summary>Announcements left out since start: our own marked routes coming back, and paths with our AS or our identifier (loops).</summary>
    public long RoutesIgnored { get; init; }

    /// <summary>TCP MD5 (RFC 2385) is in use.</summary>
    public bool Md5 { get; init; }

    /// <summary>TTL security (GTSM, RFC 5082) is in use.</summary>
    public bool TtlSecurity { get; init; }

    /// <summary>The limit on its paths (<see cref="BgpPeerOptions.MaxPrefix"/>).</summary>
    public int MaxPrefix { get; init; } = int.MaxValue;

    /// <summary>The limit on prefixes it takes from us (<see cref="BgpPeerOptions.PeerAcceptsAtMost"/>), or null.</summary>
    public int? MaxPrefixOut { get; init; }

    /// <summary>The way out, or null while the session is not established or the peer is external, which is never told anything.</summary>
    public PeerOutputStatus? Output { get; init; }

    /// <summary>Paths of the session as a share of <see cref="MaxPrefix"/>.</summary>
    public double MaxPrefixRatio => (double)(RoutesIPv4 + RoutesIPv6) / Math.Max(1, MaxPrefix);

    /// <summary>What BMP shows of the router, or null if nothing.</summary>
    public PeerMonitoring? Bmp { get; init; }

    /// <summary>The router's own choices, if it shows its Loc-RIB by BMP (RFC 9069), or null. They are kept to be compared with, and never count.</summary>
    public MonitoredTableStatus? LocRib { get; init; }

    /// <summary>Where the paths that count come from.</summary>
    public PathSource PathSource => AddPath ? PathSource.AddPath : Bmp is { InUse: true } ? PathSource.Bmp : PathSource.BestOnly;

    /// <summary>All paths of the router are seen, by ADD-PATH or by BMP; otherwise nothing may be moved.</summary>
    public bool AllPathsKnown => AddPath || Bmp is { InUse: true, Trusted: true };
}

/// <summary>How the paths of a router are learned.</summary>
public enum PathSource
{
    /// <summary>By the session, its best paths only.</summary>
    BestOnly,

    /// <summary>By the session, all of them (RFC 7911).</summary>
    AddPath,

    /// <summary>By BMP, those of its peers (RFC 7854).</summary>
    Bmp,
}

/// <summary>What BMP shows of a router that is a peer too.</summary>
/// <param name="InUse">Its paths are those that count: the session is up and has no ADD-PATH.</param>
/// <param name="Trusted">No table had to be given up because a message of it could not be read.</param>
/// <param name="Table">The Adj-RIB-In that counts: after policy once the router has shown a route of it on this connection, else before.</param>
/// <param name="Tables">The tables held.</param>
public sealed record PeerMonitoring(bool InUse, bool Trusted, BmpTable Table, IReadOnlyList<MonitoredTableStatus> Tables)
{
    /// <summary>IPv4 paths of the tables that count.</summary>
    public int RoutesIPv4 => Sum(t => t.RoutesIPv4);

    /// <summary>IPv6 paths of the tables that count.</summary>
    public int RoutesIPv6 => Sum(t => t.RoutesIPv6);

    private int Sum(Func<MonitoredTableStatus, int> routes)
    {
        int sum = 0;
        foreach (MonitoredTableStatus table in Tables)
        {
            sum += table.Source.Table == Table ? routes(table) : 0;
        }

        return sum;
    }
}

/// <summary>One table that BMP shows.</summary>
/// <param name="Source">Which.</param>
/// <param name="RoutesIPv4">IPv4 paths held.</param>
/// <param name="RoutesIPv6">IPv6 paths held.</param>
/// <param name="Complete">End-of-RIB came, or the quiet time passed.</param>
public sealed record MonitoredTableStatus(BmpSource Source, int RoutesIPv4, int RoutesIPv6, bool Complete)
{
    /// <summary>Of a Loc-RIB, the families that come with path identifiers: it does not say which path is the router's choice.</summary>
    public IReadOnlyList<IpFamily> SeveralPaths { get; init; } = [];
}
