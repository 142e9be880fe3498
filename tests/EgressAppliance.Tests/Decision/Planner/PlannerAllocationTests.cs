using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision;

/// <summary>What a plan of many prefixes allocates: a few bytes for each, not an object.</summary>
public class PlannerAllocationTests(ITestOutputHelper output)
{
    private const int Prefixes = 50_000;

    [Theory]
    [InlineData(0.5, Verdict.NoOverload, 6)]
    [InlineData(0.97, Verdict.NoCapacityAnywhere, 8)]
    public void Plan_many_prefixes_allocates_some_bytes_for_each(double fill, Verdict verdict, int bytesEach)
    {
        DecisionSnapshot snapshot = Snapshot(fill);
        PlannerOptions options = new() { MinPrefixShare = 0 };
        Plan plan = Planner.Plan(snapshot, options);
        long bytes = Allocations.InSteadyState(() => plan = Planner.Plan(snapshot, options));
        output.WriteLine($"{bytes} bytes, {plan.Verdict}");
        Assert.Equal(verdict, plan.Verdict);
        Assert.InRange(bytes, 1, bytesEach * Prefixes);
    }

    [Fact]
    public void Validate_many_prefixes_allocates_for_the_plan_not_for_the_prefixes()
    {
        DecisionSnapshot snapshot = Snapshot(0.97);
        PlannerOptions options = new();
        Plan plan = Planner.Plan(snapshot, options);
        long bytes = Allocations.InSteadyState(() => Assert.Empty(PlanValidator.Validate(snapshot, plan, options)));
        output.WriteLine($"{bytes} bytes");
        Assert.InRange(bytes, 1, Prefixes);
    }

    /// <summary>All links filled alike.</summary>
    private static DecisionSnapshot Snapshot(double fill)
    {
        const int links = 12;
        LinkState[] states = [.. Enumerable.Range(0, links).Select(i => Lab.Link($"link-{i:00}", 100_000))];
        long rate = (long)(fill * links * states[0].CapacityBps / Prefixes);
        return Lab.Snapshot(states, [.. Enumerable.Range(0, Prefixes).Select(i =>
            new PrefixDemand(Lab.Prefix(i), rate, (string[])[states[i % links].Name, states[i / links % links].Name, states[i / 7 % links].Name]))]);
    }
}
