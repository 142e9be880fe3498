using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;
using EgressAppliance.Snmp;
using static EgressAppliance.Host.Config.ConfigType;

namespace EgressAppliance.Host.Config;

/// <summary>
/// Every key of the configuration file. This list is the only place where a key, its type, its range and its default are written down:
/// the loader binds by it, <c>check --defaults</c> prints from it and docs/configuration.md is generated from it.
/// </summary>
public static class ConfigKeys
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>All keys, sections before what is in them.</summary>
    public static IReadOnlyList<ConfigKey> All { get; } =
    [
        Required("version", FormatVersion, "Version of the configuration format."),
        Value("site", Text("text", 64, mayBeEmpty: true), "\"\"", "Name of the site, for display."),
        Value("role", Choice([("all", ApplianceRole.All), ("collector", ApplianceRole.Collector), ("controller", ApplianceRole.Controller)]), "all",
            "What this box does. all: everything, alone. collector: capture and count for the controllers. controller: merge what collectors count, decide and announce, one of several at a time (docs/scaling.md)."),
        Optional("box", Identifier, "Name of this box, unique within the site; for roles other than all.", "the host name"),
        Value("mode", Choice([("observe", ApplianceMode.Observe), ("inject", ApplianceMode.Inject)]), "observe",
            "Mode at start. observe computes and shows; inject announces overrides to the routers."),

        .. CaptureKeys(),
        .. FlowKeys(),
        .. RouterKeys(),
        .. BgpKeys(),
        .. LinkKeys(),
        .. DecisionKeys(),

        .. ClusterKeys(),
        .. HistoryKeys(),

        Section("http", "The HTTP endpoint: web page, API and metrics."),
        Value("http.listen", EndPoint, "127.0.0.1:8080", "Address and port, a loopback address. For others there is `remote`."),
        Value("http.socket", Text("path", 107, mayBeEmpty: true), "/run/egress-appliance/api.sock", "Unix socket for the command line; \"\" for none."),
        Section("http.remote", "The endpoint for callers from elsewhere: TLS, and a token for everything but the page's files.") with { DefaultNote = "none" },
        Required("http.remote.listen", EndPoint, "Address and port, such as 0.0.0.0:8443 or \"[::]:8443\"."),
        Required("http.remote.certificate_file", Text("path", 1024), "PEM file with the certificate and those between it and the root. Read anew when it changes."),
        Required("http.remote.key_file", Text("path", 1024), "PEM file with its key, not encrypted."),
        Value("http.remote.tokens_file", Text("path", 1024), "/etc/egress-appliance/tokens", "The tokens, which `egress-appliance token add NAME --scope read` makes. Read anew when it changes."),

        Section("telemetry", "Where metrics are sent, beside the page /metrics, which is always there.") with { DefaultNote = "none" },
        Section("telemetry.otlp", "A collector that takes OTLP.") with { DefaultNote = "none" },
        Required("telemetry.otlp.endpoint", Text("URL", 1024), "Address of the collector, such as `http://127.0.0.1:4318`, or `http://127.0.0.1:4317` for grpc."),
        Value("telemetry.otlp.protocol", Choice([("http", false), ("grpc", true)]), "http", "Protobuf by HTTP, or gRPC."),
        Value("telemetry.otlp.interval", Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), "60s", "Time between exports."),
        Value("telemetry.otlp.timeout", Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)), "10s", "How long the collector may take."),
        Optional("telemetry.otlp.header_file", Text("path", 1024), "File with a header line that is sent along, such as `Authorization: Bearer …`."),
    ];

    private static ConfigKey[] ClusterKeys() =>
    [
        Section("cluster", "What makes several boxes one site (docs/scaling.md).") with { DefaultNote = "needed with role collector or controller" },
        List("cluster.brokers", HostPort, null, "The RabbitMQ brokers, host:port, in the order in which they are tried. Port 5672, or 5671 with TLS, where none is given.") with { Required = true, MinimumItems = 1, MaximumItems = 16 },
        Value("cluster.virtual_host", Text("text", 255), "/", "Virtual host of the brokers."),
        Value("cluster.user", Text("text", 255), "egress", "User at the brokers."),
        Optional("cluster.password_file", Text("path", 1024), "File with the user's password."),
        Section("cluster.tls", "TLS towards the brokers.") with { DefaultNote = "none" },
        Required("cluster.tls.ca_file", Text("path", 1024), "PEM file with the authorities that the brokers' certificates must be of."),
        Optional("cluster.tls.certificate_file", Text("path", 1024), "PEM file with this box's certificate, where the brokers ask for one."),
        Optional("cluster.tls.key_file", Text("path", 1024), "PEM file with its key, not encrypted."),
        Value("cluster.buffer", Duration(10 * Second, Hour), "5m", "How long a collector keeps ticks while no broker takes them. The oldest go first."),
        Value("cluster.buffer_size", Size(1 << 20, 16L << 30), "256MiB", "Most memory for them."),
        Optional("cluster.database_file", Text("path", 1024), "File with the connection string of the controllers' PostgreSQL, such as `Host=db1,db2;Database=egress;Username=egress;Password=…`; needed by a controller."),
        Optional("cluster.lease", Duration(3 * Second, 5 * Minute), "How long the leadership of a controller lasts without renewal: another leads after that time at the latest.", "twice the longest hold_time of the routers, and 2 s"),
        Optional("cluster.grace", Duration(TimeSpan.FromMilliseconds(100), 30 * Second), "How long after the end of a tick a controller waits for collectors that were not heard yet.", "2s, or 40 % of decision.cycle if that is shorter"),
        Sections("cluster.collectors[]", "The collectors that a controller must hear; needed by a controller."),
        Required("cluster.collectors[].box", Identifier, "Its name, `box` of its own configuration."),
        List("cluster.collectors[].routers", Identifier, null, "The routers whose links its mirrors show, wholly or in part. Of these links nothing is known while it is silent.") with { DefaultNote = "all", MaximumItems = 64 },
        List("cluster.collectors[].links", Identifier, null, "Or only these links.") with { DefaultNote = "those of its routers", MaximumItems = 255 },
        Optional("cluster.collectors[].mirror", Identifier, "Name of a mirror that it has in common with other collectors: what they count of it is counted once.", "its mirrors are its own"),
    ];

    private static ConfigKey[] HistoryKeys() =>
    [
        Section("history", "What is stored (docs/history.md)."),
        Value("history.enabled", Bool, "true", "Keep rates, decisions and events in the database. The journal and the billing months are kept either way."),
        Value("history.path", Text("path", 1024), "/var/lib/egress-appliance/history.db",
            "The database file; the journal's files are in the folder `journal` beside it, and `audit.jsonl` there tells who changed what."),
        Value("history.journal", Bool, "true", "Keep a journal of all inputs and outcomes of the decision maker, which `replay-journal` decides anew."),
        Value("history.journal_size", Size(16 << 20, 1L << 50), "1GiB", "Most disk space of the journal; the oldest files go first. Ten thousand prefixes every five seconds are some 70 MB an hour."),
        Section("history.retention", "How long each resolution is kept."),
        Value("history.retention.minute", Duration(Hour, 1100 * 24 * Hour), "400d", "Samples of one minute."),
        Value("history.retention.five_minutes", Duration(Hour, 1100 * 24 * Hour), "400d", "Samples of five minutes. Less than two months and the month under way is not whole after a restart."),
        Value("history.retention.hour", Duration(48 * Hour, 3650 * 24 * Hour), "1100d", "Samples of an hour."),
        Value("history.retention.day", Duration(48 * Hour, 36500 * 24 * Hour), "3650d", "Samples of a day, and billing months."),
        Value("history.retention.events", Duration(Hour, 3650 * 24 * Hour), "400d", "Decisions, overrides and other events."),
        Value("history.max_size", Size(1 << 20, 1L << 50), "8GiB", "Most disk space of the database; the oldest of the finest samples go first."),
        Value("history.top_prefixes", WholeNumber(0, 10_000), "1000", "How many of the largest prefixes are kept of each minute; 0: none."),
        Sections("history.sinks[]", "Databases elsewhere that are sent a copy of samples and events.") with { MaximumItems = 8 },
        Required("history.sinks[].kind", Choice([("postgresql", HistorySinkKind.Postgresql), ("clickhouse", HistorySinkKind.Clickhouse)]), "What it is. clickhouse: by its HTTP interface."),
        Optional("history.sinks[].name", Identifier, "Name, unique: by it the appliance remembers how far it has come.", "the kind"),
        Optional("history.sinks[].connection_file", Text("path", 1024), "File with the connection string (postgresql), such as `Host=db.example.net;Database=egress;Username=egress;Password=…`."),
        Optional("history.sinks[].url", Text("URL", 1024), "Address of the HTTP interface (clickhouse), such as `https://clickhouse.example.net:8443`."),
        Value("history.sinks[].database", Identifier, "default", "Database (clickhouse). The tables are made if they are not there."),
        Value("history.sinks[].user", Text("text", 255, mayBeEmpty: true), "\"\"", "User (clickhouse); empty for the server's default."),
        Optional("history.sinks[].password_file", Text("path", 1024), "File with the user's password (clickhouse)."),
    ];

    private static ConfigKey[] CaptureKeys() =>
    [
        Section("capture", "Where packets come from.") with { DefaultNote = "required, unless there is `flow`" },
        Sections("capture.sources[]", "The mirror ports, or capture files.") with { Required = true, MinimumItems = 1, MaximumItems = 64 },
        Optional("capture.sources[].interface", LinuxInterface, "The interface on the mirror port (af_packet, sharppcap)."),
        Optional("capture.sources[].file", Text("path", 1024), "The pcap or pcapng file (pcap_file); relative to the configuration file."),
        Value("capture.sources[].backend",
            Choice([("af_packet", CaptureBackend.AfPacket), ("pcap_file", CaptureBackend.PcapFile), ("sharppcap", CaptureBackend.SharpPcap)]),
            "af_packet", "How packets are read. sharppcap is in builds made with `make WITH_SHARPPCAP=1`."),
        Value("capture.sources[].snaplen", WholeNumber(64, 65535), "128", "Bytes kept of each frame. The headers are enough; rates come from the length in the IP header."),
        Value("capture.sources[].ring", Size(64 << 10, 16L << 30), "64MiB", "Ring buffer of each worker; a multiple of the block."),
        Value("capture.sources[].block", Size(4 << 10, 16 << 20), "1MiB", "Block of the ring; a power of two and a multiple of the page size."),
        Value("capture.sources[].block_timeout", Duration(TimeSpan.FromMilliseconds(1), Second), "10ms", "Longest time a partly filled block is held back."),
        Value("capture.sources[].workers", WholeNumber(1, 64), "1", "Sockets that share the interface (PACKET_FANOUT), each with a thread and a ring."),
        Value("capture.sources[].fanout",
            Choice([("hash", FanoutMode.Hash), ("cpu", FanoutMode.Cpu), ("lb", FanoutMode.Lb), ("rollover", FanoutMode.Rollover)]),
            "hash", "How frames are spread over the workers: by flow, by receiving CPU, round robin, or fill one and then the next."),
        List("capture.sources[].cpus", WholeNumber(0, 1023), "[]", "CPUs the workers are pinned to, one for each worker; empty: not pinned.") with { MaximumItems = 64 },
        Value("capture.sources[].filter", Text("BPF", 4096, mayBeEmpty: true), "\"\"", "BPF filter in the syntax of libpcap; empty: every frame."),
        Value("capture.sources[].sampling", WholeNumber(1, 1_000_000), "1", "The switch mirrors one frame in this many; rates are scaled up by it."),
        Value("capture.sources[].promiscuous", Bool, "true", "Promiscuous mode: frames for other MAC addresses are received."),
        List("capture.decapsulate",
            Choice([("erspan", MirrorTunnel.Erspan), ("vxlan", MirrorTunnel.Vxlan), ("gre", MirrorTunnel.Gre), ("ipip", MirrorTunnel.IpInIp)]), "[]",
            "Tunnels the mirror arrives in; what lies in one is counted as if the mirror had delivered it. Other frames are counted as they are.") with { MaximumItems = 4 },
        List("capture.ignore_macs", Mac, "[]", "Destination MACs whose frames are not counted, such as the router's own on a two-way mirror."),
    ];

    private static ConfigKey[] FlowKeys() =>
    [
        Section("flow", "Flow export of routers that cannot mirror: NetFlow 5 and 9, IPFIX, sFlow 5 (docs/flow.md).") with { DefaultNote = "no flow export" },
        List("flow.listen", EndPoint, null, "UDP addresses and ports for the datagrams; the datagram tells the protocol.") with { Required = true, MinimumItems = 1, MaximumItems = 16 },
        Sections("flow.exporters[]", "Who may export. Datagrams from other addresses are counted and dropped.") with { Required = true, MinimumItems = 1, MaximumItems = 256 },
        Required("flow.exporters[].address", Address, "Address that its datagrams come from."),
        Required("flow.exporters[].router", Identifier, "Name of the router whose interfaces its records name."),
        Value("flow.exporters[].sampling", WholeNumber(1, 1_000_000), "1", "One packet in this many is looked at; used only where the exporter does not say it."),
        Value("flow.active_timeout", Duration(Second, 30 * Minute), "60s", "Longest time that a record may stand for: a little more than the exporters' active timeout. A record is spread over its own duration, at most this."),
        Value("flow.receive_buffer", Size(64 << 10, 1 << 30), "8MiB", "Receive buffer of each socket."),
    ];

    private static ConfigKey[] RouterKeys() =>
    [
        Sections("routers[]", "The routers whose egress is managed.") with { Required = true, MinimumItems = 1, MaximumItems = 64 },
        Required("routers[].name", Identifier, "Name, unique."),
        Required("routers[].address", Address, "Address for BGP and SNMP."),
        Section("routers[].bgp", "The iBGP session.") with { Required = true },
        Required("routers[].bgp.local_address", Address, "Our address on the session."),
        Required("routers[].bgp.local_as", WholeNumber(1, 4294967294), "Our AS number."),
        Optional("routers[].bgp.peer_as", WholeNumber(1, 4294967294), "The router's AS number. Only iBGP is supported: the same as local_as.", "local_as"),
        Value("routers[].bgp.port", WholeNumber(1, 65535), "179", "The router's TCP port."),
        Value("routers[].bgp.listen_port", WholeNumber(0, 65535), "179", "Port we listen on for the router's connection; 0: do not listen."),
        Value("routers[].bgp.passive", Bool, "false", "Wait for the router to connect."),
        Value("routers[].bgp.hold_time", Duration(TimeSpan.Zero, 65535 * Second), "9s", "Hold time proposed, whole seconds: 0 (never expires) or at least 3s."),
        List("routers[].bgp.families", Choice([("ipv4", IpFamily.IPv4), ("ipv6", IpFamily.IPv6)]), "[ipv4, ipv6]", "Address families (unicast).") with { MinimumItems = 1, MaximumItems = 2 },
        Optional("routers[].bgp.password_file", Text("path", 1024), "File with the TCP MD5 key (RFC 2385), 1–80 bytes; relative to the configuration file.", "no MD5"),
        Value("routers[].bgp.ttl_security", Bool, "false", "TTL security (GTSM, RFC 5082): packets leave with TTL 255 and are taken with 255 only, so that nobody beyond the router's own wire reaches the session. The router must send TTL 255."),
        Value("routers[].bgp.connect_retry", Duration(Second, Minute), "2s", "Wait before the next attempt to connect; doubles with each failure, up to 1m."),
        Value("routers[].bgp.send_hold_time", Duration(5 * Second, Hour), "30s", "The session ends when the router takes nothing of what is sent for this long (RFC 9687)."),
        Value("routers[].bgp.max_prefix", WholeNumber(1, 100_000_000), "10000000", "Paths accepted from the router, all providers and families together: a full table of three is 3.7 million. More tear the session down."),
        Value("routers[].bgp.max_prefix_warning", Ratio(0.01, 1), "75%", "Share of max_prefix from which on the size of the table is warned of."),
        Optional("routers[].bgp.max_prefix_out", WholeNumber(1, 1_000_000),
            "Prefixes announced to the router at most, both families together; to be set below the router's own maximum-prefix, which ends the session. Overrides beyond are refused.", "no limit"),
        Section("routers[].bmp", "What the router's providers announce, shown by BMP (RFC 7854), for a router that offers no ADD-PATH.") with { DefaultNote = "no BMP" },
        Optional("routers[].bmp.listen", EndPoint, "Address and port on which we wait for the router to connect."),
        Optional("routers[].bmp.connect_port", WholeNumber(1, 65535), "TCP port of a router that waits for us to connect."),
        Optional("routers[].bmp.address", Address, "The router's address for BMP, by which its connection is known.", "address"),
        Value("routers[].bmp.max_routes", WholeNumber(1, 1_000_000_000), "10000000", "Routes accepted of all tables the router shows; more end the connection."),
        Section("routers[].snmp", "The router's interface counters.") with { DefaultNote = "no SNMP" },
        Value("routers[].snmp.version", Choice([("2c", SnmpVersion.V2c), ("3", SnmpVersion.V3)]), "2c", "SNMP version. With 2c the community goes over the network in clear."),
        Optional("routers[].snmp.community_file", Text("path", 1024), "File with the community, 1–255 bytes; relative to the configuration file. Version 2c, which needs it."),
        Optional("routers[].snmp.user", Text("name", UsmUser.MaxNameBytes, maximumBytes: UsmUser.MaxNameBytes), "User. Version 3, which needs it."),
        Optional("routers[].snmp.auth",
            Choice([("md5", AuthenticationProtocol.HmacMd5), ("sha1", AuthenticationProtocol.HmacSha1), ("sha224", AuthenticationProtocol.HmacSha224),
                ("sha256", AuthenticationProtocol.HmacSha256), ("sha384", AuthenticationProtocol.HmacSha384), ("sha512", AuthenticationProtocol.HmacSha512)]),
            "Authentication protocol of the user. Version 3.", "no authentication"),
        Optional("routers[].snmp.auth_password_file", Text("path", 1024), "File with the authentication password, 8–255 bytes."),
        Optional("routers[].snmp.priv",
            Choice([("des", PrivacyProtocol.Des), ("aes128", PrivacyProtocol.Aes128), ("aes192", PrivacyProtocol.Aes192), ("aes256", PrivacyProtocol.Aes256),
                ("aes192-cisco", PrivacyProtocol.Aes192Reeder), ("aes256-cisco", PrivacyProtocol.Aes256Reeder)]),
            "Privacy protocol of the user, which needs `auth`. aes192 and aes256 make their keys as net-snmp does, the others as Cisco does (docs/snmp.md). Version 3.", "no privacy"),
        Optional("routers[].snmp.priv_password_file", Text("path", 1024), "File with the privacy password, 8–255 bytes."),
        Optional("routers[].snmp.context", Text("name", 255, maximumBytes: 255), "Context that is asked. Version 3.", "the default context"),
        Optional("routers[].snmp.engine_id", SnmpEngineId, "The agent's engine ID, if no other is to be accepted. Version 3.", "asked for"),
        Value("routers[].snmp.port", WholeNumber(1, 65535), "161", "UDP port of the agent."),
        Value("routers[].snmp.poll", Duration(Second, 5 * Minute), "10s", "Polling period. Many agents cache their counters for some seconds."),
    ];

    private static ConfigKey[] BgpKeys() =>
    [
        Section("bgp", "What holds for the BGP sessions with all routers."),
        Optional("bgp.router_id", RouterId, "Our BGP identifier. No router may have it.", "local_address of the first router; of an IPv6 address the last four octets"),
        Value("bgp.max_announcements_per_second", WholeNumber(0, 1_000_000), "5000",
            "Prefixes announced to one router in a second at most, more wait their turn; 0: no limit. Withdrawals never wait."),
        Value("bgp.quiet_time", Duration(Second, 10 * Minute), "3s",
            "A table counts as complete when it has stopped growing for this long, where the router does not say so (End-of-RIB)."),
        Value("bgp.shutdown_message", Text("text", 255, mayBeEmpty: true, maximumBytes: 255), "egress-appliance stopping",
            "What the routers are told when the appliance stops (RFC 9003); \"\" for nothing."),
    ];

    private static ConfigKey[] LinkKeys() =>
    [
        Sections("links[]", "The provider links, one for each attachment.") with { Required = true, MinimumItems = 1, MaximumItems = LinkId.MaxValue },
        Required("links[].name", Identifier, "Name, unique."),
        Required("links[].router", Identifier, "Name of its router."),
        Optional("links[].interface", Text("text", 255), "The interface on the router: its ifName, or `alias:` and its ifAlias (the description given to it), or `index:` and its ifIndex.", "found by SNMP: the one behind which the next hops are"),
        List("links[].next_hops", Address, null, "The provider's addresses on the link. An override never has another next hop.") with { Required = true, MinimumItems = 1, MaximumItems = 64 },
        Section("links[].match", "Which mirrored frames leave by this link: those that match all that is given. Without it, flow export tells what the link carries, where its router is one of `flow.exporters`; else frames match by the MAC addresses that the router has of the next hops, read by SNMP with each poll.") with { DefaultNote = "found by SNMP, or flow export" },
        Optional("links[].match.mac", Mac, "Destination MAC: the provider's router."),
        Optional("links[].match.vlan", WholeNumber(1, 4094), "Outermost VLAN id."),
        Optional("links[].match.source", Text("text", 1024), "Interface (or file) of one of capture.sources."),
        Value("links[].capacity", Or("auto", Rate(1000, 1_000_000_000_000_000)), "auto", "Capacity. auto: ifHighSpeed, read by SNMP; of an aggregate that of its members that are up."),
        Value("links[].threshold", Ratio(0.01, 1), "95%", "Above this share of the capacity the link is relieved."),
        Value("links[].ceiling", Ratio(0.01, 1), "90%", "Our moves never fill the link beyond this share."),
        Value("links[].release", Ratio(0, 1), "85%", "Moved prefixes are given back when the link would stay under this share with them."),
        Value("links[].overhead", Size(0, 256), "18B", "Layer-2 bytes a packet, so that rates compare with the interface counter."),
        Section("links[].cost", "What the link costs."),
        Optional("links[].cost.commit", Rate(0, 1_000_000_000_000_000), "Rate that is paid for in any case."),
        Optional("links[].cost.price_per_mbit", Price, "Price of a Mbit/s beyond it, in any one currency."),
        Value("links[].cost.billing_day", WholeNumber(1, 28), "1", "First day of the billing month."),
        Value("links[].cost.time_zone", Zone, "UTC", "Zone in whose midnight that day begins."),
        Value("links[].cost.percentile", WholeNumber(50, 100), "95", "Percentile of the month's samples of 5 minutes that is billed; 100: the largest."),
        Value("links[].drain", Bool, "false", "Move nothing onto this link."),
    ];

    private static ConfigKey[] DecisionKeys() =>
    [
        Section("decision", "The decision maker."),
        Value("decision.cycle", Duration(Second, Minute), "5s", "Period of the control loop."),
        Value("decision.cycle_jitter", Ratio(0, 0.2), "5%", "Each cycle is longer or shorter by up to this share of itself, so that two appliances do not stay in step."),
        Value("decision.hold", Duration(TimeSpan.Zero, 24 * Hour), "90s", "Least age of an override before it is given back."),
        Value("decision.lease", Duration(2 * Second, Hour), "30s", "An override that the control loop does not renew for this long is withdrawn; more than two cycles."),
        Value("decision.window", Duration(Second, Hour), "60s", "Window over which demand is averaged."),
        Value("decision.max_moves_per_cycle", WholeNumber(1, 10_000), "8", "Most moves in a cycle."),
        Value("decision.max_overrides", WholeNumber(1, 100_000), "1000", "Most overrides in force."),
        Value("decision.max_share_per_cycle", Ratio(0, 1), "10%", "Most of all traffic that one cycle moves."),
        Value("decision.max_share", Ratio(0, 1), "40%", "Most of all traffic that overrides carry."),
        Value("decision.min_prefix_share", Ratio(0, 1), "0.1%", "Prefixes with less than this share of their link's capacity are not worth a move."),
        Value("decision.relief_margin", Ratio(0, 0.2), "3%", "Relief aims at this much of a link's capacity under its threshold, so that creeping demand does not need a move every minute."),
        Value("decision.confirm_cycles", WholeNumber(1, 60), "2", "A link must be over its threshold in this many of the last `confirm_of` cycles before anything is moved, unless it is over its capacity; 1: at once."),
        Value("decision.confirm_of", WholeNumber(1, 60), "3", "See `confirm_cycles`."),
        Value("decision.release_window", Duration(TimeSpan.Zero, 24 * Hour), "5m", "An override is given back only if its native link had room for it throughout this time."),
        Value("decision.flap_half_life", Duration(Minute, 24 * Hour), "30m", "A prefix that changed links twice within about this time keeps its override until that has faded, relief aside."),
        Value("decision.max_misprojection", Ratio(0.005, 1), "5%", "Difference between a link's projected and counted load, as a share of its capacity, that freezes decisions when it lasts two minutes."),
        Value("decision.max_unseen", Ratio(0.01, 1), "20%", "Share of a link's capacity that its interface counter may show beyond the mirror before decisions freeze. Up to it, the difference counts as load that cannot be moved."),
        Optional("decision.marker_community", ConfigType.Community,
            "Community on each of our routes, by which they are known again. Must have no meaning in your network.", "local_as of the first router, then :64900"),
        Section("decision.cost_mode", "Moves that lower the bill of links with a price, while none is over its threshold (docs/cost.md)."),
        Value("decision.cost_mode.enabled", Bool, "false", "Whether there are any. The months of links with a price are kept either way."),
        Value("decision.cost_mode.min_saving", Price, "10", "Least saving a month that a move must bring, in the currency of the prices."),
        Value("decision.cost_mode.max_moves_per_day", WholeNumber(0, 100_000), "120", "Most moves and overrides given back for it within 24 hours."),
        Value("decision.cost_mode.hold", Duration(TimeSpan.Zero, 24 * Hour), "30m", "Least age of an override before it is moved on or given back for it; not less than decision.hold."),
        Optional("decision.cost_mode.max_overrides", WholeNumber(0, 100_000), "Most overrides in force after its moves. What is left up to decision.max_overrides is for overload.", "half of decision.max_overrides"),
        Optional("decision.cost_mode.max_share", Ratio(0, 1), "Most of all traffic that overrides carry after its moves. What is left up to decision.max_share is for overload.", "half of decision.max_share"),
        .. PolicyKeys("decision.policies[]"),
    ];

    /// <summary>The keys of a list of policies.</summary>
    /// <param name="path">Where the list is, with its brackets.</param>
    internal static ConfigKey[] PolicyKeys(string path) =>
    [
        Sections(path, "Policies for prefixes. The first one in this order that matches a prefix counts, and no other.") with { MaximumItems = 10_000 },
        Section(path + ".match", "Which prefixes it is for: those for which all that is given holds, of the path that plain BGP prefers.") with { Required = true },
        Optional(path + ".match.prefix", Prefix, "A prefix, and everything more specific."),
        Optional(path + ".match.origin_as", WholeNumber(1, uint.MaxValue), "Last AS of AS_PATH. A path that ends in an AS_SET has none."),
        Optional(path + ".match.community", AnyCommunity, "A standard or a large community that the path has."),
        Optional(path + ".match.link", Identifier, "The native link."),
        Required(path + ".action", Choice([("deny", PolicyAction.Deny), ("pin", PolicyAction.Pin), ("prefer", PolicyAction.Prefer), ("class", PolicyAction.Class)]),
            "deny: never moved. pin: to leave by `link` whenever that is up, not drained, offers a path and has room, overload or not, and never by another one because of us. "
            + "prefer: when it has to move, `links` are tried first. class: moved before or after others, see `class`."),
        Optional(path + ".link", Identifier, "Link of action pin."),
        List(path + ".links", Identifier, null, "Links of action prefer, best first."),
        Optional(path + ".class", WholeNumber(0, PrefixPolicy.MaxClass), "Class of action class: of plans that leave as little overload with as few changes, the one that moves low classes is chosen.", "5 for all other prefixes"),
    ];

    internal static ConfigKey Section(string path, string meaning) => new(path, ConfigShape.Section, null, meaning);

    internal static ConfigKey Sections(string path, string meaning) => new(path, ConfigShape.Sections, null, meaning);

    internal static ConfigKey Value(string path, ConfigType type, string defaultText, string meaning) =>
        new(path, ConfigShape.Value, type, meaning) { Default = defaultText };

    internal static ConfigKey Required(string path, ConfigType type, string meaning) =>
        new(path, ConfigShape.Value, type, meaning) { Required = true };

    internal static ConfigKey Optional(string path, ConfigType type, string meaning, string? defaultNote = null) =>
        new(path, ConfigShape.Value, type, meaning) { DefaultNote = defaultNote };

    private static ConfigKey List(string path, ConfigType type, string? defaultText, string meaning) =>
        new(path, ConfigShape.Values, type, meaning) { Default = defaultText };
}
