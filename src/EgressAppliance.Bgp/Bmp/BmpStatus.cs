using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>What a router's connection does.</summary>
public enum BmpConnectionState
{
    /// <summary>Not started, or stopped.</summary>
    Stopped,

    /// <summary>Waiting for the router to connect.</summary>
    Listening,

    /// <summary>Connecting, or waiting to do so again.</summary>
    Connecting,

    /// <summary>Refusing the router for a while because a limit was exceeded.</summary>
    Held,

    /// <summary>Connected.</summary>
    Up,
}

/// <summary>One router as it stands. Counters are since start unless said otherwise.</summary>
public sealed record BmpRouterStatus
{
    /// <summary>The router's name.</summary>
    public required string Name { get; init; }

    /// <summary>The router's address.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>State of the connection.</summary>
    public required BmpConnectionState State { get; init; }

    /// <summary>When that state was entered.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The router's own name, from the Initiation of this connection.</summary>
    public string? SysName { get; init; }

    /// <summary>The router's own description, from the Initiation of this connection.</summary>
    public string? SysDescr { get; init; }

    /// <summary>Connections made.</summary>
    public long Connections { get; init; }

    /// <summary>Messages received by type, unknown types included.</summary>
    public required IReadOnlyDictionary<BmpMessageType, long> Messages { get; init; }

    /// <summary>Messages that could not be read, by what was wrong.</summary>
    public required IReadOnlyDictionary<BmpErrorKind, long> Malformed { get; init; }

    /// <summary>Oddities that were put right or passed over.</summary>
    public required BmpOddities Oddities { get; init; }

    /// <summary>Connections that a limit ended.</summary>
    public long LimitsExceeded { get; init; }

    /// <summary>Routes held of all peers, by table.</summary>
    public required IReadOnlyDictionary<BmpTable, long> Routes { get; init; }

    /// <summary>Why the connection last ended or could not be made, or null.</summary>
    public string? LastError { get; init; }

    /// <summary>The last message that could not be read, in words, or null.</summary>
    public string? LastMalformed { get; init; }

    /// <summary>The peers told of on this connection, those that are down too.</summary>
    public required IReadOnlyList<BmpPeerStatus> Peers { get; init; }
}

/// <summary>What routers do otherwise than the RFCs say, or needlessly, counted.</summary>
public sealed record BmpOddities
{
    /// <summary>Peer Downs of peers that were not up.</summary>
    public long NeedlessPeerDown { get; init; }

    /// <summary>Peer Ups of a session that was up already.</summary>
    public long NeedlessPeerUp { get; init; }

    /// <summary>Route Monitoring, statistics and mirroring of peers without a Peer Up.</summary>
    public long WithoutPeerUp { get; init; }

    /// <summary>UPDATEs from whose AS_PATH the router's own AS was taken.</summary>
    public long OwnAsRemoved { get; init; }

    /// <summary>UPDATEs whose AS numbers had another size than the A flag says.</summary>
    public long AsSizeCorrected { get; init; }

    /// <summary>UPDATEs without IPv4 or IPv6 unicast routes.</summary>
    public long OtherFamilies { get; init; }

    /// <summary>Times the router said that it could not mirror all messages.</summary>
    public long MirroringLost { get; init; }
}

/// <summary>One monitored peer as it stands.</summary>
public sealed record BmpPeerStatus
{
    /// <summary>Kind, distinguisher and address.</summary>
    public required BmpPeerId Id { get; init; }

    /// <summary>Its AS.</summary>
    public required uint As { get; init; }

    /// <summary>Its BGP identifier, host order.</summary>
    public required uint BgpId { get; init; }

    /// <summary>Name of its VRF or table, or null.</summary>
    public string? TableName { get; init; }

    /// <summary>The session is up and monitored.</summary>
    public required bool IsUp { get; init; }

    /// <summary>Since when it is up or down.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Why it is down, or null.</summary>
    public string? DownReason { get; init; }

    /// <summary>The peer's UPDATEs carry path identifiers, in either family.</summary>
    public bool AddPath { get; init; }

    /// <summary>UPDATEs of which an error was handled by RFC 7606.</summary>
    public long UpdateErrors { get; init; }

    /// <summary>The tables seen.</summary>
    public required IReadOnlyList<BmpTableStatus> Tables { get; init; }

    /// <summary>The figures of the last Statistics Reports, the newest of each type and family.</summary>
    public required IReadOnlyList<BmpStatistic> Statistics { get; init; }

    /// <summary>What the operator may have forgotten on the router, or null.</summary>
    public string? Hint { get; init; }
}

/// <summary>One table of a peer as it stands.</summary>
/// <param name="Table">Which.</param>
/// <param name="Handle">Handle of its <see cref="BmpSource"/>, or null if it has none.</param>
/// <param name="Routes">Routes held.</param>
/// <param name="Updates">UPDATEs with routes received.</param>
/// <param name="EndOfRib">Families whose whole table was sent.</param>
/// <param name="Fault">Why its routes are not used until the peer or the connection comes up again, or null.</param>
public sealed record BmpTableStatus(BmpTable Table, int? Handle, long Routes, long Updates, IReadOnlyList<IpFamily> EndOfRib, string? Fault);
