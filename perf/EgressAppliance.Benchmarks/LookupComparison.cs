using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

// Each round gives every contender the same two million destinations, a thousand at a time, in an order that moves on by one from round to
// round; the next round starts elsewhere among the destinations. Medians of thread CPU time over the rounds, and of the ratio within each round.

/// <summary>The compiled table against the C tables, interleaved: a Markdown table.</summary>
internal static class LookupComparison
{
    private const int All = 1 << 20;
    private const int PerRound = 1 << 21;
    private const int Chunk = 1024;

    /// <summary>Runs it.</summary>
    /// <param name="rounds">How often each contender has its turn.</param>
    /// <param name="family">One of the families, or none for both.</param>
    public static void Run(int rounds, IpFamily? family)
    {
        IpPrefix[] v4 = RoutingTable.Prefixes(IpFamily.IPv4);
        IpPrefix[] all6 = RoutingTable.Prefixes(IpFamily.IPv6);
        IpPrefix[] v6 = [.. all6.Where(p => p.Length <= 64)];
        using PrefixTable table = new();
        table.AddRange(RoutingTable.Shuffled(v4));
        table.AddRange(RoutingTable.Shuffled(v6));
        using LookupBaseline c = new(table, v4, v6);
        Console.WriteLine($"{v4.Length:N0} IPv4, {v6.Length:N0} IPv6 prefixes ({all6.Length - v6.Length} longer than /64 left out on both sides)");
        Console.WriteLine($"C tables {c.Bytes.IPv4 / 1048576.0:F1} and {c.Bytes.IPv6 / 1048576.0:F1} MiB; ours {table.GetStatistics().Lookup}");
        Console.WriteLine($"{rounds} rounds of {PerRound:N0} lookups; load average {File.ReadAllText("/proc/loadavg").Trim()}");
        Console.WriteLine();
        Console.WriteLine("| ns per lookup, median (least) | random | Zipf | sequential | first / this: random | Zipf | sequential |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        if (family is null or IpFamily.IPv4)
        {
            Compare(rounds, v4, a => a.IPv4Value, Contenders4(c, table.Lookup));
        }

        if (family is null or IpFamily.IPv6)
        {
            Compare(rounds, v6, a => a.High, Contenders6(c, table.Lookup));
        }
    }

    private static (string Name, Lookup<uint> Lookup)[] Contenders4(LookupBaseline c, LpmTable ours) =>
    [
        ("IPv4 C, DIR-24-8, batches of 16", c.IPv4("dir24_lookup_batch16")),
        ("IPv4 C, DIR-24-8, asking 16 ahead", c.IPv4("dir24_lookup_ahead16")),
        ("IPv4 C, DIR-24-8, no batches", c.IPv4("dir24_lookup")),
        ("**IPv4 C#, batch**", ours.LookupIPv4),
        ("IPv4 C#, single", (addresses, ids) =>
        {
            for (int i = 0; i < addresses.Length; i++)
            {
                ids[i] = ours.LookupIPv4(addresses[i]);
            }
        }),
    ];

    private static (string Name, Lookup<ulong> Lookup)[] Contenders6(LookupBaseline c, LpmTable ours)
    {
        ulong[] low = new ulong[Chunk];
        return
        [
            ("IPv6 C, Poptrie, no batches", c.IPv6("poptrie6_lookup")),
            ("IPv6 C, Poptrie, batches of 16", c.IPv6("poptrie6_lookup_batch16")),
            ("**IPv6 C#, batch**", (addresses, ids) => ours.LookupIPv6(addresses, low.AsSpan(0, addresses.Length), ids)),
            ("IPv6 C#, single", (addresses, ids) =>
            {
                for (int i = 0; i < addresses.Length; i++)
                {
                    ids[i] = ours.LookupIPv6(addresses[i], 0);
                }
            }),
        ];
    }

    private static void Compare<T>(int rounds, IpPrefix[] prefixes, Func<IpAddr, T> key, (string Name, Lookup<T> Lookup)[] contenders)
    {
        IpAddr[] random = RoutingTable.Destinations(prefixes, zipf: false, All);
        IpAddr[] sequential = [.. random];
        Array.Sort(sequential);
        T[][] kinds = [.. new[] { random, RoutingTable.Destinations(prefixes, zipf: true, All), sequential }.Select(k => k.Select(key).ToArray())];
        double[,][] nanoseconds = new double[contenders.Length, kinds.Length][];
        for (int kind = 0; kind < kinds.Length; kind++)
        {
            CheckSame(kinds[kind], contenders);
            for (int i = 0; i < contenders.Length; i++)
            {
                nanoseconds[i, kind] = new double[rounds];
            }

            for (int round = -2; round < rounds; round++)
            {
                for (int turn = 0; turn < contenders.Length; turn++)
                {
                    int which = (turn + round + contenders.Length) % contenders.Length;
                    double took = Measure(contenders[which].Lookup, kinds[kind], (round + 2) * 7919 * Chunk);
                    if (round >= 0)
                    {
                        nanoseconds[which, kind][round] = took;
                    }
                }
            }
        }

        for (int i = 0; i < contenders.Length; i++)
        {
            IEnumerable<string> times = Enumerable.Range(0, kinds.Length).Select(k => $"{ThreadClock.Median(nanoseconds[i, k]):F2} ({nanoseconds[i, k].Min():F2})");
            IEnumerable<string> ratios = Enumerable.Range(0, kinds.Length).Select(k => $"{ThreadClock.Median(nanoseconds[0, k].Zip(nanoseconds[i, k], (c, own) => c / own)):F2}");
            Console.WriteLine($"| {contenders[i].Name} | {string.Join(" | ", times.Concat(ratios))} |");
        }
    }

    private static double Measure<T>(Lookup<T> lookup, T[] destinations, int start)
    {
        uint[] ids = new uint[Chunk];
        long before = ThreadClock.Now();
        for (int done = 0; done < PerRound; done += Chunk)
        {
            lookup(destinations.AsSpan((start + done) & (All - 1), Chunk), ids);
        }

        return (double)(ThreadClock.Now() - before) / PerRound;
    }

    private static void CheckSame<T>(T[] destinations, (string Name, Lookup<T> Lookup)[] contenders)
    {
        uint[] expected = new uint[Chunk];
        uint[] ids = new uint[Chunk];
        for (int at = 0; at < destinations.Length; at += Chunk)
        {
            contenders[0].Lookup(destinations.AsSpan(at, Chunk), expected);
            foreach ((string name, Lookup<T> lookup) in contenders)
            {
                lookup(destinations.AsSpan(at, Chunk), ids);
                int differs = ids.AsSpan().CommonPrefixLength(expected);
                if (differs < Chunk)
                {
                    throw new InvalidOperationException($"{name} says {ids[differs]} for {destinations[at + differs]:x}, {contenders[0].Name} says {expected[differs]}.");
                }
            }
        }
    }
}
