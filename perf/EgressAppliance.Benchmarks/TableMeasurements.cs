using System.Diagnostics;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

// A reader looks up batches without pause. In turns of a fortieth of a second, shorter than most disturbances from outside, the writer rests, or
// withdraws and announces random prefixes of the full table at the wanted rate; the reader's CPU time per lookup is noted for each turn. Then the
// writer goes as fast as it can. The writer ticks the table a hundred times a second, so that memory is taken back and ids end their rest.
// Reader and writer have a processor each. A turn in which the writer fell short of its rate by a hundredth, since others had its
// processor, is left out with the idle one before it, and counted.

/// <summary>Changes of a full table while another thread looks up, at a fixed rate and as fast as they go; and the slowest single changes.</summary>
internal static class TableMeasurements
{
    private const int All = 1 << 20;
    private const int Chunk = 1024;
    private const int Turns = 301;
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(25);

    /// <summary>Runs it.</summary>
    public static void Updates()
    {
        ThreadClock.StayOn(0);
        Console.WriteLine($"{Turns} turns of {Turn.TotalMilliseconds} ms each; load average {File.ReadAllText("/proc/loadavg").Trim()}");
        Console.WriteLine();
        Console.WriteLine("| | ns per lookup, writer idle | writer at its rate | loss | changes/s during that | changes/s unpaced | ns per lookup during that | µs CPU per change |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach ((IpFamily family, int rate) in ((IpFamily, int)[])[(IpFamily.IPv4, 500_000), (IpFamily.IPv6, 200_000)])
        {
            IpPrefix[] prefixes = RoutingTable.Shuffled(RoutingTable.Prefixes(family));
            using PrefixTable table = new();
            table.AddRange(prefixes);
            foreach (bool zipf in (bool[])[false, true])
            {
                Measure(table, prefixes, zipf, rate);
            }

            WorstChanges(table, family);
            UnderDefaultRoute(table, family, prefixes);
        }
    }

    private static void Measure(PrefixTable table, IpPrefix[] prefixes, bool zipf, int rate)
    {
        Writer writer = new(table, prefixes);
        Reader reader = new(table.Lookup, RoutingTable.Destinations(prefixes, zipf, All));
        for (int warm = 0; warm < 60; warm++)
        {
            OneTurn(reader, writer, rate);
            OneTurn(reader, writer, int.MaxValue);
        }

        List<(double Idle, double Paced, double Rate)> turns = [];
        for (int turn = 0; turn < Turns; turn++)
        {
            double idle = OneTurn(reader, writer, 0).Nanoseconds;
            (double paced, double done, _) = OneTurn(reader, writer, rate);
            if (done > 0.99 * rate)
            {
                turns.Add((idle, paced, done));
            }
        }

        (double Nanoseconds, double Rate, double Cpu)[] unpaced = [.. Enumerable.Range(0, Turns).Select(_ => OneTurn(reader, writer, int.MaxValue))];
        Console.WriteLine(
            $"| {prefixes[0].Family}, {(zipf ? "Zipf" : "random")}, {rate:N0}/s | {ThreadClock.Median(turns.Select(t => t.Idle)):F2} | {ThreadClock.Median(turns.Select(t => t.Paced)):F2} " +
            $"| {100 * (ThreadClock.Median(turns.Select(t => t.Paced / t.Idle)) - 1):F1} % | {ThreadClock.Median(turns.Select(t => t.Rate)):N0} ({turns.Count} of {Turns} turns) " +
            $"| {ThreadClock.Median(unpaced.Select(t => t.Rate)):N0} | {ThreadClock.Median(unpaced.Select(t => t.Nanoseconds)):F2} | {ThreadClock.Median(unpaced.Select(t => t.Cpu)):F2} |");
    }

    private static (double Nanoseconds, double Rate, double Cpu) OneTurn(Reader reader, Writer writer, int rate)
    {
        using CancellationTokenSource done = new();
        Thread writing = new(() =>
        {
            ThreadClock.StayOn(1);
            writer.Run(rate, done.Token);
        });
        writing.Start();
        double nanoseconds = reader.Run(Turn);
        done.Cancel();
        writing.Join();
        return (nanoseconds, writer.Rate, writer.CpuMicroseconds);
    }

    // Short prefixes have the most entries to change. Each change is timed on its own, so other work on the machine shows in the maximum, not in the least.
    private static void WorstChanges(PrefixTable table, IpFamily family)
    {
        foreach (int length in (int[])[0, 1, 4, 8, 12, 16])
        {
            IpPrefix prefix = IpPrefix.Create(family == IpFamily.IPv4 ? IpAddr.FromIPv4(0x5000_0000) : IpAddr.Parse("2a00::"), length);
            if (table.TryGetId(prefix, out _))
            {
                continue;
            }

            List<double> times = [];
            for (int i = 0; i < 25; i++)
            {
                long before = ThreadClock.Now();
                table.Add(prefix);
                long between = ThreadClock.Now();
                table.Remove(prefix);
                long after = ThreadClock.Now();
                times.Add((between - before) / 1000.0);
                times.Add((after - between) / 1000.0);
            }

            Console.WriteLine($"{prefix}: µs CPU for one change: median {ThreadClock.Median(times):F1}, longest {times.Max():F1}");
        }
    }

    // A default route that comes and goes without pause: the change with the most to write.
    private static void UnderDefaultRoute(PrefixTable table, IpFamily family, IpPrefix[] prefixes)
    {
        Writer writer = new(table, [.. Enumerable.Repeat(IpPrefix.Create(family == IpFamily.IPv4 ? IpAddr.FromIPv4(0) : IpAddr.FromIPv6(0, 0), 0), 2)], some: 1);
        Reader reader = new(table.Lookup, RoutingTable.Destinations(prefixes, zipf: false, All));
        List<(double Idle, double Busy, double Rate)> turns = [];
        for (int turn = 0; turn < Turns; turn++)
        {
            double idle = OneTurn(reader, writer, 0).Nanoseconds;
            (double busy, double rate, _) = OneTurn(reader, writer, int.MaxValue);
            turns.Add((idle, busy, rate));
        }

        Console.WriteLine(
            $"{family} default route coming and going {ThreadClock.Median(turns.Select(t => t.Rate)):N0} times/s: {ThreadClock.Median(turns.Select(t => t.Busy)):F2} ns per lookup, random, " +
            $"{ThreadClock.Median(turns.Select(t => t.Idle)):F2} with the writer idle");
        Console.WriteLine();
    }

    /// <summary>Looks up all destinations, over and over.</summary>
    private sealed class Reader(LpmTable table, IpAddr[] destinations)
    {
        private readonly uint[] _v4 = [.. destinations.Select(a => a.IPv4Value)];
        private readonly ulong[] _high = [.. destinations.Select(a => a.High)];
        private readonly ulong[] _low = [.. destinations.Select(a => a.Low)];
        private readonly uint[] _ids = new uint[Chunk];
        private readonly bool _isV4 = destinations[0].Family == IpFamily.IPv4;
        private int _at;

        /// <summary>Nanoseconds of CPU per lookup.</summary>
        public double Run(TimeSpan duration)
        {
            long looked = 0;
            long start = Stopwatch.GetTimestamp();
            long before = ThreadClock.Now();
            while (Stopwatch.GetElapsedTime(start) < duration)
            {
                for (int i = 0; i < 64; i++)
                {
                    _at = (_at + Chunk) & (All - 1);
                    if (_isV4)
                    {
                        table.LookupIPv4(_v4.AsSpan(_at, Chunk), _ids);
                    }
                    else
                    {
                        table.LookupIPv6(_high.AsSpan(_at, Chunk), _low.AsSpan(_at, Chunk), _ids);
                    }
                }

                looked += 64 * Chunk;
            }

            return (double)(ThreadClock.Now() - before) / looked;
        }
    }

    /// <summary>Withdraws some prefixes at a time and announces them again.</summary>
    private sealed class Writer(PrefixTable table, IpPrefix[] prefixes, int some = 100)
    {
        private int _at;

        /// <summary>Changes per second of the last run.</summary>
        public double Rate { get; private set; }

        /// <summary>CPU time of a change in the last run.</summary>
        public double CpuMicroseconds { get; private set; }

        public void Run(int rate, CancellationToken done)
        {
            if (rate == 0)
            {
                done.WaitHandle.WaitOne();
                return;
            }

            long changes = 0;
            long start = Stopwatch.GetTimestamp();
            long cpu = 0;
            double ticked = 0;
            double elapsed = 0;
            while (!done.IsCancellationRequested)
            {
                elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (changes >= elapsed * rate)
                {
                    Thread.SpinWait(20);
                    continue;
                }

                long before = ThreadClock.Now();
                Flap(prefixes.AsSpan(_at, some));
                if (elapsed - ticked > 0.01)
                {
                    ticked = elapsed;
                    table.Tick();
                }

                cpu += ThreadClock.Now() - before;
                _at = _at + (2 * some) > prefixes.Length ? 0 : _at + some;
                changes += 2 * some;
            }

            Rate = changes / elapsed;
            CpuMicroseconds = cpu / 1000.0 / changes;
        }

        private void Flap(ReadOnlySpan<IpPrefix> flapping)
        {
            foreach (IpPrefix prefix in flapping)
            {
                table.Remove(prefix);
            }

            foreach (IpPrefix prefix in flapping)
            {
                table.Add(prefix);
            }
        }
    }
}
