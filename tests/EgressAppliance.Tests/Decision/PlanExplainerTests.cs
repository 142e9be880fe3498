using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Tests.Decision;

public class PlanExplainerTests
{
    private static readonly DecisionSnapshot Snapshot = Lab.Snapshot(
        [Lab.Link("a", 1000, 750), Lab.Link("b", 1000, 100), Lab.Link("c") with { Drain = true }, Lab.Link("d") with { Up = false }, Lab.Link("e", 1000, 960)],
        [Lab.Demand(1, 300, "a", "b", "c", "d", "e"), Lab.Demand(2, 10, "a", "b")]);

    [Fact]
    public void Explain_moved_prefix_tells_where_and_why()
    {
        PrefixExplanation e = Explain(1);
        Assert.Equal(("a", "b", ReasonCode.RelieveOverload), (e.NativeLink, e.Link, e.Reason));
        Assert.Equal("It leaves by b because of an override; plain BGP would use a. Its link is over the threshold.", e.Summary);
        Assert.Equal(
            [ReasonCode.None, ReasonCode.SameLink, ReasonCode.Drained, ReasonCode.LinkDown, ReasonCode.OverThreshold],
            e.Paths.Select(p => p.Reason == ReasonCode.OverCeiling ? ReasonCode.None : p.Reason));
    }

    [Fact]
    public void Explain_unmoved_prefix_says_it_is_not_needed()
    {
        PrefixExplanation e = Explain(2);
        Assert.Equal(("a", "a", ReasonCode.NotNeeded), (e.NativeLink, e.Link, e.Reason));
        Assert.True(e.Paths[1].Usable);
    }

    [Fact]
    public void Explain_prefix_outside_the_snapshot_uses_its_paths()
    {
        Plan plan = Lab.Plan(Snapshot);
        PrefixExplanation e = PlanExplainer.Explain(Snapshot, plan, Lab.NoCaps, Lab.Demand(77, 1, "e"));
        Assert.Equal(ReasonCode.NoAlternativePath, e.Reason);
        e = PlanExplainer.Explain(Snapshot, plan, Lab.NoCaps, Lab.Demand(77, 1, "foreign", "a"));
        Assert.Equal((null, ReasonCode.UnknownLink), (e.Link, e.Reason));
        Assert.Equal(ReasonCode.UnknownLink, e.Paths[0].Reason);
    }

    private static PrefixExplanation Explain(int prefix)
    {
        Plan plan = Lab.Plan(Snapshot);
        return PlanExplainer.Explain(Snapshot, plan, Lab.NoCaps, Snapshot.Prefixes.Single(p => p.Prefix == Lab.Prefix(prefix)));
    }
}
