using EgressAppliance.Decision;

namespace EgressAppliance.Tests.Decision;

/// <summary>Small instances that are hard to pack, each a function of its seed. Whole Mbit/s; limits are whole too.</summary>
internal static class HardSnapshots
{
    private static readonly string[] Kinds = ["equal", "uniform", "zipf", "two sizes", "exact fit", "two overloaded"];

    public static (DecisionSnapshot Snapshot, string Kind) Make(int seed)
    {
        Random random = new(seed);
        string kind = Kinds[seed % Kinds.Length];
        int links = random.Next(3, 6);
        int count = random.Next(6, 15);
        LinkState[] states = [.. Enumerable.Range(0, links).Select(i => Lab.Link("link-" + (char)('a' + i), random.Next(5, 11) * 100, random.Next(0, 300)) with
        {
            Up = i == 0 || random.Next(12) > 0,
            Drain = i > 0 && random.Next(12) == 0,
        })];
        int total = random.Next(900, 1700);
        int[] rates = Rates(random, kind, count, total);
        int overloaded = kind == "two overloaded" ? 2 : 1;
        List<PrefixDemand> demands = [];
        for (int i = 0; i < count; i++)
        {
            string[] names = [.. states.Select(l => l.Name)];
            random.Shuffle(names);
            if (random.Next(5) > 0)
            {
                string native = states[random.Next(overloaded)].Name;
                names = [native, .. names.Where(n => n != native)];
            }

            demands.Add(Lab.Demand(i, rates[i], names[..random.Next(1, names.Length + 1)]));
        }

        return (Lab.Snapshot(states, [.. demands]), kind);
    }

    /// <summary>The same with some prefixes that policies deny or pin.</summary>
    public static (DecisionSnapshot Snapshot, string Kind) MakeWithPolicies(int seed)
    {
        (DecisionSnapshot snapshot, string kind) = Make(seed);
        Random random = new(seed ^ 0x5EED);
        return (snapshot with
        {
            Prefixes = [.. snapshot.Prefixes.Select(p => p.By(random.Next(6) switch
            {
                0 => Lab.Deny,
                1 => Lab.Pin(snapshot.Links[random.Next(snapshot.Links.Count)].Name),
                _ => null,
            }))],
        }, kind);
    }

    private static int[] Rates(Random random, string kind, int count, int total) => kind switch
    {
        "equal" => [.. Enumerable.Repeat(Math.Max(1, total / count), count)],
        "zipf" => [.. Enumerable.Range(1, count).Select(i => Math.Max(1, (int)(total / 2.5 / i)))],
        "two sizes" => [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? total / 5 : (total / 12) + (i % 2))],

        // Every sum of these is another number: one set at most fills a room exactly.
        "exact fit" => [.. Enumerable.Range(0, count).Select(i => Math.Max(1, ((total / count) + (1 << (i % 9))) / 2 * 2))],
        _ => [.. Enumerable.Range(0, count).Select(_ => random.Next(0, 2 * total / count))],
    };
}
