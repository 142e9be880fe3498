using System.Diagnostics;
using System.Globalization;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

// Cycle after cycle on 100,000 prefixes and 16 links, as the steering loop would: demands wander by some percent a cycle, and what one plan moved is in force in the next. The
// total grows and shrinks over the run like a compressed day, so that a few links, then half of them, then few again are over their threshold natively, and at the peak there is
// little room anywhere. One thread on one processor; the planning is timed, and the check of the plan by itself, not the making of snapshots. By the clock, and by the processor time of the
// thread, in which what others run on the machine does not count. The service runs without tiered compilation; DOTNET_TieredCompilation=0 does the same here.

/// <summary>How long plans take, what they allocate, and how far they are from the lower bound.</summary>
internal static class PlannerMeasurements
{
    private const int Links = 16;
    private const int Prefixes = 100_000;
    private const int Cycles = 400;
    private const int Warm = 20;
    private const long Capacity = 100_000_000_000;

    /// <summary>Runs it.</summary>
    public static void Run()
    {
        ThreadClock.StayOn(0);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Prefixes} prefixes, {Links} links, {Cycles} cycles, .NET {Environment.Version}; load average {File.ReadAllText("/proc/loadavg").Trim()}"));
        Console.WriteLine();
        Console.WriteLine("| caps | p50, ms | p99, ms | most, ms | processor p50, ms | p99, ms | most, ms | validator, processor p50, ms | p99, ms | links over natively, most | moves a cycle, mean (most) | overrides, most | gap to the bound of all traffic, mean (most) | KiB allocated a cycle, first half | second half |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        Measure("of the configuration's defaults", new PlannerOptions { ReliefMargin = 0.03 });
        Measure("none", new PlannerOptions { NoCaps = true });
        Measure("none, and no prefix over a tenth of a link", new PlannerOptions { NoCaps = true }, Capacity / 10);
    }

    /// <param name="caps">What the row is about.</param>
    /// <param name="options">Limits of planning.</param>
    /// <param name="largest">Most of a prefix at full load, bit/s: what the power law gives the first few beyond it goes to all alike.</param>
    private static void Measure(string caps, PlannerOptions options, long largest = long.MaxValue)
    {
        Random random = new(7);
        LinkState[] links = [.. Enumerable.Range(0, Links).Select(i => new LinkState { Name = $"link-{i:00}", CapacityBps = Capacity })];
        (IpPrefix Prefix, string[] Paths)[] routes = [.. Enumerable.Range(0, Prefixes).Select(i => (IpPrefix.Create(IpAddr.FromIPv4(0x1400_0000u + ((uint)i << 8)), 24), Paths(random)))];
        double[] rates = [.. Enumerable.Range(0, Prefixes).Select(i => Math.Pow(1 + i, -0.85))];
        double scale = Capacity * Links / rates.Sum();
        double most = largest / scale;
        double excess = rates.Sum(r => Math.Max(0, r - most)) / Prefixes;
        rates = [.. rates.Select(r => Math.Min(r, most) + excess)];
        List<ActiveOverride> overrides = [];
        List<double> milliseconds = [];
        List<double> processor = [];
        List<double> validator = [];
        List<double> gaps = [];
        List<long> allocated = [];
        List<int> moves = [];
        int mostOver = 0;
        int mostOverrides = 0;
        for (int cycle = -Warm; cycle < Cycles; cycle++)
        {
            // From 45 % of all capacity to 85 % and back.
            double load = 0.65 - (0.20 * Math.Cos(2 * Math.PI * Math.Max(0, cycle) / Cycles));
            PrefixDemand[] demands = new PrefixDemand[Prefixes];
            for (int i = 0; i < Prefixes; i++)
            {
                rates[i] *= 1 + ((random.NextDouble() - 0.5) * 0.04);
                demands[i] = new(routes[i].Prefix, (long)(rates[i] * scale * load), routes[i].Paths);
            }

            DecisionSnapshot snapshot = new() { Time = DateTimeOffset.UnixEpoch, Links = links, Prefixes = demands, Overrides = [.. overrides] };
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            long startProcessor = ThreadClock.Now();
            Plan plan = Planner.Plan(snapshot, options);
            long planned = ThreadClock.Now();
            double took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            if (PlanValidator.Validate(snapshot, plan, options) is { Count: > 0 } broken)
            {
                throw new InvalidOperationException("the plan is not valid: " + broken[0]);
            }

            long validated = ThreadClock.Now();

            HashSet<IpPrefix> gone = [.. plan.Releases.Select(r => r.Prefix), .. plan.Moves.Select(m => m.Prefix)];
            overrides = [
                .. overrides.Where(o => !gone.Contains(o.Prefix)).Select(o => o with { AgeSeconds = o.AgeSeconds + 5 }),
                .. plan.Moves.Select(m => new ActiveOverride(m.Prefix, m.To, 5)),
            ];
            if (cycle < 0)
            {
                continue;
            }

            milliseconds.Add(took);
            processor.Add((planned - startProcessor) / 1e6);
            validator.Add((validated - planned) / 1e6);
            allocated.Add(bytes);
            moves.Add(plan.Moves.Count);
            gaps.Add((double)(plan.OverloadBps - plan.OverloadLowerBoundBps) / demands.Sum(d => (double)d.RateBps));
            mostOver = Math.Max(mostOver, plan.Links.Count(l => l.NativeBps > Capacity * 95 / 100));
            mostOverrides = Math.Max(mostOverrides, overrides.Count);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {caps} | {At(milliseconds, 50):0.0} | {At(milliseconds, 99):0.0} | {milliseconds.Max():0.0} | {At(processor, 50):0.0} | {At(processor, 99):0.0} | {processor.Max():0.0} | {At(validator, 50):0.0} | {At(validator, 99):0.0} | {mostOver} | {moves.Average():0.0} ({moves.Max()}) | {mostOverrides} | {gaps.Average():0.0000 %} ({gaps.Max():0.0000 %}) | {allocated.Take(Cycles / 2).Average() / 1024:0} | {allocated.Skip(Cycles / 2).Average() / 1024:0} |"));
    }

    private static double At(List<double> values, int percentile) => values.Order().ElementAt(values.Count * percentile / 100);

    /// <summary>Up to four ways out; some links are preferred by far more prefixes than others.</summary>
    private static string[] Paths(Random random)
    {
        HashSet<int> chosen = [];
        int count = random.Next(1, 5);
        while (chosen.Count < count)
        {
            chosen.Add((int)(Links * Math.Pow(random.NextDouble(), 1.4)));
        }

        return [.. chosen.Select(i => $"link-{i:00}")];
    }
}
