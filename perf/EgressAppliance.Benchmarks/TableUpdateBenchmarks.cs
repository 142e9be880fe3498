using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>Changes of a full table: withdrawing and announcing random prefixes: the time of one change, trie and compiled table together.</summary>
[Config(typeof(ManyShortRounds))]
public class TableUpdateBenchmarks : IDisposable
{
    private const int Count = 256;
    private int _at;
    private PrefixTable _table = null!;
    private IpPrefix[] _all = [];
    private IpPrefix[] _some = [];

    [Params(IpFamily.IPv4, IpFamily.IPv6)]
    public IpFamily Family { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _all = RoutingTable.Prefixes(Family);
        _table = new PrefixTable();
        _table.AddRange(_all);
        _some = [.. _all];
        new Random(5).Shuffle(_some);
        // The rounds are too short for the JIT to reach its last tier in the warm-up ones.
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(2);)
        {
            Flap();
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _table.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = 2 * Count, Description = "withdraw or announce")]
    public void Flap()
    {
        _at = (_at + Count) % (_some.Length - Count);
        ReadOnlySpan<IpPrefix> some = _some.AsSpan(_at, Count);
        foreach (IpPrefix prefix in some)
        {
            _table.Remove(prefix);
        }

        foreach (IpPrefix prefix in some)
        {
            _table.Add(prefix);
        }

        _table.Tick();
    }
}
