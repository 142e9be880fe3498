using System.Net;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Config;

/// <summary>Makes the records of a file that has no errors.</summary>
internal static class ConfigMapper
{
    /// <summary>Lower half of the marker community where none is configured: a value that networks rarely give a meaning, unlike :666 (blackhole).</summary>
    private const uint DefaultMarkerValue = 64900;

    public static ApplianceConfig Map(BoundSection root, string baseDirectory)
    {
        BoundSection bgp = root.Section("bgp")!;
        BoundSection history = root.Section("history")!;
        string folder = Path.GetDirectoryName(Path.GetFullPath(history.Get<string>("path"), baseDirectory)) ?? "/";
        BoundSection http = root.Section("http")!;
        ApplianceRole role = root.Get<ApplianceRole>("role");
        return new ApplianceConfig
        {
            Site = root.Get<string>("site"),
            Role = role,
            Box = root.TryGet("box", out string box) ? box : ClusterChecks.HostName(),
            Cluster = role != ApplianceRole.All && root.Section("cluster") is { } cluster ? Cluster(cluster, root, role, baseDirectory) : null,

            // A collector announces nothing, whatever the file that it shares says.
            Mode = role == ApplianceRole.Collector ? ApplianceMode.Observe : root.Get<ApplianceMode>("mode"),
            Capture = root.Section("capture") is { } capture
                ? new CaptureConfig
                {
                    Sources = [.. capture.Sections("sources").Select(s => Source(s, baseDirectory))],
                    Decapsulate = [.. capture.Items<MirrorTunnel>("decapsulate").Select(t => t.Value)],
                    IgnoreMacs = [.. capture.Items<MacAddress>("ignore_macs").Select(m => m.Value)],
                }
                : new CaptureConfig(),
            Flow = root.Section("flow") is { } flow ? Flow(flow) : null,
            Routers = [.. root.Sections("routers").Select(Router)],
            Bgp = new SpeakerConfig
            {
                RouterId = bgp.TryGet("router_id", out IpAddr id) ? id.IPv4Value : null,
                MaxAnnouncementsPerSecond = (int)bgp.Get<long>("max_announcements_per_second"),
                QuietTime = bgp.Get<TimeSpan>("quiet_time"),
                ShutdownMessage = bgp.Get<string>("shutdown_message"),
            },
            Links = [.. root.Sections("links").Select((link, i) => Link(link, new LinkId((ushort)(i + 1)), root, baseDirectory))],
            Decision = role == ApplianceRole.All ? Decision(root) : Decision(root) with { CycleJitter = 0 },
            History = new HistoryConfig
            {
                Path = history.Get<bool>("enabled") ? Path.GetFullPath(history.Get<string>("path"), baseDirectory) : "",
                Retention = Retention(history.Section("retention")!),
                MaxBytes = history.Get<long>("max_size"),
                TopPrefixes = (int)history.Get<long>("top_prefixes"),
                Sinks = [.. history.Sections("sinks").Select(Sink), .. SiteSink(root, role)],
                Journal = history.Get<bool>("journal"),
                JournalFolder = Path.Combine(folder, "journal"),
                BillingFile = Path.Combine(folder, "billing.json"),
                AuditFile = Path.Combine(folder, "audit.jsonl"),
                JournalBytes = history.Get<long>("journal_size"),
            },
            Http = new HttpConfig
            {
                Listen = http.Get<IPEndPoint>("listen"),
                Socket = http.Get<string>("socket") is { Length: > 0 } path ? Path.GetFullPath(path, baseDirectory) : "",
                Remote = http.Section("remote") is { } remote
                    ? new RemoteHttpConfig
                    {
                        Listen = remote.Get<IPEndPoint>("listen"),
                        CertificateFile = Path.GetFullPath(remote.Get<string>("certificate_file"), baseDirectory),
                        KeyFile = Path.GetFullPath(remote.Get<string>("key_file"), baseDirectory),
                        TokensFile = Path.GetFullPath(remote.Get<string>("tokens_file"), baseDirectory),
                    }
                    : null,
            },
            Otlp = root.Section("telemetry")?.Section("otlp") is { } otlp ? Otlp(otlp) : null,
        };
    }

    /// <summary>The database of the controllers has the history of each of them, too.</summary>
    private static IEnumerable<HistorySinkConfig> SiteSink(BoundSection root, ApplianceRole role) =>
        role == ApplianceRole.Controller && root.Section("cluster") is { } cluster && cluster.Value("database_file").Value is string connection
            ? [new HistorySinkConfig { Name = "cluster", Kind = HistorySinkKind.Postgresql, Connection = connection }] : [];

    private static ClusterConfig Cluster(BoundSection cluster, BoundSection root, ApplianceRole role, string baseDirectory)
    {
        const int PlainPort = 5672, TlsPort = 5671;
        BoundSection? tls = cluster.Section("tls");
        TimeSpan cycle = root.Section("decision")!.Get<TimeSpan>("cycle");
        return new ClusterConfig
        {
            Brokers = [.. cluster.Items<(string Host, int Port)>("brokers").Select(b => (b.Value.Host, b.Value.Port == 0 ? tls is null ? PlainPort : TlsPort : b.Value.Port))],
            VirtualHost = cluster.Get<string>("virtual_host"),
            User = cluster.Get<string>("user"),
            Password = cluster.Value("password_file").Value as string,
            Tls = tls is null ? null : new BrokerTlsConfig { CaFile = FileOf(tls, "ca_file"), CertificateFile = FileOf(tls, "certificate_file"), KeyFile = FileOf(tls, "key_file") },
            Buffer = cluster.Get<TimeSpan>("buffer"),
            BufferBytes = cluster.Get<long>("buffer_size"),
            Database = role == ApplianceRole.Controller ? cluster.Value("database_file").Value as string : null,
            Lease = cluster.TryGet("lease", out TimeSpan lease) ? lease : ClusterChecks.DefaultLease(ClusterChecks.LongestHold(root)),
            Grace = cluster.TryGet("grace", out TimeSpan grace) ? grace : ClusterChecks.DefaultGrace(cycle),
            Collectors = ClusterChecks.Collectors(cluster, root),
        };

        string? FileOf(BoundSection section, string key) => section.TryGet(key, out string path) ? Path.GetFullPath(path, baseDirectory) : null;
    }

    private static OtlpConfig Otlp(BoundSection otlp) => new()
    {
        Endpoint = new Uri(otlp.Get<string>("endpoint")),
        Grpc = otlp.Get<bool>("protocol"),
        Interval = otlp.Get<TimeSpan>("interval"),
        Timeout = otlp.Get<TimeSpan>("timeout"),
        Headers = otlp.Value("header_file").Value is string line && TelemetryChecks.HeaderOf(line) is { } header ? [header] : [],
    };

    private static HistoryRetention Retention(BoundSection retention) => new(
        retention.Get<TimeSpan>("minute"), retention.Get<TimeSpan>("five_minutes"), retention.Get<TimeSpan>("hour"), retention.Get<TimeSpan>("day"), retention.Get<TimeSpan>("events"));

    private static HistorySinkConfig Sink(BoundSection sink)
    {
        HistorySinkKind kind = sink.Get<HistorySinkKind>("kind");
        return new HistorySinkConfig
        {
            Name = HistoryChecks.NameOf(sink, kind),
            Kind = kind,
            Connection = sink.Value("connection_file").Value as string,
            Url = sink.Value("url") is { Given: true } url ? new Uri(url.Text) : null,
            Database = sink.Get<string>("database"),
            User = sink.Get<string>("user"),
            Password = sink.Value("password_file").Value as string,
        };
    }

    private static CaptureSourceConfig Source(BoundSection source, string baseDirectory) => new()
    {
        Interface = source.Value("interface").Text,
        File = source.Value("file").Given ? Path.GetFullPath(source.Value("file").Text, baseDirectory) : "",
        Backend = source.Get<CaptureBackend>("backend"),
        Snaplen = (int)source.Get<long>("snaplen"),
        RingBytes = source.Get<long>("ring"),
        BlockBytes = (int)source.Get<long>("block"),
        BlockTimeout = source.Get<TimeSpan>("block_timeout"),
        Workers = (int)source.Get<long>("workers"),
        Fanout = source.Get<FanoutMode>("fanout"),
        Cpus = [.. source.Items<long>("cpus").Select(c => (int)c.Value)],
        Filter = source.Get<string>("filter"),
        Sampling = (int)source.Get<long>("sampling"),
        Promiscuous = source.Get<bool>("promiscuous"),
    };

    private static FlowConfig Flow(BoundSection flow) => new()
    {
        Listen = [.. flow.Items<IPEndPoint>("listen").Select(l => l.Value)],
        Exporters =
        [
            .. flow.Sections("exporters").Select(e => new FlowExporterConfig
            {
                Address = e.Get<IpAddr>("address"),
                Router = e.Get<string>("router"),
                Sampling = (int)e.Get<long>("sampling"),
            }),
        ],
        ActiveTimeout = flow.Get<TimeSpan>("active_timeout"),
        ReceiveBuffer = (int)flow.Get<long>("receive_buffer"),
    };

    private static RouterConfig Router(BoundSection router)
    {
        BoundSection bgp = router.Section("bgp")!;
        uint localAs = (uint)bgp.Get<long>("local_as");
        return new RouterConfig
        {
            Name = router.Get<string>("name"),
            Address = router.Get<IpAddr>("address").ToIPAddress(),
            Bgp = new BgpConfig
            {
                LocalAddress = bgp.Get<IpAddr>("local_address").ToIPAddress(),
                LocalAs = localAs,
                PeerAs = bgp.TryGet("peer_as", out long peerAs) ? (uint)peerAs : localAs,
                Port = (int)bgp.Get<long>("port"),
                ListenPort = (int)bgp.Get<long>("listen_port"),
                Passive = bgp.Get<bool>("passive"),
                HoldTime = bgp.Get<TimeSpan>("hold_time"),
                Families = [.. bgp.Items<IpFamily>("families").Select(f => f.Value)],
                Password = bgp.Value("password_file").Value as string,
                TtlSecurity = bgp.Get<bool>("ttl_security"),
                ConnectRetry = bgp.Get<TimeSpan>("connect_retry"),
                SendHoldTime = bgp.Get<TimeSpan>("send_hold_time"),
                MaxPrefix = (int)bgp.Get<long>("max_prefix"),
                MaxPrefixWarning = bgp.Get<double>("max_prefix_warning"),
                MaxPrefixOut = bgp.TryGet("max_prefix_out", out long maxPrefixOut) ? (int)maxPrefixOut : null,
            },
            Bmp = router.Section("bmp") is { } bmp
                ? new BmpConfig
                {
                    Address = (bmp.TryGet("address", out IpAddr address) ? address : router.Get<IpAddr>("address")).ToIPAddress(),
                    Listen = bmp.TryGet("listen", out IPEndPoint listen) ? listen : null,
                    ConnectPort = bmp.TryGet("connect_port", out long port) ? (int)port : null,
                    MaxRoutes = bmp.Get<long>("max_routes"),
                }
                : null,
            Snmp = router.Section("snmp") is { } snmp
                ? new SnmpConfig
                {
                    Community = snmp.Value("community_file").Value as string,
                    User = snmp.Get<SnmpVersion>("version") == SnmpVersion.V3 ? User(snmp) : null,
                    Port = (int)snmp.Get<long>("port"),
                    Poll = snmp.Get<TimeSpan>("poll"),
                }
                : null,
        };
    }

    private static SnmpUserConfig User(BoundSection snmp) => new()
    {
        Name = snmp.Get<string>("user"),
        Authentication = snmp.TryGet("auth", out AuthenticationProtocol authentication) ? authentication : AuthenticationProtocol.None,
        AuthenticationPassword = snmp.Value("auth_password_file").Value as string,
        Privacy = snmp.TryGet("priv", out PrivacyProtocol privacy) ? privacy : PrivacyProtocol.None,
        PrivacyPassword = snmp.Value("priv_password_file").Value as string,
        Context = snmp.Value("context").Value as string ?? "",
        EngineId = snmp.TryGet("engine_id", out EngineId engine) ? engine : null,
    };

    private static LinkConfig Link(BoundSection link, LinkId id, BoundSection root, string baseDirectory)
    {
        BoundSection? match = link.Section("match");
        BoundSection cost = link.Section("cost")!;
        return new LinkConfig
        {
            Id = id,
            Name = link.Get<string>("name"),
            Router = link.Get<string>("router"),
            Interface = link.TryGet("interface", out string port) ? port : "",
            NextHops = [.. link.Items<IpAddr>("next_hops").Select(h => h.Value)],
            MatchMac = match is not null && match.TryGet("mac", out MacAddress mac) ? mac : null,
            MatchVlan = match is not null && match.TryGet("vlan", out long vlan) ? (ushort)vlan : null,
            MatchSource = match is not null && match.TryGet("source", out string source) ? SourceName(source, root, baseDirectory) : null,
            FindsMac = !link.IsGiven("match") && !(root.Section("flow")?.Sections("exporters").Any(e => e.Get<string>("router") == link.Get<string>("router")) ?? false),
            CapacityBps = link.TryGet("capacity", out long capacity) ? capacity : null,
            Threshold = link.Get<double>("threshold"),
            Ceiling = link.Get<double>("ceiling"),
            Release = link.Get<double>("release"),
            OverheadBytes = (int)link.Get<long>("overhead"),
            PricePerMbit = cost.TryGet("price_per_mbit", out double price) ? price : null,
            CommitBps = cost.TryGet("commit", out long commit) ? commit : null,
            BillingDay = (int)cost.Get<long>("billing_day"),
            BillingZone = cost.Get<TimeZoneInfo>("time_zone"),
            BillingPercentile = (int)cost.Get<long>("percentile"),
            Drain = link.Get<bool>("drain"),
        };
    }

    // A link names its source as the file does; the source itself goes by its full path.
    private static string SourceName(string source, BoundSection root, string baseDirectory) =>
        (root.Section("capture")?.Sections("sources") ?? []).Any(s => s.Value("file") is { Given: true } file && file.Text == source)
            ? Path.GetFullPath(source, baseDirectory)
            : source;

    private static CostModeConfig CostMode(BoundSection cost) => new()
    {
        Enabled = cost.Get<bool>("enabled"),
        MinSaving = cost.Get<double>("min_saving"),
        MaxMovesPerDay = (int)cost.Get<long>("max_moves_per_day"),
        Hold = cost.Get<TimeSpan>("hold"),
        MaxOverrides = cost.TryGet("max_overrides", out long overrides) ? (int)overrides : null,
        MaxShare = cost.TryGet("max_share", out double share) ? share : null,
    };

    private static DecisionConfig Decision(BoundSection root)
    {
        BoundSection decision = root.Section("decision")!;
        return new DecisionConfig
        {
            Cycle = decision.Get<TimeSpan>("cycle"),
            CycleJitter = decision.Get<double>("cycle_jitter"),
            Hold = decision.Get<TimeSpan>("hold"),
            Lease = decision.Get<TimeSpan>("lease"),
            Window = decision.Get<TimeSpan>("window"),
            MaxMovesPerCycle = (int)decision.Get<long>("max_moves_per_cycle"),
            MaxOverrides = (int)decision.Get<long>("max_overrides"),
            MaxSharePerCycle = decision.Get<double>("max_share_per_cycle"),
            MaxShare = decision.Get<double>("max_share"),
            MinPrefixShare = decision.Get<double>("min_prefix_share"),
            ReliefMargin = decision.Get<double>("relief_margin"),
            ConfirmCycles = (int)decision.Get<long>("confirm_cycles"),
            ConfirmOf = (int)decision.Get<long>("confirm_of"),
            ReleaseWindow = decision.Get<TimeSpan>("release_window"),
            FlapHalfLife = decision.Get<TimeSpan>("flap_half_life"),
            MaxMisprojection = decision.Get<double>("max_misprojection"),
            MaxUnseen = decision.Get<double>("max_unseen"),
            CostMode = CostMode(decision.Section("cost_mode")!),
            MarkerCommunity = decision.TryGet("marker_community", out uint community)
                ? community
                : (uint)root.Sections("routers")[0].Section("bgp")!.Get<long>("local_as") << 16 | DefaultMarkerValue,
            Policies = PolicyChecks.Map(decision.Sections("policies")),
        };
    }
}
