using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>Random snapshots and options, each a function of its seed.</summary>
internal static class RandomSnapshots
{
    public static (DecisionSnapshot Snapshot, PlannerOptions Options) Any(int seed)
    {
        Random random = new(seed);
        int links = random.Next(1, 6);
        LinkState[] states = [.. Enumerable.Range(0, links).Select(i => new LinkState
        {
            Name = "link-" + (char)('a' + i),
            CapacityBps = random.Next(1, 11) * 1000 * Lab.M,
            Up = random.Next(10) > 0,
            Drain = random.Next(10) == 0,
            Distrusted = random.Next(10) == 0,
            Unconfirmed = random.Next(6) == 0,
            NativePeakBps = random.Next(4) == 0 ? random.Next(1, 11) * 1000 * Lab.M : null,
            ErrorRatio = random.Next(3) == 0 ? random.Next(0, 8) / 100.0 : null,
            ResidualBps = random.Next(0, 500) * Lab.M,
        })];
        int count = random.Next(0, 60);
        double fill = random.NextDouble() * 1.6;
        long scale = Math.Max(1, (long)(states.Sum(s => (double)s.CapacityBps) * fill / (count + 1)));
        List<PrefixDemand> demands = [];
        List<ActiveOverride> overrides = [];
        for (int i = 0; i < count; i++)
        {
            string[] paths = Paths(random, states);
            demands.Add(new(Lab.Prefix(i), (long)(scale * Math.Pow(random.NextDouble(), 2) * 3), paths));
            if (random.Next(5) == 0)
            {
                string link = random.Next(8) == 0 ? "link-" + (char)('a' + random.Next(7)) : paths.Length > 0 ? paths[^1] : "link-a";
                overrides.Add(new(Lab.Prefix(i), link, random.Next(0, 200), random.Next(6) == 0, random.Next(6) == 0));
            }
        }

        if (random.Next(4) == 0)
        {
            overrides.Add(new(Lab.Prefix(9999), states[0].Name, random.Next(0, 200)));
        }

        DecisionSnapshot snapshot = new()
        {
            Time = Lab.Start,
            Links = states,
            Prefixes = demands,
            Overrides = overrides,
            Quarantined = random.Next(3) == 0 ? [Lab.Prefix(0), Lab.Prefix(3)] : [],
        };
        PlannerOptions options = new()
        {
            NoCaps = random.Next(2) == 0,
            ReliefMargin = random.Next(2) * 0.03,
            MaxMovesPerCycle = random.Next(0, 10),
            MaxOverrides = random.Next(0, 20),
            MaxSharePerCycle = random.NextDouble() * 0.3,
            MaxShare = random.NextDouble(),
            MinPrefixShare = random.Next(2) == 0 ? 0.001 : 0.02,
        };
        return (random.Next(2) == 0 ? WithPolicies(snapshot, random) : snapshot, options);
    }

    /// <summary>The same with policies of all kinds for a part of the prefixes; some name links that there are not.</summary>
    public static DecisionSnapshot WithPolicies(DecisionSnapshot snapshot, Random random)
    {
        string[] names = [.. snapshot.Links.Select(l => l.Name), "link-x"];
        return snapshot with
        {
            Prefixes = [.. snapshot.Prefixes.Select(p => p.By(random.Next(10) switch
            {
                0 => Lab.Deny,
                1 or 2 => Lab.Pin(names[random.Next(names.Length)]),
                3 => Lab.Prefer([.. names.OrderBy(_ => random.Next()).Take(random.Next(1, 3))]),
                4 => Lab.Class(random.Next(10)),
                _ => null,
            }))],
        };
    }

    /// <summary>One overloaded link or two, few prefixes: small enough to try everything.</summary>
    public static DecisionSnapshot Small(int seed)
    {
        Random random = new(seed);
        int links = random.Next(2, 5);
        LinkState[] states = [.. Enumerable.Range(0, links).Select(i => Lab.Link("link-" + (char)('a' + i), random.Next(5, 11) * 100, random.Next(0, 300)))];
        int count = random.Next(1, 9);
        List<PrefixDemand> demands = [];
        for (int i = 0; i < count; i++)
        {
            string[] paths = Paths(random, states);
            if (random.Next(3) > 0)
            {
                // Most prefixes prefer the same link, so that it is overloaded.
                paths = [states[0].Name, .. paths.Where(p => p != states[0].Name)];
            }

            demands.Add(Lab.Demand(i, random.Next(1, 2000 / count), paths));
        }

        return Lab.Snapshot(states, [.. demands]);
    }

    public static DecisionSnapshot Shuffled(DecisionSnapshot snapshot, int seed)
    {
        Random random = new(seed);
        T[] Shuffle<T>(IReadOnlyList<T> list)
        {
            T[] copy = [.. list];
            random.Shuffle(copy);
            return copy;
        }

        return snapshot with
        {
            Links = Shuffle(snapshot.Links),
            Prefixes = Shuffle(snapshot.Prefixes),
            Overrides = Shuffle(snapshot.Overrides),
            Quarantined = Shuffle(snapshot.Quarantined),
        };
    }

    private static string[] Paths(Random random, LinkState[] links)
    {
        string[] names = [.. links.Select(l => l.Name)];
        random.Shuffle(names);
        return names[..random.Next(random.Next(8) == 0 ? 0 : 1, names.Length + 1)];
    }
}
