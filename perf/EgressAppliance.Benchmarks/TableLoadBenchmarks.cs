using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>Loading a whole table into an empty one, in order as from a file and in disorder as from a BGP session.</summary>
[SimpleJob(RunStrategy.Monitoring, warmupCount: 1, iterationCount: 5, invocationCount: 1)]
public class TableLoadBenchmarks
{
    private IpPrefix[] _prefixes = [];

    [Params(true, false)]
    public bool Sorted { get; set; }

    [Params(IpFamily.IPv4, IpFamily.IPv6)]
    public IpFamily Family { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _prefixes = RoutingTable.Prefixes(Family);
        if (!Sorted)
        {
            new Random(6).Shuffle(_prefixes);
        }
    }

    [Benchmark]
    public int Load()
    {
        using PrefixTable table = new();
        table.AddRange(_prefixes);
        return table.Count;
    }
}
