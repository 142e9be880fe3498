using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace EgressAppliance.Benchmarks;

/// <summary>
/// Two hundred rounds of one invocation each, of which the median counts. On a machine that others use too, a round of well under a millisecond is
/// mostly either left alone or visibly not, while the mean of half-second rounds tells how busy the machine was.
/// </summary>
internal sealed class ManyShortRounds : ManualConfig
{
    public ManyShortRounds()
    {
        AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithStrategy(RunStrategy.Monitoring)
            .WithInvocationCount(1)
            .WithUnrollFactor(1)
            .WithWarmupCount(40)
            .WithIterationCount(200));
        AddColumn(StatisticColumn.Min, StatisticColumn.Median, StatisticColumn.P95);
        HideColumns("Error", "StdDev", "RatioSD", "Alloc Ratio", "Categories");
    }
}
