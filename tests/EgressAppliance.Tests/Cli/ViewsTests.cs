using EgressAppliance.Decision.Demand;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.Configuration;

namespace EgressAppliance.Tests.Cli;

/// <summary>Each view of a fixed state against <c>tests/data/cli/NAME.txt</c>.</summary>
public sealed class ViewsTests
{
    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly CaptureDto Capture = new(
        1_204_381, 1_203_000, 987_654_321, 1_310_000, 9_420_000_000, 12, 1, 0, 1_200, 100, new Dictionary<string, long> { ["truncated_ipv4"] = 60, ["bad_version"] = 21 },
        1_000, 64_000, 50, 1_012_345,
        [
            new CaptureSourceDto("mir0", 1_204_381, 12, 1, null)
            {
                State = "receiving", FramesPerSecond = 1_312_000.5, BitsPerSecond = 9_420_000_000, LossRatio = 0.00001, TotalLossRatio = 0.00001, NicMissed = 3, NicDropped = 4,
                NonIp = 1_200, Ignored = 100, Undecodable = 81, Packets = 1_203_000, WorkerFrames = [602_190, 602_191],
            },
            new CaptureSourceDto("mir1", 0, 0, 0, "mir1: the interface is down") { State = "interface_down", WorkerFrames = [0] },
        ])
    {
        Sampling = 1,
        IntervalSeconds = 10,
        LossRatio = 0.00001,
        TotalLossRatio = 0.0123,
        HugePages = "madvise",
        HugePagesBytes = 140L << 20,
        Findings =
        [
            new("mir0", "loss", "ring_full", "the kernel dropped 12 frames (<0.1%) in the last 10 s: the ring was full 1 times", "for bursts raise capture.sources[0].ring (64MiB)"),
            new("", "warning", "no_link_match", "12.0% of the packets match no link", "compare links[].match with the mirror's frames"),
        ],
    };

    private static readonly BgpPeerDto[] Peers =
    [
        new("edge1", "192.0.2.1", "Established", Then, 2_030_112, 1_600_000, 430_112, true, true, 3, null) { PathSource = "add-path", AllPathsKnown = true, MaxPrefix = 10_000_000, MaxPrefixRatio = 0.203 },
        new("edge2", "192.0.2.5", "Active", Then, 0, 0, 0, false, false, 0, "connection refused"),
        new("edge3", "192.0.2.9", "Established", Then, 1_999_000, 1_600_000, 399_000, false, true, 1, null)
        {
            PathSource = "bmp",
            AllPathsKnown = true,
            Bmp = new(
                "up", Then, "adj-rib-in-post-policy",
                [
                    new("100.64.1.2", 64501, true, [new("adj-rib-in-pre-policy", 1_000_000, 1_200_000, false, true), new("adj-rib-in-post-policy", 999_000, 1_100_000, true, true)], null),
                    new("100.64.2.2", 64502, true, [new("adj-rib-in-post-policy", 1_000_000, 1_000_000, true, false)], null),
                    new("100.64.3.2", 64503, false, [], "the peer closed the session without a NOTIFICATION"),
                ],
                "the router closed the connection"),
        },
    ];

    private static readonly BgpPeerDto Detailed = Peers[2] with
    {
        Md5 = true,
        TtlSecurity = true,
        LastError = "hold timer expired: nothing received for 9 s",
        LastErrorAt = Then,
        LastNotification = new("sent", 4, 0, "4/0 Hold Timer Expired", null, Then),
        Negotiated = new("ibgp", "192.0.2.9", 9, 3, ["ipv4", "ipv6"], ["route-refresh", "4-octet-as", "extended-message"]),
        MaxPrefix = 2_400_000,
        MaxPrefixRatio = 0.8329,
        MaxPrefixWarning = true,
        MaxPrefixOut = 500,
        OverridesWaiting = 12,
        Output = new(1_100_000, 1 << 20, 8 << 20, true),
        Counters = new(2, 2_100_000, 4_000, 3, 17, 1, 2, 1, 0),
        LocRib = new(1_000_123, true, 9_950, 12),
        Bmp = Peers[2].Bmp! with { SysName = "edge3.example.net", Connections = 3, Messages = 2_400_000, Malformed = 1, LastMalformed = "an UPDATE ends early" },
    };

    private static readonly OverrideDto Override = new(
        "203.0.113.0/24", "isp-a", "isp-b", 420_000_000, Then, "relieve isp-a: 97.2% of 10 Gbit/s", "confirmed", new DateTimeOffset(2026, 1, 2, 4, 0, 25, TimeSpan.Zero));

    private static readonly MoveDto Move = new("203.0.113.0/24", "isp-a", "isp-b", 420_000_000, "largest that fits under the ceiling of isp-b");

    private static readonly DecisionDto Decision = new(
        812, Then, "relieved", "isp-a was over its threshold.", "inject", [Move], [Move with { Prefix = "198.51.100.0/24", From = "isp-b", To = "isp-a" }], 2, 35_000_000, 1.2);

    private static readonly ExplainDto Explain = new(
        "203.0.113.7", "203.0.113.0/24", 420_000_000, "isp-b", "isp-a", Override,
        [
            new PathDto("edge1", "100.64.1.2", "isp-a", "64500 64510", 100, 0, "igp", ["64500:100"], false, "native"),
            new PathDto("edge1", "100.64.2.2", "isp-b", "64501 64502 64510", 100, null, "incomplete", [], true, null),
        ],
        "203.0.113.0/24 leaves by isp-b because an override moved it from isp-a.")
    {
        RouterChoices =
        [
            new("edge1", "override", "100.64.2.2", "isp-b", "64501 64502 64510", 200, null, "100.64.1.2", "isp-a", null,
                "edge1 uses our override by 100.64.2.2 (isp-b); without it, by the routes it shows, 100.64.1.2 (isp-a)."),
        ],
        Timers = new(Then.AddSeconds(90), Then.AddMinutes(96), null, Then.AddMinutes(56.4)),
        History =
        [
            new(Then, 812, "inject", "moved", "isp-a", "isp-b", 420_000_000, "Its link is over the threshold."),
            new(Then.AddHours(-1), 92, "observe", "released", "isp-b", "isp-a", 300_000_000, "The native link stays under its release level with it."),
        ],
    };

    [Fact]
    public void Status_matches() => Check("status", c => Views.Status(
        new StatusDto("fra1", "0.1.0", "inject", "relieved", "isp-a was over its threshold.", false, new DateTimeOffset(2026, 1, 2, 4, 0, 0, TimeSpan.Zero), 11_520,
            ["edge2: the BGP session is down", "mir1: the interface is down"], Capture, Peers,
            [new SnmpDto("edge1", true, new DateTimeOffset(2026, 1, 2, 3, 59, 54, TimeSpan.Zero), null), new SnmpDto("edge2", false, null, "no answer")]),
        c));

    [Fact]
    public void Links_matches() => Check("links", c => Views.Links(
        [
            new LinkDto("isp-a", "edge1", "prov-a", "up", 10_000_000_000, 9_500_000_000, 8_500_000_000, 9_000_000_000, 9_420_000_000, 9_410_000_000, 9_840_000_000, 9_420_000_000, 0.002, "relieved", 0, 1) { ErrorBps = 20_000_000, RateCause = "agree", MirrorRatio = 1.001 },
            new LinkDto("isp-b", "edge1", "prov-b", "down", 0, 0, 0, 0, 0, null, 0, 0, 0, "down", 1, 0),
            new LinkDto("isp-c", "edge1", "prov-c", "up", 10_000_000_000, 9_500_000_000, 8_500_000_000, 9_000_000_000, 6_000_000_000, 3_000_000_000, 3_000_000_000, 3_000_000_000, 0, "normal", 0, 0)
            {
                ErrorBps = 3_060_000_000,
                RateCause = "duplicated",
                MirrorRatio = 2.001,
                MirrorRatioError = 0.01,
                RateProblem = RateCauses.Text("isp-c", RateCause.Duplicated, 2.001, 2),
                Remedy = RateCauses.Remedy(new RateJudgement(RateCause.Duplicated) { Factor = 2 }),
            },
        ],
        c));

    [Fact]
    public void Links_fits_eighty_columns()
    {
        using StringWriter output = new() { NewLine = "\n" };
        Views.Links(
            [new LinkDto("isp-a", "edge1", "prov-a", "up", 10_000_000_000, 9_500_000_000, 8_500_000_000, 9_000_000_000, 9_420_000_000, 9_410_000_000, 9_840_000_000, 9_420_000_000, 0.002, "over_threshold", 10, 12)],
            CliRunner.Console(output, width: 80));
        Assert.All(output.ToString().Split('\n'), line => Assert.True(line.Length <= 80, line));
        Assert.Contains("over_threshold", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Prefixes_matches() => Check("prefixes", c => Views.Prefixes(
        [
            new PrefixDto("203.0.113.0/24", "isp-b", "isp-a", 420_000_000, 51_000, 64510, true),
            new PrefixDto("2001:db8::/32", null, null, 990, 0.4, 0, false),
        ],
        c));

    [Fact]
    public void Cost_matches() => Check("cost", c => CostViews.Write(new EgressAppliance.Tests.Http.FakeAppliance().GetCost(), c));

    [Fact]
    public void Overrides_matches() => Check("overrides", c => Views.Overrides([Override, Override with { State = "proposed", LeaseExpires = null }], c));

    [Fact]
    public void Decisions_matches() => Check("decisions", c => Views.Decisions([Decision, Decision with { Id = 811, OverloadBps = 0, Moves = [], Releases = [] }], c));

    [Fact]
    public void Plan_matches() => Check("plan", c => Views.Plan(Decision, c));

    [Fact]
    public void Bgp_matches() => Check("bgp", c => BgpViews.List(Peers, c));

    [Fact]
    public void Bgp_of_one_router_matches() => Check("bgp-router", c => BgpViews.Detail([Detailed], c));

    [Fact]
    public void Bgp_of_a_router_that_is_down_matches() => Check("bgp-router-down", c => BgpViews.Detail(
        [
            Peers[1] with
            {
                LastErrorAt = Then.AddMinutes(50), MaxPrefix = 10_000_000, Counters = new(2, 100, 90, 0, 0, 0, 0, 0, 1),
                LastNotification = new("received", 6, 2, "6/2 Cease, Administrative Shutdown: \"line card swap, back at 04:00\"", "line card swap, back at 04:00", Then),
            },
        ],
        c));

    [Fact]
    public void Capture_with_flow_export_matches() => Check("capture-flow", c => CaptureViews.Write(
        Capture with
        {
            Sources = [],
            Undecodable = new Dictionary<string, long>(),
            Flow = Http.FakeAppliance.Flow,
            Findings = [new("192.0.2.1", "loss", "flow_lost", "250 records of 80,250 are missing in the last 10 s, by their sequence numbers", "flow.exporters[0]: look for drops on the way here")],
        },
        c));

    [Fact]
    public void Capture_matches() => Check("capture", c => CaptureViews.Write(Capture, c));

    [Fact]
    public void Explain_matches() => Check("explain", c => Views.Explain(Explain, c));

    [Fact]
    public void Rib_matches() => Check("rib", c => Views.Rib(
        new RibDto("203.0.113.7", "203.0.113.0/24",
            [
                new RibPathDto("edge1", "192.0.2.1", 3, "100.64.1.2", "isp-a", "64496 64510", 100, 20, "igp", ["64496:7"], null) { LargeCommunities = ["64496:1:2"] },
                new RibPathDto("edge1", "192.0.2.1", 4, "100.64.2.2", "isp-b", "64497 64500 64510", 100, null, "igp", [], "as_path_length"),
                new RibPathDto("edge2", "192.0.2.2", 0, "100.64.9.2", null, "64499 64510", 50, null, "incomplete", [], "local_pref"),
            ])
        {
            RouterChoices = [new("edge1", "agrees", "100.64.1.2", "isp-a", "64496 64510", 100, 20, "100.64.1.2", "isp-a", null, "edge1 agrees: it uses 100.64.1.2 (isp-a).")],
        },
        c));

    [Fact]
    public void Explain_unknown_prefix_is_one_line()
    {
        using StringWriter output = new() { NewLine = "\n" };
        Views.Explain(new ExplainDto("198.51.100.1", null, 0, null, null, null, [], "No prefix covers 198.51.100.1."), CliRunner.Console(output));
        Assert.Equal("No prefix covers 198.51.100.1.\n", output.ToString());
    }

    [Fact]
    public void Empty_documents_say_what_that_means()
    {
        using StringWriter output = new() { NewLine = "\n" };
        CommandConsole console = CliRunner.Console(output);
        Views.Links([], console);
        Views.Prefixes([], console);
        Views.Overrides([], console);
        Views.Decisions([], console);
        BgpViews.List([], console);
        Assert.Equal(
            "No links.\nNo traffic was seen.\nNo overrides: plain BGP is in charge.\nNo decision has been made yet.\nNo BGP sessions.\n", output.ToString());
    }

    private static void Check(string name, Action<CommandConsole> view)
    {
        using StringWriter output = new() { NewLine = "\n" };
        view(CliRunner.Console(output));
        Golden.Compare(TestData.Path("cli", name + ".txt"), output.ToString());
    }
}
