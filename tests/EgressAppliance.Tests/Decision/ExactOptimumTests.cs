using System.Collections.Concurrent;
using System.Globalization;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision;

public class ExactOptimumTests(ITestOutputHelper output)
{
    private const int Instances = 1000;

    [GlpkFact]
    public async Task Plan_small_instances_equal_the_optimum_of_an_independent_solver()
    {
        ConcurrentBag<(int Seed, string Kind, Plan Plan, long Overload, int Moves)> solved = [];
        await Parallel.ForEachAsync(Seeds(), async (seed, _) =>
        {
            (DecisionSnapshot snapshot, string kind) = HardSnapshots.Make(seed);
            Plan plan = Planner.Plan(snapshot, new PlannerOptions { NoCaps = true });
            (long overload, int moves) = await Glpk.SolveAsync(snapshot);
            solved.Add((seed, kind, plan, overload, moves));
        });

        foreach (var kind in solved.GroupBy(s => s.Kind).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{kind.Key}: {kind.Count()} instances, overload optimal in {kind.Count(SameOverload)}, moves within one in {kind.Count(SameMoves)}, optimum 0 in {kind.Count(s => s.Overload == 0)}"));
        }

        foreach (var s in solved.Where(s => !SameOverload(s) || !SameMoves(s)).OrderBy(s => s.Seed).Take(20))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"seed {s.Seed} ({s.Kind}): plan {s.Plan.OverloadBps / Glpk.Unit} in {s.Plan.Moves.Count} moves, optimum {s.Overload / Glpk.Unit} in {s.Moves}, bound {s.Plan.OverloadLowerBoundBps / Glpk.Unit}"));
        }

        Assert.Equal(Instances, solved.Count);
        Assert.All(solved, s => Assert.True(s.Plan.OverloadBps >= s.Overload && s.Overload >= s.Plan.OverloadLowerBoundBps, $"seed {s.Seed}"));
        Assert.InRange(solved.Count(SameOverload), Instances * 99 / 100, Instances);
        Assert.InRange(solved.Count(SameMoves), Instances * 95 / 100, Instances);
    }

    [GlpkFact]
    public async Task Plan_small_instances_with_policies_leave_the_overload_of_the_optimum()
    {
        const int count = 300;
        ConcurrentBag<(int Seed, Plan Plan, long Overload)> solved = [];
        IEnumerable<int> seeds = Enumerable.Range(0, int.MaxValue)
            .Where(seed => Planner.Plan(HardSnapshots.MakeWithPolicies(seed).Snapshot, new PlannerOptions()).Links.Any(l => l.NativeBps > l.PlannedBps)).Take(count);
        await Parallel.ForEachAsync(seeds, async (seed, _) =>
        {
            (DecisionSnapshot snapshot, string _) = HardSnapshots.MakeWithPolicies(seed);
            PlannerOptions options = new() { NoCaps = true };
            Plan plan = Planner.Plan(snapshot, options);
            Assert.Empty(PlanValidator.Validate(snapshot, plan, options));
            solved.Add((seed, plan, (await Glpk.SolveAsync(snapshot)).Overload));
        });

        int optimal = solved.Count(s => s.Plan.OverloadBps == s.Overload);
        output.WriteLine($"overload optimal in {optimal} of {solved.Count}, over 0 in {solved.Count(s => s.Overload > 0)}, pins in {solved.Count(s => s.Plan.Moves.Any(m => m.Reason == ReasonCode.PinnedByPolicy))}");
        Assert.All(solved, s => Assert.True(s.Plan.OverloadBps >= s.Overload && s.Overload >= s.Plan.OverloadLowerBoundBps, $"seed {s.Seed}"));
        Assert.InRange(optimal, count * 99 / 100, count);
        Assert.InRange(solved.Count(s => s.Plan.Moves.Any(m => m.Reason == ReasonCode.PinnedByPolicy)), count / 10, count);
    }

    /// <summary>Seeds of instances with an overloaded link.</summary>
    private static IEnumerable<int> Seeds() =>
        Enumerable.Range(0, int.MaxValue).Where(seed => Planner.Plan(HardSnapshots.Make(seed).Snapshot, new PlannerOptions()).Verdict != Verdict.NoOverload).Take(Instances);

    private static bool SameOverload((int, string, Plan Plan, long Overload, int Moves) s) => s.Plan.OverloadBps == s.Overload;

    private static bool SameMoves((int, string, Plan Plan, long Overload, int Moves) s) => SameOverload(s) && s.Plan.Moves.Count <= s.Moves + 1;
}
