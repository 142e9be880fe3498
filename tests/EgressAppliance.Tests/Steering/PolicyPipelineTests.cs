using EgressAppliance.Bgp.Rib;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;
using EgressAppliance.Tests.Configuration;

namespace EgressAppliance.Tests.Steering;

/// <summary>From the text of a configuration and the attributes of routes to what the router is told.</summary>
public sealed class PolicyPipelineTests
{
    private const string Origin = "192.0.2.0/24";
    private const string Tagged = "192.0.3.0/24";

    [Fact]
    public async Task Policies_of_a_configuration_by_origin_and_community_reach_planner_and_state()
    {
        ApplianceConfig loaded = Load("policies");
        await using Bench bench = new(change: c => c with { Links = Named(c.Links), Decision = c.Decision with { Policies = loaded.Decision.Policies } });
        bench.Learn(Bench.Big, "100.64.1.2", "100.64.2.2");
        Learn(bench, Origin, FakeSpeaker.Path("100.64.1.2", origin: 64500), FakeSpeaker.Path("100.64.2.2", 90));
        Learn(bench, Tagged, With(FakeSpeaker.Path("100.64.3.2", origin: 64501), [(65000u << 16) | 100], []), FakeSpeaker.Path("100.64.1.2", 90));
        void Send()
        {
            bench.Send(Bench.Big, 1, 10);
            bench.Send(Origin, 1, 10);
            bench.Send(Tagged, 3, 10);
        }

        CycleInputs inputs = bench.Collect(20, Send);
        PrefixPolicy? Of(string prefix) => inputs.Input.Prefixes.Single(p => p.Prefix == IpPrefix.Parse(prefix)).Policy;
        Assert.Equal((1, PolicyAction.Deny), (Of(Bench.Big)!.Number, Of(Bench.Big)!.Action));
        Assert.Equal((2, PolicyAction.Pin, "isp-b"), (Of(Origin)!.Number, Of(Origin)!.Action, Of(Origin)!.Links[0]));
        Assert.Equal((3, "isp-b,isp-a"), (Of(Tagged)!.Number, string.Join(',', Of(Tagged)!.Links)));

        CycleOutcome outcome = new DecisionController(SteeringOptions.ForController(bench.Config), DecisionMode.Inject).Cycle(inputs.Input);
        PlannedMove move = Assert.Single(outcome.Plan!.Moves);
        Assert.Equal((Origin, "isp-a", "isp-b", ReasonCode.PinnedByPolicy), (move.Prefix.ToString(), move.From, move.To, move.Reason));
        StateEventDto state = bench.Builder.Build(inputs, outcome, TimeSpan.Zero);
        Assert.Equal("following_policy", state.Status.Verdict);
        Assert.Equal("A policy pins it to one link.", Assert.Single(state.Overrides).Reason);
    }

    [Fact]
    public async Task Policies_of_an_overridden_prefix_are_matched_by_its_native_path_however_small_it_is()
    {
        ApplianceConfig loaded = Load("policies");
        await using Bench bench = new(change: c => c with { Links = Named(c.Links), Decision = c.Decision with { Policies = loaded.Decision.Policies } });
        Learn(bench, Origin, FakeSpeaker.Path("100.64.1.2", origin: 64500), FakeSpeaker.Path("100.64.2.2", 90));
        CycleInputs inputs = bench.Collect(overrides: [new()
        {
            Prefix = IpPrefix.Parse(Origin), From = "isp-a", To = "isp-b", Reason = ReasonCode.PinnedByPolicy, Since = bench.Clock.GetUtcNow(), LeaseExpires = bench.Clock.GetUtcNow(),
        }]);
        PrefixDemand demand = Assert.Single(inputs.Input.Prefixes);
        Assert.Equal((0, 2), (demand.RateBps, demand.Policy!.Number));
    }

    [Fact]
    public void First_large_communities_and_paths_that_end_in_a_set()
    {
        LinkDirectory links = new([Bench.MakeLink(1, "isp-a", "100.64.1.2"), Bench.MakeLink(2, "isp-b", "100.64.2.2")]);
        RoutePolicies policies = new(Load("policies").Decision.Policies, links);
        int? First(RibPath path) => policies.First(IpPrefix.Parse(Origin), [path])?.Policy.Number;
        RibPath plain = FakeSpeaker.Path("100.64.1.2", origin: 64501);
        Assert.Null(First(plain));
        Assert.Equal(4, First(With(plain, [], [new(65000, 1, 3), new(65000, 1, 2)])));
        Assert.Null(First(With(plain, [], [new(1, 65000, 1), new(2, 0, 0)])));
        Assert.Equal(2, First(FakeSpeaker.Path("100.64.1.2", origin: 64500)));
        Assert.Equal(5, First(FakeSpeaker.Path("100.64.2.2", origin: 64500)));
        AsPath set = AsPath.FromSegments([new(AsSegmentType.Sequence, [64496u]), new(AsSegmentType.Set, [64500u])]);
        Assert.Null(First(plain with { Attributes = new PathAttributes { NextHop = plain.NextHop, AsPath = set } }));
        Assert.Null(policies.First(IpPrefix.Parse(Origin), []));
        Assert.Equal(1, policies.First(IpPrefix.Parse(Bench.Big), [])?.Policy.Number);
    }

    private static void Learn(Bench bench, string prefix, params RibPath[] paths)
    {
        bench.Speaker.Learn(prefix, paths);
        bench.Table.Add(IpPrefix.Parse(prefix));
    }

    private static ApplianceConfig Load(string name)
    {
        using ConfigFolder folder = ConfigFolder.OfCase(name);
        return ConfigLoader.Load(folder.File).Config!;
    }

    private static IReadOnlyList<LinkConfig> Named(IReadOnlyList<LinkConfig> links) => [.. links.Select(l => l with { Name = "isp-" + l.Name })];

    private static RibPath With(RibPath path, uint[] communities, LargeCommunity[] large) => path with
    {
        Attributes = new PathAttributes { NextHop = path.NextHop, LocalPref = 100, AsPath = path.Attributes.AsPath, Communities = [.. communities], LargeCommunities = [.. large] },
    };
}
