using System.Diagnostics;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision;

public class PlannerScaleTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1.8, false)]
    [InlineData(2.4, true)]
    public void Plan_100k_prefixes_on_8_links_relieves_what_there_is_room_for(double first, bool noCaps)
    {
        Random random = new(1);
        LinkState[] links = [.. Enumerable.Range(0, 8).Select(i => Lab.Link("link-" + i, 100_000))];
        List<PrefixDemand> demands = [];
        for (int i = 0; i < 100_000; i++)
        {
            string[] names = [.. links.Select(l => l.Name)];
            random.Shuffle(names);
            string native = random.NextDouble() < first / 6 ? "link-0" : names[0];
            // Zipf with a total of about 520 Gbit/s on 800.
            demands.Add(new(Lab.Prefix(i), (long)(6_000 * Lab.M / Math.Pow(1 + i, 0.8)),
                [native, .. names.Where(n => n != native).Take(3)]));
        }

        DecisionSnapshot snapshot = Lab.Snapshot(links, [.. demands]);
        PlannerOptions options = new() { NoCaps = noCaps, MaxMovesPerCycle = 50 };
        TimeSpan elapsed = TimeSpan.MaxValue;
        Plan plan = null!;
        for (int i = 0; i < 2; i++)
        {
            Stopwatch watch = Stopwatch.StartNew();
            plan = Planner.Plan(snapshot, options);
            elapsed = watch.Elapsed < elapsed ? watch.Elapsed : elapsed;
        }

        output.WriteLine($"{elapsed.TotalMilliseconds:0.0} ms, {plan.Verdict}, {plan.Moves.Count} moves, overload {plan.OverloadBps}, bound {plan.OverloadLowerBoundBps}, "
            + string.Join(" ", plan.Links.Select(l => $"{l.NativeBps / 1e9:0.0}>{l.PlannedBps / 1e9:0.0}")));
        Assert.Empty(PlanValidator.Validate(snapshot, plan, options));
        Assert.NotEmpty(plan.Moves);
        Assert.True(plan.OverloadBps < Overload(plan));
    }

    private static long Overload(Plan plan) => plan.Links.Sum(l => Math.Max(0, l.NativeBps - (95_000 * Lab.M)));
}
