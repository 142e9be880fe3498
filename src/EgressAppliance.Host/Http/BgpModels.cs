namespace EgressAppliance.Host.Http;

// The HTTP API's documents of the routers' sessions; see ApiModels.cs.

/// <summary>A router's BGP session.</summary>
/// <param name="Router">Router name.</param>
/// <param name="Address">Its address.</param>
/// <param name="State">FSM state, RFC 4271 spelling.</param>
/// <param name="Since">When that state was entered.</param>
/// <param name="Routes">Paths held of those that count, both families.</param>
/// <param name="RoutesIpv4">IPv4 paths.</param>
/// <param name="RoutesIpv6">IPv6 paths.</param>
/// <param name="AddPath">The session shows all paths (ADD-PATH).</param>
/// <param name="TableComplete">The table has been received whole.</param>
/// <param name="Overrides">Overrides announced to it.</param>
/// <param name="LastError">Why it last failed, or null.</param>
public sealed record BgpPeerDto(
    string Router, string Address, string State, DateTimeOffset Since, int Routes, int RoutesIpv4, int RoutesIpv6, bool AddPath, bool TableComplete,
    int Overrides, string? LastError)
{
    /// <summary>Where its paths come from: <c>add-path</c>, <c>bmp</c> or <c>best-only</c>.</summary>
    public string PathSource { get; init; } = "best-only";

    /// <summary>All paths of the router are seen; false: degraded, nothing is moved.</summary>
    public bool AllPathsKnown { get; init; }

    /// <summary>When <see cref="LastError"/> happened, or null.</summary>
    public DateTimeOffset? LastErrorAt { get; init; }

    /// <summary>Times each state was entered since start, by its name.</summary>
    public IReadOnlyDictionary<string, long> StatesEntered { get; init; } = new Dictionary<string, long>();

    /// <summary>The last NOTIFICATION that ended a connection, or null. It may be older than the last error.</summary>
    public BgpNotificationDto? LastNotification { get; init; }

    /// <summary>What the OPENs agreed on, or null while the session is not established.</summary>
    public BgpNegotiatedDto? Negotiated { get; init; }

    /// <summary>TCP MD5 is in use.</summary>
    public bool Md5 { get; init; }

    /// <summary>TTL security (GTSM) is in use.</summary>
    public bool TtlSecurity { get; init; }

    /// <summary>The limit on the session's paths; more end it.</summary>
    public int MaxPrefix { get; init; }

    /// <summary>Paths of the session as a share of <see cref="MaxPrefix"/>.</summary>
    public double MaxPrefixRatio { get; init; }

    /// <summary>That share has reached <c>max_prefix_warning</c>.</summary>
    public bool MaxPrefixWarning { get; init; }

    /// <summary>The limit on prefixes announced to it, or null for none.</summary>
    public int? MaxPrefixOut { get; init; }

    /// <summary>Overrides in force that it has not been told of yet.</summary>
    public int OverridesWaiting { get; init; }

    /// <summary>The way out, or null while the session is not established.</summary>
    public BgpOutputDto? Output { get; init; }

    /// <summary>Counts since start.</summary>
    public BgpCountersDto Counters { get; init; } = new(0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Its own choices, if BMP shows its Loc-RIB (RFC 9069), or null.</summary>
    public LocRibDto? LocRib { get; init; }

    /// <summary>Its BMP connection, or null if none is configured.</summary>
    public BmpDto? Bmp { get; init; }
}

/// <summary>A router's own choices, compared with what its routes say.</summary>
/// <param name="Routes">Prefixes held of its Loc-RIB.</param>
/// <param name="Complete">It has been received whole.</param>
/// <param name="Compared">Of the prefixes with most traffic (10,000 at most), those that could be compared in the latest cycle.</param>
/// <param name="Differing">Those of them for which the router uses another path than the appliance takes for its preferred one.</param>
public sealed record LocRibDto(int Routes, bool Complete, int Compared, int Differing);

/// <summary>A router's own choice of a prefix, by its Loc-RIB.</summary>
/// <param name="Router">Router name.</param>
/// <param name="Verdict"><c>agrees</c>, <c>differs</c>, <c>override</c> (it uses our override) or <c>none</c> (it uses none of its paths).</param>
/// <param name="NextHop">Next hop of its choice, or null.</param>
/// <param name="Link">The link of that next hop, or null.</param>
/// <param name="AsPath">AS_PATH of its choice, or null.</param>
/// <param name="LocalPref">LOCAL_PREF of its choice, or null.</param>
/// <param name="Med">MED of its choice, or null.</param>
/// <param name="ExpectedNextHop">Next hop of the path that it should prefer by what its routes say.</param>
/// <param name="ExpectedLink">The link of that, or null.</param>
/// <param name="Cause">Why they differ, most likely: <c>not_shown</c>, <c>policy</c>, <c>weight</c>, <c>med</c> or <c>igp_metric</c>; or null.</param>
/// <param name="Summary">The same in words.</param>
public sealed record RouterChoiceDto(
    string Router, string Verdict, string? NextHop, string? Link, string? AsPath, uint? LocalPref, uint? Med, string ExpectedNextHop, string? ExpectedLink,
    string? Cause, string Summary);

/// <summary>A NOTIFICATION that ended a connection.</summary>
/// <param name="Direction"><c>received</c> or <c>sent</c>.</param>
/// <param name="Code">Error code (RFC 4271 section 4.5).</param>
/// <param name="Subcode">Error subcode.</param>
/// <param name="Description">Code and subcode by number and name, with the shutdown communication in quotes.</param>
/// <param name="Text">The shutdown communication (RFC 9003), or null.</param>
/// <param name="Time">When.</param>
public sealed record BgpNotificationDto(string Direction, int Code, int Subcode, string Description, string? Text, DateTimeOffset Time);

/// <summary>What the OPENs of a session agreed on.</summary>
/// <param name="Type"><c>ibgp</c> or <c>ebgp</c>.</param>
/// <param name="RouterId">The router's BGP identifier.</param>
/// <param name="HoldTimeSeconds">Hold time in force; 0: none.</param>
/// <param name="KeepaliveSeconds">Time between our KEEPALIVEs; 0: none.</param>
/// <param name="Families"><c>ipv4</c>, <c>ipv6</c>: those exchanged.</param>
/// <param name="Capabilities">
/// Those in force beside the families: <c>add-path-ipv4</c>, <c>add-path-ipv6</c> (the router sends all paths), <c>route-refresh</c>, <c>4-octet-as</c>,
/// <c>extended-message</c>, <c>extended-next-hop</c>.
/// </param>
public sealed record BgpNegotiatedDto(
    string Type, string RouterId, double HoldTimeSeconds, double KeepaliveSeconds, IReadOnlyList<string> Families, IReadOnlyList<string> Capabilities);

/// <summary>How far what is to be told to a router has got.</summary>
/// <param name="QueuedBytes">Octets that TCP has not taken yet.</param>
/// <param name="HighMarkBytes">Octets queued from which on announcements are held back.</param>
/// <param name="LimitBytes">Octets queued beyond which the session ends.</param>
/// <param name="Behind">The router does not keep up: announcements are held back.</param>
public sealed record BgpOutputDto(int QueuedBytes, int HighMarkBytes, int LimitBytes, bool Behind);

/// <summary>Counts of a session since start.</summary>
/// <param name="Established">Times it came up.</param>
/// <param name="MessagesReceived">BGP messages received.</param>
/// <param name="MessagesSent">BGP messages sent.</param>
/// <param name="UpdateErrors">UPDATEs handled by RFC 7606.</param>
/// <param name="RoutesIgnored">Announcements left out: our own routes coming back, and loops.</param>
/// <param name="RefreshesSent">ROUTE-REFRESH requests sent.</param>
/// <param name="RefreshesReceived">ROUTE-REFRESH requests received.</param>
/// <param name="NotificationsSent">NOTIFICATIONs sent, those of collisions left out.</param>
/// <param name="NotificationsReceived">NOTIFICATIONs received, those of collisions left out.</param>
public sealed record BgpCountersDto(
    long Established, long MessagesReceived, long MessagesSent, long UpdateErrors, long RoutesIgnored, long RefreshesSent, long RefreshesReceived,
    long NotificationsSent, long NotificationsReceived);

/// <summary>A router's BMP connection.</summary>
/// <param name="State"><c>up</c>, <c>listening</c>, <c>connecting</c>, <c>held</c> (refused for a while after a limit was exceeded) or <c>stopped</c>.</param>
/// <param name="Since">When that state was entered.</param>
/// <param name="Table">The table whose routes count, <c>adj-rib-in-pre-policy</c> or <c>adj-rib-in-post-policy</c>, or null while there is none.</param>
/// <param name="Peers">The monitored peers.</param>
/// <param name="LastError">Why the connection last ended or could not be made, or null.</param>
public sealed record BmpDto(string State, DateTimeOffset Since, string? Table, IReadOnlyList<BmpPeerDto> Peers, string? LastError)
{
    /// <summary>The router's own name, by its Initiation message, or null.</summary>
    public string? SysName { get; init; }

    /// <summary>Connections made since start.</summary>
    public long Connections { get; init; }

    /// <summary>Messages received since start.</summary>
    public long Messages { get; init; }

    /// <summary>Messages that could not be read since start.</summary>
    public long Malformed { get; init; }

    /// <summary>The last of those, in words, or null.</summary>
    public string? LastMalformed { get; init; }

    /// <summary>Connections that a limit ended since start.</summary>
    public long LimitsExceeded { get; init; }
}

/// <summary>A peer of a router, shown by BMP.</summary>
/// <param name="Peer">Its address, after the instance's distinguisher if it is not of the default one; <c>loc-rib</c> for the router's own table.</param>
/// <param name="As">Its AS.</param>
/// <param name="Up">The session is up and monitored.</param>
/// <param name="Tables">The tables shown.</param>
/// <param name="Note">Why it is down, why a table is not used, or what may be missing on the router; or null.</param>
public sealed record BmpPeerDto(string Peer, uint As, bool Up, IReadOnlyList<BmpTableDto> Tables, string? Note);

/// <summary>A table of a monitored peer.</summary>
/// <param name="Table">Which, such as <c>adj-rib-in-pre-policy</c>.</param>
/// <param name="Routes">Routes held; 0 of tables that are not taken.</param>
/// <param name="Updates">UPDATEs with routes received.</param>
/// <param name="Used">Its routes count.</param>
/// <param name="Complete">It has been received whole.</param>
public sealed record BmpTableDto(string Table, int Routes, long Updates, bool Used, bool Complete);
