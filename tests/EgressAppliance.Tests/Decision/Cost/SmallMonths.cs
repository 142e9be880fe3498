using EgressAppliance.Decision;
using EgressAppliance.Decision.Cost;

namespace EgressAppliance.Tests.Decision.Cost;

/// <summary>
/// Months small enough for an exact optimum: one sample a day, two of them free, two or three links, four to ten prefixes. A weekly pattern, noise on the total and on every prefix, and days with a burst. The
/// month before is drawn by the same law. Under plain BGP no link comes near its threshold, or relief would have priority.
/// </summary>
internal static class SmallMonths
{
    private static readonly int[] Week = [100, 100, 104, 108, 120, 85, 78];

    public static SyntheticMonth Make(int seed)
    {
        for (int attempt = 0; ; attempt++)
        {
            SyntheticMonth month = Draw(new Random((seed * 1000) + attempt));
            bool fits = month.Native(month.Rates).Concat(month.Native(month.RatesBefore)).All(s => s.Select((load, l) => load * 100 <= month.Links[l].CapacityBps * 90).All(ok => ok));
            if (fits)
            {
                return month;
            }
        }
    }

    private static SyntheticMonth Draw(Random random)
    {
        int links = random.Next(3) == 0 ? 3 : 2;
        int prefixes = random.Next(4, 11);
        LinkState[] states = [.. Enumerable.Range(0, links).Select(l => Lab.Link("link-" + (char)('a' + l), random.Next(8, 13) * 100) with
        {
            PricePerMbps = random.Next(5, 31) / 10.0,
            CommitBps = random.Next(0, 3) * 100 * Lab.M,
        })];
        string[] names = [.. states.Select(s => s.Name)];
        string[][] paths = [.. Enumerable.Range(0, prefixes).Select(_ =>
        {
            string[] order = [.. names];
            random.Shuffle(order);
            return random.Next(5) == 0 ? order[..random.Next(1, links + 1)] : order;
        })];
        double[] shares = [.. Enumerable.Range(0, prefixes).Select(_ => 0.2 + random.NextDouble())];
        double total = states.Sum(s => s.CapacityBps / Lab.M) * (0.25 + (0.25 * random.NextDouble()));
        double[] means = [.. shares.Select(s => total * s / shares.Sum())];
        DateTimeOffset start = new(2026, random.Next(2, 13), 1, 0, 0, 0, TimeSpan.Zero);
        return new()
        {
            Start = start,
            Billing = new() { Interval = TimeSpan.FromDays(1), FreeRatio = 0.072 },
            Links = states,
            Paths = paths,
            Rates = Rates(random, means, start, DateTime.DaysInMonth(start.Year, start.Month)),
            RatesBefore = Rates(random, means, start.AddMonths(-1), DateTime.DaysInMonth(start.AddMonths(-1).Year, start.AddMonths(-1).Month)),
        };
    }

    private static long[][] Rates(Random random, double[] means, DateTimeOffset start, int days) => [.. Enumerable.Range(0, days).Select(day =>
    {
        double scale = Week[((int)start.AddDays(day).DayOfWeek + 6) % 7] / 100.0 * Around(random, 0.05) * (random.Next(10) == 0 ? 1.25 : 1);
        return means.Select(mean => (long)(mean * scale * Around(random, 0.05)) * Lab.M).ToArray();
    })];

    private static double Around(Random random, double width) => 1 + (width * ((2 * random.NextDouble()) - 1));
}
