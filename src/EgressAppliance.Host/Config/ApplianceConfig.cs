using System.Net;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Config;

/// <summary>Whether routes may be announced.</summary>
public enum ApplianceMode
{
    /// <summary>Compute and show only.</summary>
    Observe,

    /// <summary>Announce overrides.</summary>
    Inject,
}

/// <summary>The whole configuration, checked. Made by <c>ConfigLoader</c> only; mapped once to the options of each subsystem.</summary>
public sealed record ApplianceConfig
{
    /// <summary>Name of the site, for display.</summary>
    public string Site { get; init; } = "";

    /// <summary>What this box does.</summary>
    public ApplianceRole Role { get; init; }

    /// <summary>Name of this box, unique within the site.</summary>
    public string Box { get; init; } = "";

    /// <summary>What makes several boxes one site; null where the role is <see cref="ApplianceRole.All"/>.</summary>
    public ClusterConfig? Cluster { get; init; }

    /// <summary>Mode at start.</summary>
    public ApplianceMode Mode { get; init; } = ApplianceMode.Observe;

    /// <summary>Capture; without sources where there is flow export only.</summary>
    public CaptureConfig Capture { get; init; } = new();

    /// <summary>Flow export, or null.</summary>
    public FlowConfig? Flow { get; init; }

    /// <summary>What holds for the BGP sessions with all routers.</summary>
    public SpeakerConfig Bgp { get; init; } = new();

    /// <summary>Routers, at least one.</summary>
    public IReadOnlyList<RouterConfig> Routers { get; init; } = [];

    /// <summary>Links, at least one, in configuration order: the first is <see cref="LinkId"/> 1.</summary>
    public IReadOnlyList<LinkConfig> Links { get; init; } = [];

    /// <summary>The decision maker.</summary>
    public DecisionConfig Decision { get; init; } = new();

    /// <summary>What is stored.</summary>
    public HistoryConfig History { get; init; } = new();

    /// <summary>The HTTP endpoint.</summary>
    public HttpConfig Http { get; init; } = new();

    /// <summary><c>telemetry.otlp</c>, or null for none.</summary>
    public OtlpConfig? Otlp { get; init; }

    /// <summary>The file that it was read from; null if it was made otherwise.</summary>
    public ConfigSource? Source { get; init; }
}

/// <summary><c>capture:</c></summary>
public sealed record CaptureConfig
{
    /// <summary>Sources; none where there is flow export only.</summary>
    public IReadOnlyList<CaptureSourceConfig> Sources { get; init; } = [];

    /// <summary>Tunnels that the mirror arrives in.</summary>
    public IReadOnlyList<MirrorTunnel> Decapsulate { get; init; } = [];

    /// <summary>Destination MACs whose frames are not counted.</summary>
    public IReadOnlyList<MacAddress> IgnoreMacs { get; init; } = [];
}

/// <summary>Tunnels in which mirrored frames are sent.</summary>
public enum MirrorTunnel
{
    /// <summary>ERSPAN, over GRE.</summary>
    Erspan,

    /// <summary>VXLAN.</summary>
    Vxlan,

    /// <summary>GRE other than ERSPAN.</summary>
    Gre,

    /// <summary>IP in IP.</summary>
    IpInIp,
}

/// <summary>Capture backends.</summary>
public enum CaptureBackend
{
    /// <summary>TPACKET_V3 ring of an interface.</summary>
    AfPacket,

    /// <summary>A pcap or pcapng file.</summary>
    PcapFile,

    /// <summary>SharpPcap, in builds that have it.</summary>
    SharpPcap,
}

/// <summary>Fan-out modes of a packet socket group (packet(7), PACKET_FANOUT).</summary>
public enum FanoutMode
{
    /// <summary>By flow hash.</summary>
    Hash,

    /// <summary>By the CPU the frame arrived on.</summary>
    Cpu,

    /// <summary>Round robin.</summary>
    Lb,

    /// <summary>Fill one ring, then the next.</summary>
    Rollover,
}

/// <summary>One entry of <c>capture.sources</c>.</summary>
public sealed record CaptureSourceConfig
{
    /// <summary>Interface name (af_packet, sharppcap).</summary>
    public string Interface { get; init; } = "";

    /// <summary>File path (pcap_file).</summary>
    public string File { get; init; } = "";

    /// <summary>Backend.</summary>
    public CaptureBackend Backend { get; init; } = CaptureBackend.AfPacket;

    /// <summary>Bytes kept of each frame.</summary>
    public int Snaplen { get; init; } = 128;

    /// <summary>Ring size per worker, bytes.</summary>
    public long RingBytes { get; init; } = 64L << 20;

    /// <summary>Ring block size, bytes; a power of two and a multiple of the page size.</summary>
    public int BlockBytes { get; init; } = 1 << 20;

    /// <summary>Longest time a partly filled block is held back.</summary>
    public TimeSpan BlockTimeout { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Sockets in the fan-out group.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Fan-out mode.</summary>
    public FanoutMode Fanout { get; init; } = FanoutMode.Hash;

    /// <summary>CPUs the workers are pinned to, one each; empty: not pinned.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>BPF filter in libpcap's syntax; empty: none.</summary>
    public string Filter { get; init; } = "";

    /// <summary>The switch mirrors one frame in this many; counters are scaled once, at the snapshot.</summary>
    public int Sampling { get; init; } = 1;

    /// <summary>Promiscuous mode.</summary>
    public bool Promiscuous { get; init; } = true;
}

/// <summary>One entry of <c>routers</c>.</summary>
public sealed record RouterConfig
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Address for BGP and SNMP.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>BGP session.</summary>
    public required BgpConfig Bgp { get; init; }

    /// <summary>BMP, or null.</summary>
    public BmpConfig? Bmp { get; init; }

    /// <summary>SNMP, or null.</summary>
    public SnmpConfig? Snmp { get; init; }
}

/// <summary><c>routers[].bgp</c></summary>
public sealed record BgpConfig
{
    /// <summary>Our address.</summary>
    public required IPAddress LocalAddress { get; init; }

    /// <summary>Our AS.</summary>
    public required uint LocalAs { get; init; }

    /// <summary>The router's AS; equal to ours (iBGP).</summary>
    public required uint PeerAs { get; init; }

    /// <summary>Router's TCP port.</summary>
    public int Port { get; init; } = 179;

    /// <summary>Port we listen on for the router's connection; 0: do not listen.</summary>
    public int ListenPort { get; init; } = 179;

    /// <summary>Wait for the router to connect.</summary>
    public bool Passive { get; init; }

    /// <summary>Hold time proposed.</summary>
    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>Families.</summary>
    public IReadOnlyList<IpFamily> Families { get; init; } = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>TCP MD5 key, read from <c>password_file</c>.</summary>
    public string? Password { get; init; }

    /// <summary>TTL security (GTSM, RFC 5082).</summary>
    public bool TtlSecurity { get; init; }

    /// <summary>Shortest wait before the next attempt to connect, 1 s to 1 min.</summary>
    public TimeSpan ConnectRetry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The session ends when the router takes nothing for this long (RFC 9687), 5 s to 1 h.</summary>
    public TimeSpan SendHoldTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Routes accepted before tear-down.</summary>
    public int MaxPrefix { get; init; } = 10_000_000;

    /// <summary>Share of <see cref="MaxPrefix"/> from which on is warned, 0–1.</summary>
    public double MaxPrefixWarning { get; init; } = 0.75;

    /// <summary>Prefixes announced to the router at most, or null for no limit.</summary>
    public int? MaxPrefixOut { get; init; }

    /// <summary>Without the members, so that the key reaches no log.</summary>
    public override string ToString() => $"BGP AS {PeerAs}";
}

/// <summary><c>bgp:</c></summary>
public sealed record SpeakerConfig
{
    /// <summary>Our BGP identifier, host order, not zero; null: made of the first router's <see cref="BgpConfig.LocalAddress"/>.</summary>
    public uint? RouterId { get; init; }

    /// <summary>Prefixes announced to one router in a second at most; 0: no limit.</summary>
    public int MaxAnnouncementsPerSecond { get; init; } = 5000;

    /// <summary>A quiet time after which a table counts as complete where the router sends no End-of-RIB, 1 s to 10 min.</summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>What routers are told when the appliance stops (RFC 9003), at most 255 octets of UTF-8.</summary>
    public string ShutdownMessage { get; init; } = "egress-appliance stopping";
}

/// <summary><c>routers[].bmp</c></summary>
public sealed record BmpConfig
{
    /// <summary>The router's address for BMP.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>Where we wait for the router to connect, or null.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>The router's port, if it waits for us; or null.</summary>
    public int? ConnectPort { get; init; }

    /// <summary>Routes accepted of all tables.</summary>
    public long MaxRoutes { get; init; } = 10_000_000;
}

/// <summary>Versions of SNMP.</summary>
public enum SnmpVersion
{
    /// <summary>2c: a community in clear.</summary>
    V2c,

    /// <summary>3: a user.</summary>
    V3,
}

/// <summary><c>routers[].snmp</c></summary>
public sealed record SnmpConfig
{
    /// <summary>Community, read from <c>community_file</c>; null with version 3.</summary>
    public string? Community { get; init; }

    /// <summary>User of version 3; null with version 2c.</summary>
    public SnmpUserConfig? User { get; init; }

    /// <summary>UDP port.</summary>
    public int Port { get; init; } = 161;

    /// <summary>Polling period.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Without the secrets, so that they reach no log.</summary>
    public override string ToString() => $"SNMP port {Port}";
}

/// <summary>The user of <c>routers[].snmp</c> with version 3.</summary>
public sealed record SnmpUserConfig
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Authentication protocol.</summary>
    public AuthenticationProtocol Authentication { get; init; }

    /// <summary>Authentication password, read from <c>auth_password_file</c>; null without authentication.</summary>
    public string? AuthenticationPassword { get; init; }

    /// <summary>Privacy protocol.</summary>
    public PrivacyProtocol Privacy { get; init; }

    /// <summary>Privacy password, read from <c>priv_password_file</c>; null without privacy.</summary>
    public string? PrivacyPassword { get; init; }

    /// <summary>Context; empty for the default one.</summary>
    public string Context { get; init; } = "";

    /// <summary>The only engine ID accepted, or null.</summary>
    public EngineId? EngineId { get; init; }

    /// <summary>Without the passwords, so that they reach no log.</summary>
    public override string ToString() => $"SNMP user {Name}";
}

/// <summary>One entry of <c>links</c>.</summary>
public sealed record LinkConfig
{
    /// <summary>Dense number, from 1 in order of configuration.</summary>
    public required LinkId Id { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Name of its router.</summary>
    public required string Router { get; init; }

    /// <summary>The interface on the router, as <c>InterfaceSelector</c> reads it; empty: the one behind which the next hops are.</summary>
    public required string Interface { get; init; }

    /// <summary>The provider's addresses on the link.</summary>
    public required IReadOnlyList<IpAddr> NextHops { get; init; }

    /// <summary><c>match.mac</c></summary>
    public MacAddress? MatchMac { get; init; }

    /// <summary><c>match.vlan</c></summary>
    public ushort? MatchVlan { get; init; }

    /// <summary><c>match.source</c></summary>
    public string? MatchSource { get; init; }

    /// <summary>The link's frames are known by the MAC addresses that the router has of the next hops, which it is asked for.</summary>
    public bool FindsMac { get; init; }

    /// <summary>The configuration says how the link's frames are known.</summary>
    public bool HasMatch => MatchMac is not null || MatchVlan is not null || MatchSource is not null;

    /// <summary>Capacity, bit/s; null: auto, from ifHighSpeed.</summary>
    public long? CapacityBps { get; init; }

    /// <summary>Relieve above, ratio of capacity.</summary>
    public double Threshold { get; init; } = 0.95;

    /// <summary>Most our moves may fill, ratio.</summary>
    public double Ceiling { get; init; } = 0.90;

    /// <summary>Give back under, ratio.</summary>
    public double Release { get; init; } = 0.85;

    /// <summary>Layer-2 bytes per packet beyond the IP packet.</summary>
    public int OverheadBytes { get; init; } = 18;

    /// <summary>Price per Mbit/s, or null.</summary>
    public double? PricePerMbit { get; init; }

    /// <summary>Commit, bit/s, or null.</summary>
    public long? CommitBps { get; init; }

    /// <summary>First day of the billing month, 1–28.</summary>
    public int BillingDay { get; init; } = 1;

    /// <summary>Zone in whose midnight that day begins.</summary>
    public TimeZoneInfo BillingZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Percentile of the month's samples that is billed, 50–100.</summary>
    public int BillingPercentile { get; init; } = 95;

    /// <summary>Take no moved prefixes.</summary>
    public bool Drain { get; init; }

    /// <summary>Frames of a mirror are counted for it; else its router's flow export tells what it carries.</summary>
    public bool IsMirrored => HasMatch || FindsMac;
}

/// <summary><c>decision.cost_mode:</c></summary>
public sealed record CostModeConfig
{
    /// <summary>Whether moves are made to lower the bill.</summary>
    public bool Enabled { get; init; }

    /// <summary>Least saving of a move, per month.</summary>
    public double MinSaving { get; init; } = 10;

    /// <summary>Most moves in 24 hours.</summary>
    public int MaxMovesPerDay { get; init; } = 120;

    /// <summary>Least age of an override before it is changed.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Most overrides in force after its moves; null: half of <see cref="DecisionConfig.MaxOverrides"/>.</summary>
    public int? MaxOverrides { get; init; }

    /// <summary>Most of all traffic that overrides carry after its moves, 0–1; null: half of <see cref="DecisionConfig.MaxShare"/>.</summary>
    public double? MaxShare { get; init; }
}

/// <summary><c>decision:</c></summary>
public sealed record DecisionConfig
{
    /// <summary>Period of the control loop, 1–60 s.</summary>
    public TimeSpan Cycle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Each cycle is longer or shorter by up to this share of itself, 0–0.2.</summary>
    public double CycleJitter { get; init; } = 0.05;

    /// <summary>Least age of an override before it is given back.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>An override that is not renewed for this long is withdrawn.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Averaging window of demand.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Cap on moves in one cycle.</summary>
    public int MaxMovesPerCycle { get; init; } = 8;

    /// <summary>Cap on overrides in force.</summary>
    public int MaxOverrides { get; init; } = 1000;

    /// <summary>Cap on the share of all traffic moved in one cycle, 0–1.</summary>
    public double MaxSharePerCycle { get; init; } = 0.10;

    /// <summary>Cap on the share of all traffic that overrides carry, 0–1.</summary>
    public double MaxShare { get; init; } = 0.40;

    /// <summary>Prefixes with a smaller share of a link's capacity are not moved, 0–1.</summary>
    public double MinPrefixShare { get; init; } = 0.001;

    /// <summary>Relief aims at this much of a link's capacity under its threshold, 0–0.2.</summary>
    public double ReliefMargin { get; init; } = 0.03;

    /// <summary>Cycles out of <see cref="ConfirmOf"/> in which a link must be over its threshold, unless it is over its capacity.</summary>
    public int ConfirmCycles { get; init; } = 2;

    /// <summary>See <see cref="ConfirmCycles"/>.</summary>
    public int ConfirmOf { get; init; } = 3;

    /// <summary>Time throughout which the native link must have had room for an override that is given back.</summary>
    public TimeSpan ReleaseWindow { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time in which the penalty of a prefix that changed links halves.</summary>
    public TimeSpan FlapHalfLife { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Difference between projected and counted load, as a share of capacity, that freezes decisions if it lasts.</summary>
    public double MaxMisprojection { get; init; } = 0.05;

    /// <summary>Share of a link's capacity that its counter may show beyond the mirror.</summary>
    public double MaxUnseen { get; init; } = 0.20;

    /// <summary><c>cost_mode</c></summary>
    public CostModeConfig CostMode { get; init; } = new();

    /// <summary>Our marker, RFC 1997 community.</summary>
    public uint MarkerCommunity { get; init; }

    /// <summary>Policies, first match wins.</summary>
    public IReadOnlyList<RoutingPolicy> Policies { get; init; } = [];
}

/// <summary>Where a configuration came from.</summary>
/// <param name="File">The file's whole path; empty for one that is built in.</param>
/// <param name="LoadedAt">When it was read; null for one that is built in.</param>
/// <param name="Effective">It as YAML with the defaults filled in, without secrets.</param>
public sealed record ConfigSource(string File, DateTimeOffset? LoadedAt, string Effective);
