namespace EgressAppliance.Bgp.Bmp;

/// <summary>Sizes and numbers of the protocol (RFC 7854 section 4).</summary>
public static class BmpConstants
{
    /// <summary>The only version there is an RFC for.</summary>
    public const byte Version = 3;

    /// <summary>Octets of version, length and type (RFC 7854 section 4.1).</summary>
    public const int HeaderLength = 6;

    /// <summary>Octets of the per-peer header (RFC 7854 section 4.2).</summary>
    public const int PeerHeaderLength = 42;

    /// <summary>
    /// Longest message taken unless configured otherwise. The longest that makes sense is a Peer Up with two extended OPENs of 64 KiB and some text.
    /// </summary>
    public const int DefaultMaxMessageLength = 256 * 1024;
}

/// <summary>Message types (RFC 7854 section 4.1).</summary>
public enum BmpMessageType : byte
{
    /// <summary>Route Monitoring.</summary>
    RouteMonitoring = 0,

    /// <summary>Statistics Report.</summary>
    StatisticsReport = 1,

    /// <summary>Peer Down Notification.</summary>
    PeerDown = 2,

    /// <summary>Peer Up Notification.</summary>
    PeerUp = 3,

    /// <summary>Initiation Message.</summary>
    Initiation = 4,

    /// <summary>Termination Message.</summary>
    Termination = 5,

    /// <summary>Route Mirroring Message.</summary>
    RouteMirroring = 6,
}

/// <summary>Kinds of monitored peers (RFC 7854 section 4.2, RFC 9069 section 4.1).</summary>
public enum BmpPeerType : byte
{
    /// <summary>A peer of the router's default instance.</summary>
    GlobalInstance = 0,

    /// <summary>A peer in a VRF; the distinguisher is the route distinguisher.</summary>
    RdInstance = 1,

    /// <summary>A peer in an instance that only the router itself knows; the distinguisher tells them apart.</summary>
    LocalInstance = 2,

    /// <summary>No peer: the Loc-RIB of the instance that the distinguisher names, zero for the default one.</summary>
    LocRibInstance = 3,
}

/// <summary>The tables of a router that BMP shows.</summary>
public enum BmpTable : byte
{
    /// <summary>What the peer sent, before policy (RFC 7854 section 5).</summary>
    AdjRibInPrePolicy,

    /// <summary>What the peer sent, after policy.</summary>
    AdjRibInPostPolicy,

    /// <summary>What the router chose (RFC 9069).</summary>
    LocRib,

    /// <summary>What the router would send to the peer, before policy (RFC 8671).</summary>
    AdjRibOutPrePolicy,

    /// <summary>What the router sends to the peer (RFC 8671).</summary>
    AdjRibOutPostPolicy,
}

/// <summary>Why a peer is down (RFC 7854 section 4.9, RFC 9069 section 5.3).</summary>
public enum BmpPeerDownReason : byte
{
    /// <summary>The router closed the session with the NOTIFICATION that follows.</summary>
    LocalNotification = 1,

    /// <summary>The router closed the session without one; the code of the state machine's event follows (RFC 4271 section 8.1), 0 if none fits.</summary>
    LocalNoNotification = 2,

    /// <summary>The peer closed the session with the NOTIFICATION that follows.</summary>
    RemoteNotification = 3,

    /// <summary>The peer closed the session without one.</summary>
    RemoteNoNotification = 4,

    /// <summary>The router no longer monitors the peer; the session itself may be up.</summary>
    MonitoringStopped = 5,

    /// <summary>The router's own instance closed; its name follows (Loc-RIB only).</summary>
    LocalSystemClosed = 6,
}

/// <summary>Why the router ends the connection (RFC 7854 section 4.5).</summary>
public enum BmpTerminationReason : ushort
{
    /// <summary>Closed by the operator; may come back.</summary>
    AdministrativelyClosed = 0,

    /// <summary>No reason given.</summary>
    Unspecified = 1,

    /// <summary>Out of resources.</summary>
    OutOfResources = 2,

    /// <summary>The router has another connection to this station.</summary>
    RedundantConnection = 3,

    /// <summary>Closed by the operator for good.</summary>
    PermanentlyClosed = 4,
}

/// <summary>The names that people read.</summary>
public static class BmpNames
{
    /// <summary>The name in RFC 7854 section 4.1, or the number of a type that is not in it.</summary>
    public static string Of(BmpMessageType type) => type switch
    {
        BmpMessageType.RouteMonitoring => "Route Monitoring",
        BmpMessageType.StatisticsReport => "Statistics Report",
        BmpMessageType.PeerDown => "Peer Down Notification",
        BmpMessageType.PeerUp => "Peer Up Notification",
        BmpMessageType.Initiation => "Initiation Message",
        BmpMessageType.Termination => "Termination Message",
        BmpMessageType.RouteMirroring => "Route Mirroring Message",
        _ => ((byte)type).ToString(),
    };

    /// <summary>As in <c>adj-rib-in-pre-policy</c>.</summary>
    public static string Of(BmpTable table) => table switch
    {
        BmpTable.AdjRibInPrePolicy => "adj-rib-in-pre-policy",
        BmpTable.AdjRibInPostPolicy => "adj-rib-in-post-policy",
        BmpTable.LocRib => "loc-rib",
        BmpTable.AdjRibOutPrePolicy => "adj-rib-out-pre-policy",
        _ => "adj-rib-out-post-policy",
    };

    /// <summary>As in <c>rd-instance</c>.</summary>
    public static string Of(BmpPeerType type) => type switch
    {
        BmpPeerType.GlobalInstance => "global-instance",
        BmpPeerType.RdInstance => "rd-instance",
        BmpPeerType.LocalInstance => "local-instance",
        BmpPeerType.LocRibInstance => "loc-rib-instance",
        _ => ((byte)type).ToString(),
    };

    /// <summary>The reason in words.</summary>
    public static string Of(BmpPeerDownReason reason) => reason switch
    {
        BmpPeerDownReason.LocalNotification => "the router closed the session",
        BmpPeerDownReason.LocalNoNotification => "the router closed the session without a notification",
        BmpPeerDownReason.RemoteNotification => "the peer closed the session",
        BmpPeerDownReason.RemoteNoNotification => "the peer closed the session without a notification",
        BmpPeerDownReason.MonitoringStopped => "the router stopped monitoring the peer",
        BmpPeerDownReason.LocalSystemClosed => "the router's instance closed",
        _ => $"reason {(byte)reason}",
    };

    /// <summary>The reason in words.</summary>
    public static string Of(BmpTerminationReason reason) => reason switch
    {
        BmpTerminationReason.AdministrativelyClosed => "administratively closed",
        BmpTerminationReason.Unspecified => "unspecified reason",
        BmpTerminationReason.OutOfResources => "out of resources",
        BmpTerminationReason.RedundantConnection => "redundant connection",
        BmpTerminationReason.PermanentlyClosed => "permanently administratively closed",
        _ => $"reason {(ushort)reason}",
    };
}
