using EgressAppliance.Decision;
using EgressAppliance.Decision.Cost;

namespace EgressAppliance.Tests.Decision.Cost;

/// <summary>
/// A whole month in samples of five minutes and the one before it: four links, prefixes of very different size, evenings that are three times the night, weekends of their own, a peak hour that is
/// not the same for all prefixes, noise, and now and then a burst of some hours, of one prefix or of all. Under plain BGP no link comes over its threshold.
/// </summary>
internal static class FullMonth
{
    private const int Day = 288;
    private static readonly double[] Week = [1, 1, 1.02, 1.04, 1.08, 1.12, 1.1];

    public static SyntheticMonth Make(int seed, int prefixes)
    {
        Random random = new(seed);
        LinkState[] links =
        [
            Lab.Link("transit-a", 100_000) with { PricePerMbps = 0.60, CommitBps = 10_000 * Lab.M },
            Lab.Link("transit-b", 100_000) with { PricePerMbps = 0.35, CommitBps = 20_000 * Lab.M },
            Lab.Link("transit-c", 60_000) with { PricePerMbps = 0.90, CommitBps = 5_000 * Lab.M },
            Lab.Link("transit-d", 40_000) with { PricePerMbps = 0.45 },
        ];
        string[] names = [.. links.Select(l => l.Name)];
        string[][] paths = [.. Enumerable.Range(0, prefixes).Select(_ =>
        {
            // The native link is drawn by capacity; some prefixes have few other paths.
            int at = random.Next(300);
            string native = names[at < 100 ? 0 : at < 200 ? 1 : at < 260 ? 2 : 3];
            string[] rest = [.. names.Where(n => n != native)];
            random.Shuffle(rest);
            return (string[])[native, .. rest[..random.Next(random.Next(4) == 0 ? 0 : 2, rest.Length + 1)]];
        })];
        double[] shares = [.. Enumerable.Range(0, prefixes).Select(i => 1 / Math.Pow(i + 3, 0.9))];
        random.Shuffle(shares);
        double[] peaks = [.. shares.Select(_ => 20.5 + (3 * random.NextDouble()))];
        double[] means = [.. shares.Select(s => 80_000 * s / shares.Sum())];
        DateTimeOffset start = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);
        SyntheticMonth month = new()
        {
            Start = start,
            Billing = new(),
            Links = links,
            Paths = paths,
            RatesBefore = Rates(random, means, peaks, start.AddMonths(-1), 30 * Day),
            Rates = Rates(random, means, peaks, start, 31 * Day),
        };
        long[][] native = month.Native(month.Rates);
        Assert.All(native, sample => Assert.All(sample.Select((load, l) => (load, l)), s => Assert.True(s.load * 100 <= links[s.l].CapacityBps * 90)));
        return month;
    }

    private static long[][] Rates(Random random, double[] means, double[] peaks, DateTimeOffset start, int samples)
    {
        double[] wander = new double[means.Length];
        double[] burst = new double[means.Length];
        int[] burstLeft = new int[means.Length];
        double all = 1;
        int allLeft = 0;
        long[][] rates = new long[samples][];
        for (int t = 0; t < samples; t++)
        {
            double hour = t % Day * 24.0 / Day;
            double day = Week[((int)start.AddDays(t / Day).DayOfWeek + 6) % 7];
            if (allLeft-- <= 0)
            {
                // About four times a month something makes everything grow for some hours.
                bool now = random.Next(Day * 8) == 0;
                (all, allLeft) = now ? (1.2 + (0.2 * random.NextDouble()), random.Next(12, 48)) : (1, 0);
            }

            rates[t] = new long[means.Length];
            for (int p = 0; p < means.Length; p++)
            {
                wander[p] = (0.98 * wander[p]) + (0.02 * 3 * ((2 * random.NextDouble()) - 1));
                if (burstLeft[p]-- <= 0)
                {
                    bool now = random.Next(Day * 20) == 0;
                    (burst[p], burstLeft[p]) = now ? (1.5 + (2 * random.NextDouble()), random.Next(6, 36)) : (1, 0);
                }

                double diurnal = 0.65 + (0.35 * Math.Cos((hour - peaks[p]) / 24 * 2 * Math.PI));
                rates[t][p] = (long)(means[p] * diurnal * day * all * burst[p] * Math.Max(0.2, 1 + wander[p]) * Lab.M);
            }
        }

        return rates;
    }
}
