using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class RouterChoiceTests
{
    private const uint Marker = (64500u << 16) | 64900;
    private static readonly PathAttributes A = Make("100.64.1.2", "64501 64999");
    private static readonly PathAttributes B = Make("100.64.2.2", "64502 64999");

    [Fact]
    public void Same_next_hop_agrees_whatever_else_the_router_made_of_the_path() =>
        Assert.Equal(new(RouterChoice.Agrees), Of(Make("100.64.1.2", "64501 64999", localPref: 300, med: 7), A, B));

    [Fact]
    public void Our_own_route_is_the_override() =>
        Assert.Equal(new(RouterChoice.Override), Of(Make("100.64.2.2", "64502 64999", localPref: 200, communities: Marker), A, B));

    [Fact]
    public void Path_that_is_not_shown_is_told_as_such() =>
        Assert.Equal(new(RouterChoice.Differs, RouterChoiceCause.NotShown), Of(Make("100.64.9.2", "64509 64999"), A, B));

    [Fact]
    public void Equal_attributes_leave_it_to_the_igp_metric() =>
        Assert.Equal(new(RouterChoice.Differs, RouterChoiceCause.IgpMetric), Of(B, A, B));

    [Fact]
    public void Default_local_pref_is_what_a_router_gives_a_path_without_one() =>
        Assert.Equal(RouterChoiceCause.IgpMetric, Of(B, Make("100.64.1.2", "64501 64999", localPref: null), Make("100.64.2.2", "64502 64999", localPref: null)).Cause);

    [Theory]
    [InlineData(BestPathStep.LocalPref)]
    [InlineData(BestPathStep.AsPathLength)]
    [InlineData(BestPathStep.Origin)]
    public void Choice_that_is_worse_early_is_a_weight_and_names_the_step(BestPathStep step)
    {
        PathAttributes worse = step switch
        {
            BestPathStep.LocalPref => Make("100.64.2.2", "64502 64999", localPref: 90),
            BestPathStep.AsPathLength => Make("100.64.2.2", "64502 64502 64999"),
            _ => Make("100.64.2.2", "64502 64999", origin: Origin.Incomplete),
        };
        Assert.Equal(new(RouterChoice.Differs, RouterChoiceCause.Weight, step), Of(worse, A, worse));
    }

    [Fact]
    public void Choice_that_is_worse_by_med_alone_is_a_question_of_med()
    {
        PathAttributes other = Make("100.64.2.2", "64501 64999", med: 20);
        Assert.Equal(new(RouterChoice.Differs, RouterChoiceCause.Med), Of(other, Make("100.64.1.2", "64501 64999", med: 10), other));
    }

    [Theory]
    [InlineData("local-pref")]
    [InlineData("med")]
    [InlineData("as-path")]
    [InlineData("origin")]
    public void Attributes_changed_on_the_way_into_the_loc_rib_are_a_policy(string what)
    {
        PathAttributes chosen = what switch
        {
            "local-pref" => Make("100.64.2.2", "64502 64999", localPref: 200),
            "med" => Make("100.64.2.2", "64502 64999", med: 5),
            "as-path" => Make("100.64.2.2", "64502"),
            _ => Make("100.64.2.2", "64502 64999", origin: Origin.Egp),
        };
        Assert.Equal(new(RouterChoice.Differs, RouterChoiceCause.Policy), Of(chosen, A, B));
    }

    private static RouterChoiceResult Of(PathAttributes chosen, params PathAttributes[] paths) =>
        RouterChoiceResult.Of(chosen, [.. paths.Select((p, i) => new RibPath(0, (uint)i, p))], Marker);

    private static PathAttributes Make(string nextHop, string asPath, uint? localPref = 100, uint? med = null, Origin origin = Origin.Igp, params uint[] communities) => new()
    {
        NextHop = new NextHop(IpAddr.Parse(nextHop)),
        AsPath = AsPath.Sequence([.. asPath.Split(' ').Select(uint.Parse)]),
        LocalPref = localPref,
        Med = med,
        Origin = origin,
        Communities = [.. communities],
    };
}
