using EgressAppliance.Decision;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Planner;
using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision;

public class PlannerPropertyTests(ITestOutputHelper output)
{
    // Always the same seeds: a build must not fail by chance. A longer search is a change of two numbers.
    private static readonly FsCheck.Config Thorough = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(600).WithReplay(20260101, 1);

    private static Arbitrary<int> Seeds => Gen.Choose(0, int.MaxValue).ToArbitrary();

    [Fact]
    public void Plan_any_snapshot_satisfies_the_validator()
    {
        Prop.ForAll(Seeds, seed =>
        {
            (DecisionSnapshot snapshot, PlannerOptions options) = RandomSnapshots.Any(seed);
            Plan plan = Planner.Plan(snapshot, options);
            IReadOnlyList<PlanViolation> found = PlanValidator.Validate(snapshot, plan, options);
            return (found.Count == 0).Label(string.Join("; ", found));
        }).Check(Thorough);
    }

    [Fact]
    public void Plan_any_order_of_inputs_gives_the_same_bytes()
    {
        Prop.ForAll(Seeds, seed =>
        {
            (DecisionSnapshot snapshot, PlannerOptions options) = RandomSnapshots.Any(seed);
            byte[] plan = DecisionJson.Write(Planner.Plan(snapshot, options));
            byte[] again = DecisionJson.Write(Planner.Plan(RandomSnapshots.Shuffled(snapshot, seed), options));
            return plan.AsSpan().SequenceEqual(again);
        }).Check(Thorough);
    }

    [Fact]
    public void Plan_any_snapshot_is_never_worse_than_plain_bgp_nor_better_than_the_bound()
    {
        Prop.ForAll(Seeds, seed =>
        {
            (DecisionSnapshot snapshot, PlannerOptions options) = RandomSnapshots.Any(seed);
            Plan plan = Planner.Plan(snapshot, options);
            long without = WithoutUs(snapshot);
            return (plan.OverloadBps <= without && plan.OverloadBps >= plan.OverloadLowerBoundBps)
                .Label($"{plan.Verdict}: bound {plan.OverloadLowerBoundBps}, plan {plan.OverloadBps}, without us {without}");
        }).Check(Thorough);
    }

    [Fact]
    public void Plan_applied_twice_changes_nothing_more()
    {
        Prop.ForAll(Seeds, seed =>
        {
            (DecisionSnapshot snapshot, PlannerOptions options) = RandomSnapshots.Any(seed);
            Plan plan = Planner.Plan(snapshot, options);
            DecisionSnapshot next = snapshot with
            {
                Overrides = [.. plan.Kept.Select(k => snapshot.Overrides.First(o => o.Prefix == k.Prefix)),
                    .. plan.Moves.Select(m => new ActiveOverride(m.Prefix, m.To, 5))],
            };
            Plan second = Planner.Plan(next, options);
            bool capped = plan.Verdict == Verdict.Capped || plan.Kept.Any(k => k.Reason == ReasonCode.Capped);
            return (capped || second.OverloadBps <= plan.OverloadBps).Label($"{plan.OverloadBps} then {second.OverloadBps}");
        }).Check(Thorough);
    }

    [Fact]
    public void Plan_small_instances_equal_the_optimum_found_by_trying_everything()
    {
        int overloaded = 0, sameOverload = 0, sameMoves = 0, onlyByChains = 0;
        for (int seed = 0; overloaded < 400; seed++)
        {
            DecisionSnapshot snapshot = RandomSnapshots.Small(seed);
            Plan plan = Lab.Plan(snapshot);
            (long overload, int moves) = BruteForce.Solve(snapshot, chains: true);
            Assert.True(plan.OverloadLowerBoundBps <= overload, $"seed {seed}: bound {plan.OverloadLowerBoundBps}, optimum {overload}");
            if (plan.Verdict == Verdict.NoOverload)
            {
                Assert.Equal(0, overload);
                continue;
            }

            overloaded++;
            sameOverload += plan.OverloadBps == overload ? 1 : 0;
            sameMoves += plan.OverloadBps == overload && plan.Moves.Count == moves ? 1 : 0;
            onlyByChains += BruteForce.Solve(snapshot, chains: false).Overload > overload ? 1 : 0;
        }

        output.WriteLine($"{overloaded} overloaded instances: overload equals the optimum in {sameOverload}, moves as well in {sameMoves}; "
            + $"the optimum takes chains in {onlyByChains}");
        Assert.InRange(onlyByChains, 1, overloaded);
        Assert.Equal(overloaded, sameOverload);

        // Chains are looked for only where overload is left without them; now and then one would save a move.
        Assert.InRange(sameMoves, overloaded * 98 / 100, overloaded);
    }

    /// <summary>Overload with operators' overrides alone, straight from the definition.</summary>
    private static long WithoutUs(DecisionSnapshot snapshot)
    {
        Dictionary<string, LinkState> links = snapshot.Links.ToDictionary(l => l.Name);
        Dictionary<string, long> load = snapshot.Links.ToDictionary(l => l.Name, l => l.Up ? l.ResidualBps : 0);
        foreach (PrefixDemand demand in snapshot.Prefixes)
        {
            ActiveOverride? pinned = snapshot.Overrides.FirstOrDefault(o => o.Pinned && o.Prefix == demand.Prefix);
            string? link = pinned is not null && links.TryGetValue(pinned.Link, out LinkState? by) && by.Up && demand.Paths.Contains(pinned.Link)
                ? pinned.Link : demand.Paths.FirstOrDefault(p => links[p].Up);
            if (link is not null)
            {
                load[link] += demand.RateBps;
            }
        }

        return snapshot.Links.Sum(l => Math.Max(0, load[l.Name] - (long)decimal.Floor(l.CapacityBps * (decimal)l.Threshold)));
    }
}
