using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>
/// One address → id, by the trie of record and by the table compiled from it, one at a time and in batches of 1024. A million
/// destinations go round, another part of them in each round, so that neither is measured out of a warm cache.
/// </summary>
[Config(typeof(ManyShortRounds))]
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory, BenchmarkLogicalGroupRule.ByParams)]
public class LookupBenchmarks : IDisposable
{
    private const int All = 1 << 20;
    private const int Count = 1 << 16;
    private const int Batch = 1024;
    private readonly uint[] _ids = new uint[Batch];
    private readonly PatriciaTrie _trie4 = new(IpFamily.IPv4);
    private readonly PatriciaTrie _trie6 = new(IpFamily.IPv6);
    private int _at;
    private PrefixTable _table = null!;
    private IpAddr[] _addresses4 = [];
    private IpAddr[] _addresses6 = [];
    private uint[] _v4 = [];
    private ulong[] _high = [];
    private ulong[] _low = [];

    [Params("random", "zipf")]
    public string Destinations { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _table = new PrefixTable();
        IpPrefix[] v4 = RoutingTable.Prefixes(IpFamily.IPv4);
        IpPrefix[] v6 = RoutingTable.Prefixes(IpFamily.IPv6);
        _addresses4 = RoutingTable.Destinations(v4, Destinations == "zipf", All);
        _addresses6 = RoutingTable.Destinations(v6, Destinations == "zipf", All);
        // A session delivers routes grouped by attributes, not by address.
        new Random(3).Shuffle(v4);
        new Random(4).Shuffle(v6);
        foreach (IpPrefix prefix in v4)
        {
            _trie4.TryInsert(prefix, _table.Add(prefix), out _, out _);
        }

        foreach (IpPrefix prefix in v6)
        {
            _trie6.TryInsert(prefix, _table.Add(prefix), out _, out _);
        }

        _v4 = [.. _addresses4.Select(a => a.IPv4Value)];
        _high = [.. _addresses6.Select(a => a.High)];
        _low = [.. _addresses6.Select(a => a.Low)];
        Console.WriteLine($"// {v4.Length} IPv4, {v6.Length} IPv6 prefixes; {_table.GetStatistics()}");
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _table.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Count, Description = "Patricia")]
    [BenchmarkCategory("IPv4")]
    public uint Patricia4() => Patricia(_trie4, _addresses4.AsSpan(Next(), Count));

    [Benchmark(OperationsPerInvoke = Count, Description = "compiled, single")]
    [BenchmarkCategory("IPv4")]
    public uint Single4()
    {
        uint sum = 0;
        foreach (uint address in _v4.AsSpan(Next(), Count))
        {
            sum += _table.Lookup.LookupIPv4(address);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Count, Description = "compiled, batch")]
    [BenchmarkCategory("IPv4")]
    public uint Batch4()
    {
        uint sum = 0;
        int start = Next();
        for (int at = start; at < start + Count; at += Batch)
        {
            _table.Lookup.LookupIPv4(_v4.AsSpan(at, Batch), _ids);
            sum += _ids[^1];
        }

        return sum;
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Count, Description = "Patricia")]
    [BenchmarkCategory("IPv6")]
    public uint Patricia6() => Patricia(_trie6, _addresses6.AsSpan(Next(), Count));

    [Benchmark(OperationsPerInvoke = Count, Description = "compiled, single")]
    [BenchmarkCategory("IPv6")]
    public uint Single6()
    {
        uint sum = 0;
        int start = Next();
        for (int i = start; i < start + Count; i++)
        {
            sum += _table.Lookup.LookupIPv6(_high[i], _low[i]);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Count, Description = "compiled, batch")]
    [BenchmarkCategory("IPv6")]
    public uint Batch6()
    {
        uint sum = 0;
        int start = Next();
        for (int at = start; at < start + Count; at += Batch)
        {
            _table.Lookup.LookupIPv6(_high.AsSpan(at, Batch), _low.AsSpan(at, Batch), _ids);
            sum += _ids[^1];
        }

        return sum;
    }

    private int Next() => _at = (_at + Count) % All;

    private static uint Patricia(PatriciaTrie trie, ReadOnlySpan<IpAddr> addresses)
    {
        uint sum = 0;
        foreach (IpAddr address in addresses)
        {
            trie.TryLongestMatch(address, out _, out uint id);
            sum += id;
        }

        return sum;
    }
}
