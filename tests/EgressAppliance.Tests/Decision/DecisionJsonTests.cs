using System.Text;
using System.Text.Json;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Decision;

public class DecisionJsonTests
{
    [Fact]
    public void TryReadSnapshot_least_document_has_the_defaults()
    {
        Assert.True(Read("""{"links":[{"name":"a","capacity_bps":1e9}],"prefixes":[]}""", out DecisionSnapshot? snapshot, out _));
        Assert.Equal(new LinkState { Name = "a", CapacityBps = 1_000_000_000 }, snapshot!.Links[0]);
        Assert.Equal((0.95, 0.90, 0.85, true), (snapshot.Links[0].Threshold, snapshot.Links[0].Ceiling, snapshot.Links[0].Release, snapshot.Links[0].Up));
        Assert.Empty(snapshot.Overrides);
    }

    [Fact]
    public void TryReadSnapshot_policies_are_read_and_written()
    {
        Assert.True(Read("""
            {"links":[{"name":"a","capacity_bps":1e9}],
             "prefixes":[{"prefix":"192.0.2.0/24","rate_bps":12,"paths":["a","b"],"policy":{"number":7,"action":"pin","links":["b"]}},
                         {"prefix":"192.0.3.0/24","rate_bps":12,"paths":["a"],"policy":{"action":"class","class":0}},
                         {"prefix":"192.0.4.0/24","rate_bps":12,"paths":["a"]}]}
            """, out DecisionSnapshot? s, out IReadOnlyList<string> problems), string.Join("; ", problems));
        Assert.Equal((7, PolicyAction.Pin, "b", 5), (s!.Prefixes[0].Policy!.Number, s.Prefixes[0].Policy!.Action, s.Prefixes[0].Policy!.Links[0], s.Prefixes[0].Policy!.Class));
        Assert.Equal((0, PolicyAction.Class, 0), (s.Prefixes[1].Policy!.Number, s.Prefixes[1].Policy!.Action, s.Prefixes[1].Policy!.Class));
        Assert.Null(s.Prefixes[2].Policy);
        string written = Encoding.UTF8.GetString(DecisionJson.Write(s));
        Assert.Contains(""""policy":{"number":7,"action":"pin","links":["b"],"class":5}"""", written, StringComparison.Ordinal);
        Assert.True(DecisionJson.TryReadSnapshot(Encoding.UTF8.GetBytes(written), out DecisionSnapshot? again, out _));
        Assert.Equal(written, Encoding.UTF8.GetString(DecisionJson.Write(again!)));
    }

    [Theory]
    [InlineData(""""{"action":"pin","links":[]}"""", "a pin has one link")]
    [InlineData(""""{"action":"class","class":10}"""", "class 10 is not between 0 and 9")]
    [InlineData(""""{"number":1}"""", "prefixes[0].policy.action: missing")]
    [InlineData(""""{"action":"allow"}"""", "action")]
    public void TryReadSnapshot_bad_policy_is_told(string policy, string problem)
    {
        Assert.False(Read($$"""{"links":[{"name":"a","capacity_bps":1e9}],"prefixes":[{"prefix":"192.0.2.0/24","rate_bps":1,"paths":["a"],"policy":{{policy}}}]}""", out _, out IReadOnlyList<string> problems));
        Assert.Contains(problems, p => p.Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void TryReadSnapshot_every_member_is_read()
    {
        Assert.True(Read("""
            {"time":"2026-01-01T00:00:00Z","future_member":1,
             "links":[{"name":"a","capacity_bps":1000,"up":false,"threshold":0.8,"release":0.6,"ceiling":0.7,"measured_bps":5.9,"error_ratio":0.01,
                       "price_per_mbps":0.35,"commit_bps":200,"drain":true,"residual_bps":3}],
             "prefixes":[{"prefix":"2001:db8::/32","rate_bps":12,"error_ratio":0.5,"paths":["a","b"]}],
             "overrides":[{"prefix":"192.0.2.0/24","link":"a","age_seconds":1.5,"pinned":true}],
             "quarantined":["192.0.2.0/24"]}
            """, out DecisionSnapshot? s, out IReadOnlyList<string> problems), string.Join("; ", problems));
        Assert.Equal(
            new LinkState
            {
                Name = "a",
                CapacityBps = 1000,
                Up = false,
                Threshold = 0.8,
                Release = 0.6,
                Ceiling = 0.7,
                MeasuredBps = 5,
                ErrorRatio = 0.01,
                PricePerMbps = 0.35,
                CommitBps = 200,
                Drain = true,
                ResidualBps = 3,
            }, s!.Links[0]);
        Assert.Equal(("2001:db8::/32", 12L, 0.5), (s.Prefixes[0].Prefix.ToString(), s.Prefixes[0].RateBps, s.Prefixes[0].ErrorRatio));
        Assert.Equal(["a", "b"], s.Prefixes[0].Paths);
        Assert.Equal(("a", 1.5, true), (s.Overrides[0].Link, s.Overrides[0].AgeSeconds, s.Overrides[0].Pinned));
        Assert.Single(s.Quarantined);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("null", "null")]
    [InlineData("{}", "links: missing")]
    [InlineData("""{"links":[],"prefixes":[null]}""", "prefixes[0]: null")]
    [InlineData("""{"links":[{"capacity_bps":1}],"prefixes":[]}""", "links[0].name: missing")]
    [InlineData("""{"links":[{"name":"a"}],"prefixes":[]}""", "links[0].capacity_bps: missing")]
    [InlineData("""{"links":[{"name":"a","capacity_bps":-1}],"prefixes":[]}""", "links[0].capacity_bps: -1 is not between")]
    [InlineData("""{"links":[{"name":"a","capacity_bps":1e30}],"prefixes":[]}""", "links[0].capacity_bps")]
    [InlineData("""{"links":[{"name":"a","capacity_bps":"fast"}],"prefixes":[]}""", "capacity_bps")]
    [InlineData("""{"links":[],"prefixes":[{"prefix":"10.0.0.1/8","rate_bps":1,"paths":[]}]}""", "prefixes[0].prefix: '10.0.0.1/8' is not a prefix")]
    [InlineData("""{"links":[],"prefixes":[{"prefix":"10.0.0.0/8","rate_bps":1}]}""", "prefixes[0].paths: missing")]
    [InlineData("""{"links":[],"prefixes":[],"overrides":[{"prefix":"10.0.0.0/8","link":"a"}]}""", "overrides[0].age_seconds: missing")]
    [InlineData("""{"links":[{"name":"a","capacity_bps":1},{"name":"a","capacity_bps":1}],"prefixes":[]}""", "not unique")]
    public void TryReadSnapshot_bad_document_names_the_place(string json, string problem)
    {
        Assert.False(Read(json, out DecisionSnapshot? snapshot, out IReadOnlyList<string> problems));
        Assert.Null(snapshot);
        Assert.Contains(problems, p => p.Contains(problem, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Write_snapshot_reads_back_to_the_same_plan()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            (DecisionSnapshot snapshot, PlannerOptions options) = RandomSnapshots.Any(seed);
            byte[] bytes = DecisionJson.Write(snapshot);
            return DecisionJson.TryReadSnapshot(bytes, out DecisionSnapshot? again, out _)
                && DecisionJson.Write(again!).AsSpan().SequenceEqual(bytes)
                && DecisionJson.Write(Planner.Plan(again!, options)).AsSpan().SequenceEqual(DecisionJson.Write(Planner.Plan(snapshot, options)));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Write_plan_has_the_documented_members()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b")], [Lab.Demand(1, 100, "a", "b"), Lab.Demand(2, 10, "a", "b"), Lab.Demand(3, 10, "a", "b")],
            Lab.Override(2, "b"), Lab.Override(3, "a"))) with
        { ElapsedMs = 1.5 };
        using JsonDocument document = JsonDocument.Parse(DecisionJson.Write(plan, indented: true));
        JsonElement root = document.RootElement;
        Assert.Equal("relieved", root.GetProperty("verdict").GetString());
        Assert.Equal("""{"prefix":"10.0.1.0/24","from":"a","to":"b","rate_bps":100000000,"reason":"relieve_overload"}""", Compact(root.GetProperty("moves")[0]));
        Assert.Equal("""{"prefix":"10.0.3.0/24","from":"a","to":"a","rate_bps":10000000,"reason":"already_native"}""", Compact(root.GetProperty("releases")[0]));
        Assert.Equal("""{"prefix":"10.0.2.0/24","from":"a","to":"b","rate_bps":10000000,"reason":"still_needed"}""", Compact(root.GetProperty("kept")[0]));
        Assert.Equal("""{"name":"a","native_bps":1020000000,"planned_bps":910000000,"current_bps":1010000000}""", Compact(root.GetProperty("links")[0]));
        Assert.Equal((0, 0, 1.5), (root.GetProperty("overload_bps").GetInt64(), root.GetProperty("overload_lower_bound_bps").GetInt64(), root.GetProperty("elapsed_ms").GetDouble()));
    }

    [Fact]
    public void Write_journal_records_are_json()
    {
        DecisionController controller = new(new());
        CycleInput input = new()
        {
            Now = Lab.Start,
            Links = [Lab.Link("a", 1000, 900), Lab.Link("b")],
            Prefixes = [Lab.Demand(1, 100, "a", "b")],
            ObservedLinks = new Dictionary<EgressAppliance.Net.IpPrefix, string> { [Lab.Prefix(1)] = "a" },
        };
        using JsonDocument written = JsonDocument.Parse(DecisionJson.Write(input));
        Assert.Equal("a", written.RootElement.GetProperty("observed_links").GetProperty("10.0.1.0/24").GetString());
        using JsonDocument outcome = JsonDocument.Parse(DecisionJson.Write(controller.Cycle(input)));
        Assert.Equal("relieved", outcome.RootElement.GetProperty("verdict").GetString());
        Assert.Equal("proposed", outcome.RootElement.GetProperty("overrides")[0].GetProperty("state").GetString());
    }

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private static bool Read(string json, out DecisionSnapshot? snapshot, out IReadOnlyList<string> problems) =>
        DecisionJson.TryReadSnapshot(Encoding.UTF8.GetBytes(json), out snapshot, out problems);
}
