using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>Loading a whole table into an empty one, in order as from a file and in disorder as from a BGP session.</summary>
[Config(typeof(FewRounds))]
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
            _prefixes = RoutingTable.Shuffled(_prefixes);
        }
    }

    [Benchmark]
    public int Load()
    {
        using PrefixTable table = new();
        table.AddRange(_prefixes);
        return table.Count;
    }

    [Benchmark]
    public int LoadOneByOne()
    {
        using PrefixTable table = new();
        foreach (IpPrefix prefix in _prefixes)
        {
            table.Add(prefix);
        }

        return table.Count;
    }

    private sealed class FewRounds : ManualConfig
    {
        public FewRounds()
        {
            AddJob(Job.Default
                .WithToolchain(InProcessEmitToolchain.Instance)
                .WithStrategy(RunStrategy.Monitoring)
                .WithInvocationCount(1)
                .WithUnrollFactor(1)
                .WithWarmupCount(2)
                .WithIterationCount(7));
            AddColumn(StatisticColumn.Min, StatisticColumn.Median);
            HideColumns("Error", "StdDev");
        }
    }
}
