using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Bmp;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.RouteFeed;

/// <summary>What <c>show rib</c>, <c>explain</c> and the metrics say of a router's own choice.</summary>
public sealed class RouterChoicesTests
{
    private const uint Marker = (64500u << 16) | 64900;
    private static readonly IpPrefix Big = IpPrefix.Parse(Bench.Big);

    [Fact]
    public async Task Router_without_loc_rib_is_not_spoken_of()
    {
        await using Bench bench = new();
        Assert.Empty(bench.Api.GetRib(Bench.Big)!.RouterChoices);
    }

    [Fact]
    public async Task Agreement_is_said()
    {
        await using Bench bench = Make(FakeSpeaker.Path("100.64.1.2"));
        RouterChoiceDto choice = Assert.Single(bench.Api.GetRib("203.0.113.7")!.RouterChoices);
        Assert.Equal(("edge1", "agrees", "100.64.1.2", "a", null), (choice.Router, choice.Verdict, choice.NextHop, choice.Link, choice.Cause));
        Assert.Equal("edge1 agrees: it uses 100.64.1.2 (a).", choice.Summary);
    }

    [Fact]
    public async Task Difference_names_both_paths_and_the_likely_cause()
    {
        await using Bench bench = Make(FakeSpeaker.Path("100.64.2.2"));
        RouterChoiceDto choice = Assert.Single(bench.Api.GetRib(Bench.Big)!.RouterChoices);
        Assert.Equal(("differs", "100.64.2.2", "b", "100.64.1.2", "a", "igp_metric"), (choice.Verdict, choice.NextHop, choice.Link, choice.ExpectedNextHop, choice.ExpectedLink, choice.Cause));
        Assert.Equal(
            "edge1 differs: it uses 100.64.2.2 (b), by the routes it shows we would use 100.64.1.2 (a); likely cause: the IGP metric to the next hops, the age of the paths or the neighbours' identifiers, "
            + "since their attributes are equal up to MED.", choice.Summary);
    }

    [Theory]
    [InlineData("100.64.2.2", 200u, "policy", "an import policy, after which the path has LOCAL_PREF 200, MED none and AS_PATH 64496 64500")]
    [InlineData("100.64.9.9", 100u, "not_shown", "the path comes from another router, or is left out towards the appliance")]
    public async Task Causes_have_words(string nextHop, uint localPref, string cause, string words)
    {
        await using Bench bench = Make(FakeSpeaker.Path(nextHop, localPref));
        RouterChoiceDto choice = Assert.Single(bench.Api.GetRib(Bench.Big)!.RouterChoices);
        Assert.Equal(cause, choice.Cause);
        Assert.Contains($"likely cause: {words}.", choice.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Weight_names_the_step_at_which_the_choice_should_have_lost()
    {
        RibPath longer = Path("100.64.2.2", AsPath.Sequence(64496, 64496, 64500));
        await using Bench bench = Make(longer);
        bench.Speaker.Learn(Bench.Big, FakeSpeaker.Path("100.64.1.2"), longer);
        RouterChoiceDto choice = Assert.Single(bench.Api.GetRib(Bench.Big)!.RouterChoices);
        Assert.Equal("weight", choice.Cause);
        Assert.Contains("a weight of the router's own, since its choice loses by the length of the AS_PATH", choice.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Override_in_use_is_no_disagreement()
    {
        await using Bench bench = Make(Path("100.64.2.2", AsPath.Sequence(64496, 64500), Marker));
        RouterChoiceDto choice = Assert.Single(bench.Api.GetRib(Bench.Big)!.RouterChoices);
        Assert.Equal("override", choice.Verdict);
        Assert.Equal("edge1 uses our override by 100.64.2.2 (b); without it, by the routes it shows, 100.64.1.2 (a).", choice.Summary);
    }

    [Theory]
    [InlineData(true, false, 1)]
    [InlineData(false, false, 0)]
    [InlineData(true, true, 0)]
    public async Task Router_that_has_chosen_nothing_is_told_of_only_where_that_is_sure(bool complete, bool several, int answers)
    {
        await using Bench bench = Make();
        bench.Speaker.Peers[0] = bench.Speaker.Peers[0] with { LocRib = Status(complete) with { SeveralPaths = several ? [IpFamily.IPv4] : [] } };
        IReadOnlyList<RouterChoiceDto> choices = bench.Api.GetRib(Bench.Big)!.RouterChoices;
        Assert.Equal(answers, choices.Count);
        Assert.All(choices, c => Assert.Equal(("none", null), (c.Verdict, c.NextHop)));
    }

    [Fact]
    public async Task Explain_says_it_too()
    {
        await using Bench bench = Make(FakeSpeaker.Path("100.64.2.2"));
        await bench.StartAsync();
        Assert.Equal(bench.Api.GetRib(Bench.Big)!.RouterChoices, bench.Api.Explain(Bench.Big)!.RouterChoices);
        Assert.Single(bench.Api.Explain(Bench.Big)!.RouterChoices);
    }

    [Fact]
    public async Task Prefixes_with_traffic_are_counted_each_cycle()
    {
        await using Bench bench = Make(FakeSpeaker.Path("100.64.2.2"));
        bench.Speaker.LocRib[IpPrefix.Parse(Bench.Second)] = [FakeSpeaker.Path("100.64.1.2")];
        await bench.StartAsync();
        await bench.CycleAsync(2, () =>
        {
            bench.Send(Bench.Big, 1, 10);
            bench.Send(Bench.Second, 1, 10);
        });
        Assert.Equal(new LocRibDto(2, true, 2, 1), Assert.Single(bench.Api.State.Status.Bgp).LocRib);
    }

    [Fact]
    public void Every_cause_has_a_code()
    {
        Assert.Null(RouterChoices.Code(RouterChoiceCause.None));
        Assert.All(Enum.GetValues<RouterChoiceCause>().Skip(1), cause => Assert.Matches("^[a-z_]+$", RouterChoices.Code(cause)!));
    }

    /// <summary>A site whose router shows its Loc-RIB, with these choices for the prefix.</summary>
    private static Bench Make(params RibPath[] chosen)
    {
        Bench bench = new(change: c => c with { Decision = c.Decision with { MarkerCommunity = Marker } });
        bench.Speaker.Peers[0] = bench.Speaker.Peers[0] with { LocRib = Status(complete: true) };
        bench.Speaker.LocRib[Big] = chosen;
        return bench;
    }

    private static RibPath Path(string nextHop, AsPath asPath, params uint[] communities) => new(0, 1, new PathAttributes
    {
        NextHop = new NextHop(IpAddr.Parse(nextHop)),
        LocalPref = 100,
        AsPath = asPath,
        Communities = [.. communities],
    });

    private static MonitoredTableStatus Status(bool complete)
    {
        BmpPeer peer = new(new BmpRouterOptions { Name = "edge1", Address = System.Net.IPAddress.Loopback }, BmpMaker.LocRib().Id, 64500, 1, 64500, null);
        return new(new BmpSource(0, peer, BmpTable.LocRib), 2, 0, complete);
    }
}
