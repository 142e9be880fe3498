using System.Text.Json.Serialization;

namespace EgressAppliance.Host.Http;

// The HTTP API's documents, v1. JSON names are snake_case; rates are bit/s, ratios 0–1, times RFC 3339 in UTC.

/// <summary><c>GET /api/v1/status</c></summary>
/// <param name="Site">Site name.</param>
/// <param name="Version">Version of the appliance.</param>
/// <param name="Mode"><c>observe</c> or <c>inject</c>.</param>
/// <param name="Verdict">Latest verdict, snake_case (see <see cref="DecisionDto"/>).</param>
/// <param name="Reason">The verdict's reason, in words.</param>
/// <param name="Healthy">True when every input is good.</param>
/// <param name="Time">Now.</param>
/// <param name="UptimeSeconds">Seconds since start.</param>
/// <param name="Problems">What is wrong, in words; empty when healthy.</param>
/// <param name="Capture">The data path.</param>
/// <param name="Bgp">The routers' sessions.</param>
/// <param name="Snmp">The routers' SNMP agents.</param>
public sealed record StatusDto(
    string Site, string Version, string Mode, string Verdict, string Reason, bool Healthy, DateTimeOffset Time, double UptimeSeconds,
    IReadOnlyList<string> Problems, CaptureDto Capture, IReadOnlyList<BgpPeerDto> Bgp, IReadOnlyList<SnmpDto> Snmp);

/// <summary><c>GET /api/v1/capture</c>: where every frame ended, in order of the stages.</summary>
/// <param name="Frames">Frames received.</param>
/// <param name="Packets">IP packets counted.</param>
/// <param name="IpBytes">Their IP bytes.</param>
/// <param name="PacketsPerSecond">Rate of the traffic over the last cycle: scaled up by the sampling rate, as all rates are; numbers of frames and packets are not.</param>
/// <param name="BitsPerSecond">IP bits of the same.</param>
/// <param name="KernelDropped">Frames the kernel dropped (ring full).</param>
/// <param name="Freezes">Ring freezes.</param>
/// <param name="PoolExhausted">Frames given up for want of a batch.</param>
/// <param name="NonIp">Frames that are not IP.</param>
/// <param name="Ignored">Frames to ignored MACs.</param>
/// <param name="Undecodable">By reason.</param>
/// <param name="UnroutedPackets">IP packets without a matching prefix.</param>
/// <param name="UnroutedIpBytes">Their IP bytes.</param>
/// <param name="UnattributedPackets">IP packets that matched no link.</param>
/// <param name="Prefixes">Prefixes in the lookup table.</param>
/// <param name="Sources">Each source.</param>
public sealed record CaptureDto(
    long Frames, long Packets, long IpBytes, double PacketsPerSecond, double BitsPerSecond, long KernelDropped, long Freezes, long PoolExhausted,
    long NonIp, long Ignored, IReadOnlyDictionary<string, long> Undecodable, long UnroutedPackets, long UnroutedIpBytes, long UnattributedPackets,
    int Prefixes, IReadOnlyList<CaptureSourceDto> Sources)
{
    /// <summary>The switch mirrors one frame in this many.</summary>
    public int Sampling { get; init; } = 1;

    /// <summary>Seconds that rates, loss and findings of the sources are of.</summary>
    public double IntervalSeconds { get; init; }

    /// <summary>Frames lost by NICs, in the kernel and for want of a batch, as a share of all, over the interval.</summary>
    public double LossRatio { get; init; }

    /// <summary>The same since start.</summary>
    public double TotalLossRatio { get; init; }

    /// <summary>Transparent huge pages: <c>always</c>, <c>madvise</c>, <c>never</c>, or empty where the kernel has none.</summary>
    public string HugePages { get; init; } = "";

    /// <summary>Bytes of the appliance that are in huge pages.</summary>
    public long HugePagesBytes { get; init; }

    /// <summary>What the operator should know, the worst first.</summary>
    public IReadOnlyList<CaptureFindingDto> Findings { get; init; } = [];

    /// <summary>Flow export, or null where none is configured. Not in the numbers of frames and packets.</summary>
    public FlowDto? Flow { get; init; }
}

/// <summary>Something about capture that the operator should know.</summary>
/// <param name="Source">The source it is about, or empty.</param>
/// <param name="Level"><c>loss</c>, <c>warning</c> or <c>hint</c>.</param>
/// <param name="Code">What it is, snake_case; docs/capture.md lists them.</param>
/// <param name="Message">What was seen, in words.</param>
/// <param name="Advice">What to do, with the key to change and its present value.</param>
public sealed record CaptureFindingDto(string Source, string Level, string Code, string Message, string Advice);

/// <summary>One capture source.</summary>
/// <param name="Name">Interface or file.</param>
/// <param name="Frames">Frames received.</param>
/// <param name="KernelDropped">Frames dropped by the kernel.</param>
/// <param name="Freezes">Ring freezes.</param>
/// <param name="Message">Why it is unavailable, or null.</param>
public sealed record CaptureSourceDto(string Name, long Frames, long KernelDropped, long Freezes, string? Message)
{
    /// <summary><c>receiving</c>, <c>silent</c>, <c>no_carrier</c>, <c>interface_down</c>, <c>absent</c> or <c>unavailable</c>.</summary>
    public string State { get; init; } = "";

    /// <summary>Frames given up for want of a batch.</summary>
    public long PoolExhausted { get; init; }

    /// <summary>IP packets.</summary>
    public long Packets { get; init; }

    /// <summary>Their IP bytes.</summary>
    public long IpBytes { get; init; }

    /// <summary>Frames that are not IP.</summary>
    public long NonIp { get; init; }

    /// <summary>Frames to ignored MACs.</summary>
    public long Ignored { get; init; }

    /// <summary>Frames that could not be decoded.</summary>
    public long Undecodable { get; init; }

    /// <summary>Frames that the NIC dropped since the appliance started (rx_missed_errors, rx_over_errors, rx_fifo_errors).</summary>
    public long NicMissed { get; init; }

    /// <summary>rx_dropped since the appliance started: dropped by the driver or the input queue, or of no use to any protocol.</summary>
    public long NicDropped { get; init; }

    /// <summary>Frames a second over the interval, as they came.</summary>
    public double FramesPerSecond { get; init; }

    /// <summary>IP bits a second over the interval, as they came.</summary>
    public double BitsPerSecond { get; init; }

    /// <summary>Frames lost as a share of all, over the interval.</summary>
    public double LossRatio { get; init; }

    /// <summary>The same since start.</summary>
    public double TotalLossRatio { get; init; }

    /// <summary>Frames of each worker.</summary>
    public IReadOnlyList<long> WorkerFrames { get; init; } = [];
}

/// <summary>A router's SNMP agent.</summary>
/// <param name="Router">Router name.</param>
/// <param name="Reachable">It answered the last poll.</param>
/// <param name="LastPoll">Last good answer, or null.</param>
/// <param name="LastError">Last error, or null.</param>
public sealed record SnmpDto(string Router, bool Reachable, DateTimeOffset? LastPoll, string? LastError);

/// <summary>One item of <c>GET /api/v1/links</c>.</summary>
/// <param name="Name">Link.</param>
/// <param name="Router">Its router.</param>
/// <param name="Interface">ifName.</param>
/// <param name="OperStatus"><c>up</c>, <c>down</c>, <c>unknown</c>, … (ifOperStatus).</param>
/// <param name="CapacityBps">Capacity; 0 while unknown.</param>
/// <param name="ThresholdBps">Relieve above.</param>
/// <param name="ReleaseBps">Give back under.</param>
/// <param name="CeilingBps">Most our moves may fill.</param>
/// <param name="MirrorBps">Rate seen on the mirror, layer-2 overhead added.</param>
/// <param name="CounterBps">Rate by the interface counter, or null.</param>
/// <param name="NativeBps">Projection: load without our overrides.</param>
/// <param name="PlannedBps">Projection: load with the plan in force.</param>
/// <param name="ErrorRatio">Share by which the link's limits shrink for the error of its load, 0–1.</param>
/// <param name="State"><c>normal</c>, <c>relieved</c>, <c>over_threshold</c>, <c>over_capacity</c>, <c>down</c>, <c>unknown</c>.</param>
/// <param name="Overrides">Prefixes moved onto it by us.</param>
/// <param name="OverridesAway">Prefixes moved off it by us.</param>
public sealed record LinkDto(
    string Name, string Router, string Interface, string OperStatus, long CapacityBps, long ThresholdBps, long ReleaseBps, long CeilingBps,
    long MirrorBps, long? CounterBps, long NativeBps, long PlannedBps, double ErrorRatio, string State, int Overrides, int OverridesAway)
{
    /// <summary>How wrong the mirror rate may be either way: by sampling, by loss, and by what the counter says of it, bit/s.</summary>
    public long ErrorBps { get; init; }

    /// <summary>
    /// What mirror and counter say of each other: <c>unknown</c>, <c>agree</c>, <c>mirror_loss</c>, <c>duplicated</c>, <c>sampling</c>, <c>mirror_silent</c>, <c>mirror_excess</c>,
    /// <c>counter_stalled</c>, <c>counter_missing</c>, <c>overhead</c>, <c>shaped</c>, <c>sudden</c>, <c>unconfirmed</c>.
    /// </summary>
    public string RateCause { get; init; } = "unknown";

    /// <summary>Mirror rate divided by counter rate over the last minute or more, or null while unknown.</summary>
    public double? MirrorRatio { get; init; }

    /// <summary>Half width of the 95 % interval of that.</summary>
    public double MirrorRatioError { get; init; }

    /// <summary>What is wrong with the rates, in words, or empty.</summary>
    public string RateProblem { get; init; } = "";

    /// <summary>What to do about it, a sentence, or empty.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>How mirrored frames of the link are known, in words, such as <c>mac 02:00:00:00:0a:02, found by SNMP</c>; empty if they are not.</summary>
    public string Match { get; init; } = "";

    /// <summary>IP packets that the mirror has shown since start, scaled up by the sampling.</summary>
    public long MirrorPackets { get; init; }

    /// <summary>Their bytes, layer-2 overhead added.</summary>
    public long MirrorBytes { get; init; }

    /// <summary>Members of an aggregate that are up; null if it is none.</summary>
    public int? MembersUp { get; init; }

    /// <summary>Members of an aggregate; null if it is none.</summary>
    public int? Members { get; init; }

    /// <summary>ifInErrors since start; null if the router does not tell.</summary>
    public long? InErrors { get; init; }

    /// <summary>ifOutErrors since start; null if the router does not tell.</summary>
    public long? OutErrors { get; init; }

    /// <summary>ifOutDiscards since start; null if the router does not tell.</summary>
    public long? OutDiscards { get; init; }
}

/// <summary>One item of <c>GET /api/v1/prefixes?top=&amp;link=</c>, by rate, largest first.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it was seen to leave by, or null.</param>
/// <param name="NativeLink">The link plain BGP would choose, or null.</param>
/// <param name="RateBps">Rate.</param>
/// <param name="PacketsPerSecond">Packet rate.</param>
/// <param name="OriginAs">Origin AS, 0 if unknown.</param>
/// <param name="Override">True if an override is in force for it.</param>
public sealed record PrefixDto(
    string Prefix, string? Link, string? NativeLink, long RateBps, double PacketsPerSecond, uint OriginAs, bool Override)
{
    /// <summary>Mean of the last two minutes, bit/s.</summary>
    public long MeanBps { get; init; }

    /// <summary>Relative error of the rate; more than 1 where the mirror shows less than half of what the link's counter does.</summary>
    public double ErrorRatio { get; init; }
}

/// <summary>One item of <c>GET /api/v1/overrides</c>.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="From">Native link.</param>
/// <param name="To">Link it goes by because of us.</param>
/// <param name="RateBps">Its rate now.</param>
/// <param name="Since">When it was announced.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="State"><c>announced</c>, <c>confirmed</c> (the mirror shows it on the new link), <c>proposed</c> (observe mode: nothing was announced).</param>
/// <param name="LeaseExpires">When it ends unless renewed.</param>
public sealed record OverrideDto(
    string Prefix, string From, string To, long RateBps, DateTimeOffset Since, string Reason, string State, DateTimeOffset? LeaseExpires);

/// <summary>One item of <c>GET /api/v1/decisions?limit=</c>, newest first: one cycle of the decision maker.</summary>
/// <param name="Id">Number of the cycle since start.</param>
/// <param name="Time">When.</param>
/// <param name="Verdict">Reason code of the whole cycle, snake_case.</param>
/// <param name="Reason">The same in words.</param>
/// <param name="Mode">Mode it ran in.</param>
/// <param name="Moves">Moves of the plan.</param>
/// <param name="Releases">Releases of the plan.</param>
/// <param name="Kept">Overrides kept.</param>
/// <param name="OverloadBps">Residual overload after the plan.</param>
/// <param name="ElapsedMs">Time it took.</param>
public sealed record DecisionDto(
    long Id, DateTimeOffset Time, string Verdict, string Reason, string Mode, IReadOnlyList<MoveDto> Moves, IReadOnlyList<MoveDto> Releases, int Kept,
    long OverloadBps, double ElapsedMs)
{
    /// <summary>No assignment of prefixes to links leaves less overload than this: what <see cref="OverloadBps"/> exceeds it by is the plan's gap.</summary>
    public long OverloadLowerBoundBps { get; init; }
}

/// <summary>A move or a release of a plan.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="From">Link it leaves.</param>
/// <param name="To">Link it goes to.</param>
/// <param name="RateBps">Its rate.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record MoveDto(string Prefix, string From, string To, long RateBps, string Reason);

/// <summary><c>GET /api/v1/explain?prefix=</c> (a prefix or an address): why the prefix goes where it goes.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Prefix">The prefix in the table that answers, or null if none.</param>
/// <param name="RateBps">Its rate.</param>
/// <param name="Link">The link it was seen to leave by, or null.</param>
/// <param name="NativeLink">The link plain BGP would choose, or null.</param>
/// <param name="Override">The override in force, or null.</param>
/// <param name="Paths">All paths, the router's preference first.</param>
/// <param name="Summary">The answer in words, a sentence or two.</param>
public sealed record ExplainDto(
    string Query, string? Prefix, long RateBps, string? Link, string? NativeLink, OverrideDto? Override, IReadOnlyList<PathDto> Paths, string Summary)
{
    /// <summary>The policy that counts for it, or null.</summary>
    public PolicyDto? Policy { get; init; }

    /// <summary>What the routers that show their Loc-RIB have chosen, compared with the first path.</summary>
    public IReadOnlyList<RouterChoiceDto> RouterChoices { get; init; } = [];

    /// <summary>Until when the prefix is left as it is.</summary>
    public TimersDto Timers { get; init; } = new(null, null, null, null);

    /// <summary>Its latest moves and releases, newest first; in observe mode those that were proposed.</summary>
    public IReadOnlyList<PrefixChangeDto> History { get; init; } = [];
}

/// <summary>A policy of the configuration.</summary>
/// <param name="Number">Its number in <c>decision.policies</c>, from 1.</param>
/// <param name="Text">As the configuration has it, defaults left out.</param>
public sealed record PolicyDto(int Number, string Text);

/// <summary>Until when a prefix is left as it is; null for what does not hold it.</summary>
/// <param name="HoldUntil">Its override is not given back or moved on for convenience before this.</param>
/// <param name="DampedUntil">The same, because it changed links too often of late.</param>
/// <param name="QuarantinedUntil">It is not moved before this, because a move of it failed.</param>
/// <param name="LeaseExpires">Its override ends then unless a cycle renews it.</param>
public sealed record TimersDto(DateTimeOffset? HoldUntil, DateTimeOffset? DampedUntil, DateTimeOffset? QuarantinedUntil, DateTimeOffset? LeaseExpires);

/// <summary>A move or a release of a prefix.</summary>
/// <param name="Time">When it was decided.</param>
/// <param name="Decision">Number of the decision.</param>
/// <param name="Mode">Mode in force: in observe mode it was only proposed.</param>
/// <param name="Change">moved or released.</param>
/// <param name="From">Link it left.</param>
/// <param name="To">Link it went to.</param>
/// <param name="RateBps">Its rate.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record PrefixChangeDto(DateTimeOffset Time, long Decision, string Mode, string Change, string From, string To, long RateBps, string Reason);

/// <summary>A path of a prefix, and whether it can be used to relieve.</summary>
/// <param name="Router">Router it was learned from.</param>
/// <param name="NextHop">Next hop.</param>
/// <param name="Link">The link of that next hop, or null if none is configured.</param>
/// <param name="AsPath">AS_PATH as text.</param>
/// <param name="LocalPref">LOCAL_PREF, or null.</param>
/// <param name="Med">MED, or null.</param>
/// <param name="Origin">igp, egp or incomplete.</param>
/// <param name="Communities">RFC 1997 communities as text.</param>
/// <param name="Usable">True if an override could use it now.</param>
/// <param name="Rejection">Why not, snake_case, or null.</param>
public sealed record PathDto(
    string Router, string NextHop, string? Link, string AsPath, uint? LocalPref, uint? Med, string Origin, IReadOnlyList<string> Communities,
    bool Usable, string? Rejection);

/// <summary><c>GET /api/v1/bgp/rib?prefix=</c> (a prefix or an address): what the routers' tables hold of it.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Prefix">The prefix in the table that answers, or null if none.</param>
/// <param name="Paths">All paths, the router's preference first.</param>
public sealed record RibDto(string Query, string? Prefix, IReadOnlyList<RibPathDto> Paths)
{
    /// <summary>What the routers that show their Loc-RIB have chosen, compared with the first of their paths.</summary>
    public IReadOnlyList<RouterChoiceDto> RouterChoices { get; init; } = [];
}

/// <summary>A path as a router sent it, and why it is not the best.</summary>
/// <param name="Router">Router it was learned from.</param>
/// <param name="RouterAddress">That router's address.</param>
/// <param name="PathId">Path identifier (RFC 7911), 0 without ADD-PATH.</param>
/// <param name="NextHop">Next hop.</param>
/// <param name="Link">The link of that next hop, or null if none is configured.</param>
/// <param name="AsPath">AS_PATH as text.</param>
/// <param name="LocalPref">LOCAL_PREF, or null.</param>
/// <param name="Med">MED, or null.</param>
/// <param name="Origin">igp, egp or incomplete.</param>
/// <param name="Communities">RFC 1997 communities as text.</param>
/// <param name="LostAt">
/// The step of the decision process (RFC 4271 section 9.1) at which it lost to the best path, or null for that one: <c>local_pref</c>, <c>as_path_length</c>, <c>origin</c>,
/// <c>med</c>, <c>reflected</c>, <c>cluster_list_length</c>, <c>originator_id</c>; <c>next_hop</c>, <c>peer</c> or <c>path_id</c> where a router may see it differently.
/// </param>
public sealed record RibPathDto(
    string Router, string RouterAddress, uint PathId, string NextHop, string? Link, string AsPath, uint? LocalPref, uint? Med, string Origin,
    IReadOnlyList<string> Communities, string? LostAt)
{
    /// <summary>The table in which BMP shows the path, such as <c>192.0.2.1 adj-rib-in-pre-policy</c>; null if it came by the BGP session.</summary>
    public string? Monitored { get; init; }

    /// <summary>RFC 4360 communities, 16 hexadecimal digits each.</summary>
    public IReadOnlyList<string> ExtendedCommunities { get; init; } = [];

    /// <summary>RFC 8092 communities as text.</summary>
    public IReadOnlyList<string> LargeCommunities { get; init; } = [];

    /// <summary>ORIGINATOR_ID, or null.</summary>
    public string? OriginatorId { get; init; }

    /// <summary>CLUSTER_LIST.</summary>
    public IReadOnlyList<string> ClusterList { get; init; } = [];

    /// <summary>ATOMIC_AGGREGATE is there.</summary>
    public bool AtomicAggregate { get; init; }

    /// <summary>AGGREGATOR as <c>AS address</c>, or null.</summary>
    public string? Aggregator { get; init; }
}

/// <summary>Body of <c>PUT /api/v1/mode</c> and its answer.</summary>
/// <param name="Mode"><c>observe</c> or <c>inject</c>.</param>
public sealed record ModeDto(string Mode);

/// <summary>Body of <c>POST /api/v1/overrides</c>: an operator's own override.</summary>
/// <param name="Prefix">The prefix, exactly as learned.</param>
/// <param name="Link">The link to send it by.</param>
public sealed record OverrideRequestDto(string Prefix, string Link);

/// <summary>Answer of <c>POST /api/v1/withdraw-all</c>.</summary>
/// <param name="Withdrawn">How many overrides this box has withdrawn.</param>
/// <param name="Detail">Who else was told, in words; not there if this box decides.</param>
public sealed record WithdrawAllDto(int Withdrawn, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail = null);

/// <summary>What <c>GET /api/v1/events</c> sends as event <c>state</c>, once a cycle: enough for the page to stay live.</summary>
/// <param name="Status">Status.</param>
/// <param name="Links">Links.</param>
/// <param name="Prefixes">Top 20 prefixes.</param>
/// <param name="Overrides">Overrides.</param>
/// <param name="Decision">The latest decision, or null before the first cycle.</param>
public sealed record StateEventDto(
    StatusDto Status, IReadOnlyList<LinkDto> Links, IReadOnlyList<PrefixDto> Prefixes, IReadOnlyList<OverrideDto> Overrides, DecisionDto? Decision);
