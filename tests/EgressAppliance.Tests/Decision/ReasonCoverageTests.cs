using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>Every verdict and every reason is one that somebody can meet: none is dead, and each has its words.</summary>
public class ReasonCoverageTests
{
    private const int Histories = 1000;
    private const int Steps = 40;

    [Fact]
    public void Every_verdict_and_reason_is_met()
    {
        HashSet<Verdict> verdicts = [];
        HashSet<ReasonCode> reasons = [];

        // What random histories do not come to by their nature.
        verdicts.Add(new DecisionController(new()).SetMode(DecisionMode.Observe, Lab.Start).Verdict);
        verdicts.Add(Planner.Plan(Lab.Snapshot([], []), new()).Verdict);
        verdicts.Add(Planner.Plan(Lab.Snapshot([Lab.Link("a"), Lab.Link("a")], []), new()).Verdict);
        verdicts.Add(new DecisionController(new(), DecisionMode.Observe, (_, _) => new Plan { Verdict = Verdict.Relieved, Releases = [new(Lab.Prefix(1), "a", "b", 1, ReasonCode.NoRate)] })
            .Cycle(new CycleInput { Now = Lab.Start, Links = [Lab.Link("a")], Prefixes = [] }).Verdict);
        verdicts.Add(new DecisionController(new()).Cycle(new CycleInput { Now = Lab.Start, Links = [Lab.Link("a")], Prefixes = [], Health = new InputHealth { MissingCollectors = ["c1"] } }).Verdict);
        DecisionSnapshot refused = Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b") with { Distrusted = true }], [Lab.Demand(1, 100, "a", "b")]);
        reasons.Add(Assert.Single(Lab.Plan(refused).Rejected).Reason);
        DecisionSnapshot elsewhere = Lab.Snapshot([Lab.Link("a")], [Lab.Demand(1, 100, "x")]);
        reasons.Add(PlanExplainer.Explain(elsewhere, Lab.Plan(elsewhere), Lab.NoCaps, elsewhere.Prefixes[0]).Reason);

        for (int seed = 0; seed < Histories && (Enum.GetValues<Verdict>().Length > verdicts.Count + 2 || Enum.GetValues<ReasonCode>().Length > reasons.Count); seed++)
        {
            ControllerSequence sequence = new(seed);
            sequence.Run(Steps);
            verdicts.UnionWith(sequence.Verdicts);
            reasons.UnionWith(sequence.Reasons);
        }

        // These are of boxes that do not decide: see LeadershipTests.
        verdicts.UnionWith([Verdict.Collecting, Verdict.Standby]);
        Assert.Empty(Enum.GetValues<Verdict>().Except(verdicts));
        Assert.Empty(Enum.GetValues<ReasonCode>().Except(reasons));
    }

    [Fact]
    public void Every_verdict_and_reason_has_a_code_and_a_sentence_of_its_own()
    {
        string[] codes = [.. Enum.GetValues<Verdict>().Select(Reasons.Code)];
        string[] texts = [.. Enum.GetValues<Verdict>().Select(Reasons.Text), .. Enum.GetValues<ReasonCode>().Select(Reasons.Text)];
        Assert.Equal(codes.Length, codes.Distinct().Count());
        Assert.Equal(Enum.GetValues<ReasonCode>().Length, Enum.GetValues<ReasonCode>().Select(Reasons.Code).Distinct().Count());
        Assert.All(texts, text => Assert.EndsWith(".", text, StringComparison.Ordinal));
    }
}
