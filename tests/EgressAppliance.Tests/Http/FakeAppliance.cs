using System.IO.Pipelines;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Http;

/// <summary>An appliance with one link and one prefix, which records what it is asked to change.</summary>
internal sealed class FakeAppliance : IApplianceApi
{
    public static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public FakeAppliance() => Feed = new StateFeed(MakeState("observe"));

    public StateFeed Feed { get; }

    public List<string> Changes { get; } = [];

    public StateEventDto State => Feed.Current;

    public IReadOnlyList<string> LinkNames => ["isp-a"];

    public string? NotReady { get; set; }

    /// <summary>Flow export of which everything is counted.</summary>
    public static FlowDto Flow { get; } = new(
        [
            new FlowExporterDto(
                "192.0.2.1", "edge1", "receiving", "ipfix", 120_345, 2_400_000, 1_900_000, 1_200, new Dictionary<string, long> { ["other_interface"] = 499_000, ["no_output"] = 1_000 },
                new Dictionary<string, long> { ["template_unknown"] = 3 }, 4, 250, "records", 0.0031, 1000, true, 55.2, Time),
            new FlowExporterDto(
                "2001:db8::9", "edge2", "silent", null, 0, 0, 0, 0, new Dictionary<string, long>(), new Dictionary<string, long>(), 0, 0, "samples", 0, 0, false, 0, null),
        ],
        [new FlowListenerDto("0.0.0.0:2055", 120_347, 5, 16 << 20, null), new FlowListenerDto("[::]:6343", 0, 0, 425_984, null)],
        [new FlowLinkDto("isp-a", 3, "snmp"), new FlowLinkDto("isp-b", 17, "configured"), new FlowLinkDto("isp-c", null, "next_hop")],
        2, ["203.0.113.9"], 60, 0);

    /// <summary>An audit log without a file.</summary>
    public static AuditLog AuditInMemory() => new("", TimeProvider.System, NullLogger<AuditLog>.Instance);

    public static StateEventDto MakeState(string mode) => new(
        new StatusDto("fra1", "1.0", mode, "no_overload", "No link is over its threshold.", true, Time, 1, [],
            new CaptureDto(1, 1, 100, 1, 800, 0, 0, 0, 0, 0, new Dictionary<string, long> { ["truncated_ipv4"] = 2 }, 0, 0, 0, 1, []),
            [new BgpPeerDto("edge1", "192.0.2.1", "Established", Time, 2, 1, 1, true, true, 0, null) { PathSource = "add-path", AllPathsKnown = true }],
            [new SnmpDto("edge1", true, Time, null)]),
        [new LinkDto("isp-a", "edge1", "prov-a", "up", 1000, 950, 850, 900, 500, 490, 500, 500, 0.01, "normal", 0, 0) { Members = 4, MembersUp = 3, InErrors = 1, OutErrors = 2, OutDiscards = 3 }],
        [new PrefixDto("192.0.2.0/24", "isp-a", "isp-a", 500, 1, 64500, false)], [], null);

    public Task<StateEventDto> NextStateAsync(StateEventDto? seen, CancellationToken cancellationToken) => Feed.NextAsync(seen, cancellationToken);

    /// <summary>Decisions that there are, newest first.</summary>
    public IReadOnlyList<DecisionDto> Decisions { get; set; } = [];

    /// <summary>Questions about prefixes that came this far.</summary>
    public List<PrefixQuery> Queries { get; } = [];

    public ConfigDto Config => new("/etc/egress-appliance/appliance.yaml", Time, "version: 1\n");

    public PrefixPage GetPrefixes(PrefixQuery query)
    {
        Queries.Add(query);
        return new PrefixPage([.. State.Prefixes.Take(query.Top)], More: query.After is null);
    }

    public MatrixDto GetMatrix(int top) => new(
        Time, LinkNames, [new MatrixRowDto("192.0.2.0/24", 64500, 500, "isp-a", false, [new MatrixCellDto("isp-a", 500, true)])]);

    public IReadOnlyList<DecisionDto> GetDecisions(int limit, long? before = null) => [.. Decisions.Where(d => before is null || d.Id < before).Take(limit)];

    public ExplainDto? Explain(string query) =>
        query == "192.0.2.1" ? new ExplainDto(query, "192.0.2.0/24", 500, "isp-a", "isp-a", null, [], "It goes by its native link.") : null;

    public ClusterDto Cluster { get; set; } = new("", "", "all", true, "", 0, [], [], null, null);

    public ClusterDto GetCluster() => Cluster;

    /// <summary>A site of two controllers and two collectors, of which all is known.</summary>
    public static ClusterDto Site { get; } = new(
        "fra1", "ctl1", "controller", true, "ctl1", 7,
        [new ControllerDto("ctl1", true, true, "", 0.2), new ControllerDto("ctl2", false, false, "a BGP session is down", 0.9)],
        [
            new CollectorDto("col1", "counted", "", Time, 0.05, 42_000_000_000, 98_000, 100, 1, 2, 3, 4, 1, "0.1.0", true, 1000, 5, 0.001, 0, []),
            new CollectorDto("col2", "missing", "m1", null, 0, 0, 0, 0, 0, 0, 0, 9, 0, "", false, 0, 0, 0, 0, ["nothing yet"]),
        ],
        new BrokerDto("rabbit1:5671", null, 2, 100, 90_000, 1, 0, 0, 0, 0, 0, new Dictionary<string, long> { ["Malformed"] = 1 }), new SiteDatabaseDto(null, null, 1000, 2));

    public CostDto GetCost() => new(
        true, "proposed", "Prefixes are moved to where they cost nothing more.", new DateTimeOffset(2026, 3, 4, 5, 5, 0, TimeSpan.Zero), 2170.5m, 2300m, 1,
        [
            new CostLinkDto(
                "isp-a", 0.35, 2_000_000_000, new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero), 8928, 1000, 446,
                1_500_000_000, 1_800_000_000, 2_400_000_000, 2_350_000_000, 440, false),
        ],
        [new CostMoveDto(new DateTimeOffset(2026, 3, 4, 5, 5, 0, TimeSpan.Zero), "192.0.2.0/24", "isp-b", "isp-a", 120_000_000, 42, "Its link carries more than costs nothing; the other one has room.", false)],
        null);

    public RibDto? GetRib(string query) => query switch
    {
        "192.0.2.1" => new RibDto(query, "192.0.2.0/24", [new RibPathDto("edge1", "192.0.2.1", 7, "100.64.1.2", "isp-a", "64496", 100, null, "igp", [], null)]),
        "192.0.2.2" => new RibDto(query, null, []),
        _ => null,
    };

    /// <summary>What a dump writes; null: another is being written.</summary>
    public byte[]? Dump { get; set; } = [1, 2, 3];

    public async Task<bool> WriteRibAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        if (Dump is not null)
        {
            await output.WriteAsync(Dump, cancellationToken);
        }

        return Dump is not null;
    }

    public Task<OperationResult> SetModeAsync(string mode, CancellationToken cancellationToken)
    {
        if (mode is not ("observe" or "inject"))
        {
            return Task.FromResult(new OperationResult(OperationStatus.NotFound, $"There is no mode '{mode}'."));
        }

        Changes.Add("mode " + mode);
        Feed.Publish(MakeState(mode));
        return Task.FromResult(OperationResult.Done);
    }

    public OperationResult AddOverride(string prefix, string link)
    {
        Changes.Add($"override {prefix} {link}");
        return link == "isp-a" ? OperationResult.Done : new OperationResult(OperationStatus.Refused, "No path by that link.");
    }

    public OperationResult ReleaseOverride(string prefix)
    {
        Changes.Add("release " + prefix);
        return OperationResult.Done;
    }

    public StopNotice Stop { get; set; } = new(3, StopReach.Here);

    public Task<StopNotice> StopAsync(CancellationToken cancellationToken)
    {
        Changes.Add("withdraw-all");
        return Task.FromResult(Stop);
    }

    public OperationResult RefreshRoutes(string router)
    {
        Changes.Add("refresh " + router);
        return router == "edge1" ? OperationResult.Done : new OperationResult(OperationStatus.NotFound, $"There is no router '{router}'.");
    }

    public void WriteMetrics(MetricWriter writer) => writer.Gauge("egress_test", "A test.").Sample(1.5, ("link", "a\"b"));
}
