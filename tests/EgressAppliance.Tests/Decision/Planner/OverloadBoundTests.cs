using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision;

/// <summary>
/// The lower bound of the overload, held against the minimum cut over all sets of links. Traffic that can use links of a set only finds no other room than
/// theirs, and some set is the tight one (max-flow min-cut).
/// </summary>
public class OverloadBoundTests(ITestOutputHelper output)
{
    private static readonly FsCheck.Config Thorough = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(20260101, 1);

    [Fact]
    public void Plan_any_snapshot_has_the_bound_of_the_minimum_cut_over_all_sets_of_links()
    {
        int bounds = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            DecisionSnapshot snapshot = Crowded(seed);
            PlannerOptions options = new() { NoCaps = true };
            Plan plan = Planner.Plan(snapshot, options);
            long expected = plan.OverloadBps == 0 ? 0 : MinimumCut(snapshot);
            bounds += expected > 0 ? 1 : 0;
            return (plan.OverloadLowerBoundBps == expected).Label($"{plan.OverloadLowerBoundBps} instead of {expected}");
        }).Check(Thorough);
        output.WriteLine($"{bounds} bounds over 0");
        Assert.True(bounds > 50);
    }

    /// <summary>Links that are full here and have room there, and prefixes that can use two or three of them: room is often found only by way of several links.</summary>
    private static DecisionSnapshot Crowded(int seed)
    {
        Random random = new(seed);
        int links = random.Next(2, 9);
        LinkState[] states = [.. Enumerable.Range(0, links).Select(i => Lab.Link("link-" + (char)('a' + i), random.Next(1, 11) * 100, random.Next(0, 60)) with
        {
            Up = random.Next(12) > 0,
            Drain = random.Next(12) == 0,
            ErrorRatio = random.Next(3) == 0 ? 0.03 : null,
        })];
        int count = random.Next(20, 200);
        long most = (long)(states.Sum(s => (double)s.CapacityBps) * (1 + random.NextDouble()) / count);
        PrefixDemand[] demands = [.. Enumerable.Range(0, count).Select(i =>
        {
            // Neighbours only: what is at one end of the row comes to the other through all between.
            int first = random.Next(links);
            string[] paths = [.. Enumerable.Range(first, random.Next(1, 4)).Where(l => l < links).Select(l => states[l].Name)];
            random.Shuffle(paths);
            PrefixPolicy? policy = i < 16 ? Lab.Deny : random.Next(8) == 0 ? Lab.Pin(states[random.Next(links)].Name) : null;
            return new PrefixDemand(Lab.Prefix(i), random.NextInt64(0, most + 1), paths) { Policy = policy };
        })];
        return Lab.Snapshot(states, demands);
    }

    /// <summary>Straight from the definition, for a snapshot without overrides.</summary>
    private static long MinimumCut(DecisionSnapshot snapshot)
    {
        Dictionary<string, int> index = snapshot.Links.Select((link, i) => (link.Name, i)).ToDictionary(l => l.Name, l => l.i);
        long[] threshold = [.. snapshot.Links.Select(l => Part(l.CapacityBps, l.Threshold))];
        long[] enter = [.. snapshot.Links.Select((l, i) => l.Up && !l.Drain
            ? Math.Min(Part(threshold[i], 1 - (l.ErrorRatio ?? 0)), Part(Part(l.CapacityBps, l.Ceiling), 1 - (l.ErrorRatio ?? 0))) : 0)];
        long[] immovable = [.. snapshot.Links.Select(l => l.Up ? l.ResidualBps : 0)];
        long[] native = (long[])immovable.Clone();
        List<(int Usable, long Rate)> movable = [];
        foreach (PrefixDemand demand in snapshot.Prefixes)
        {
            string? first = demand.Paths.FirstOrDefault(p => snapshot.Links[index[p]].Up);
            if (first is null)
            {
                continue;
            }

            native[index[first]] += demand.RateBps;
            string? pin = demand.Policy is { Action: PolicyAction.Pin } ? demand.Policy.Links[0] : null;
            bool carried = pin is not null && demand.Paths.Contains(pin) && snapshot.Links[index[pin]] is { Up: true, Drain: false };
            if (demand.Policy is { Action: PolicyAction.Deny } || (pin is not null && !carried))
            {
                immovable[index[first]] += demand.RateBps;
                continue;
            }

            int usable = demand.Paths.Where(p => (pin is null || p == pin) && enter[index[p]] >= demand.RateBps).Aggregate(1 << index[first], (set, p) => set | (1 << index[p]));
            movable.Add((usable, demand.RateBps));
        }

        long[] most = [.. threshold.Select((t, l) => Math.Min(t, Math.Max(enter[l], native[l])))];
        long worst = 0;
        for (int set = 0; set < 1 << most.Length; set++)
        {
            long confined = movable.Where(m => (m.Usable & ~set) == 0).Sum(m => m.Rate);
            long room = most.Select((m, l) => (set >> l & 1) == 0 ? 0 : Math.Max(0, m - immovable[l])).Sum();
            worst = Math.Max(worst, confined - room);
        }

        return worst + most.Select((m, l) => Math.Max(0, immovable[l] - m)).Sum();
    }

    private static long Part(long value, double ratio) => (long)decimal.Floor(value * (decimal)ratio);
}
