using System.Diagnostics;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>Time to load a full table of both families in BGP-like disorder, and the memory it then takes: in a process of its own, measured once.</summary>
internal static class TableFootprint
{
    /// <summary>Runs it.</summary>
    /// <param name="oneByOne">Through Add instead of AddRange.</param>
    public static void Run(bool oneByOne)
    {
        IpPrefix[] prefixes = RoutingTable.Shuffled([.. RoutingTable.Prefixes(IpFamily.IPv4), .. RoutingTable.Prefixes(IpFamily.IPv6)]);
        // The first load of the process, in which the JIT compiles on the way.
        using (PrefixTable first = new())
        {
            Console.WriteLine($"first load: {Load(first, prefixes, oneByOne)}");
        }

        long before = ResidentBytes();
        using PrefixTable table = new();
        string took = Load(table, prefixes, oneByOne);
        long resident = ResidentBytes() - before;
        PrefixTableStatistics statistics = table.GetStatistics();
        Console.WriteLine($"{statistics.IPv4Prefixes:N0} IPv4 + {statistics.IPv6Prefixes:N0} IPv6 prefixes, shuffled, {(oneByOne ? "one by one" : "AddRange")}: {took}; resident memory grew by {resident / 1048576.0:F1} MiB");
        Console.WriteLine(statistics);
        GC.KeepAlive(prefixes);
    }

    private static string Load(PrefixTable table, IpPrefix[] prefixes, bool oneByOne)
    {
        long start = Stopwatch.GetTimestamp();
        long cpu = ThreadClock.Now();
        if (!oneByOne)
        {
            table.AddRange(prefixes);
        }
        else
        {
            foreach (IpPrefix prefix in prefixes)
            {
                table.Add(prefix);
            }
        }

        return $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s, CPU {(ThreadClock.Now() - cpu) / 1e9:F2} s";
    }

    // Anonymous memory after collection, in which everything lies that the table holds, managed or not.
    private static long ResidentBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.AsSpan(8, line.Length - 11), System.Globalization.CultureInfo.InvariantCulture);
    }
}
