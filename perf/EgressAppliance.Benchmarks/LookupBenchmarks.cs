using System.Diagnostics;
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
public class LookupBenchmarks
{
    private const int All = 1 << 20;
    private const int Count = 1 << 12;
    private const int Batch = 1024;
    private const int PatriciaCount = 1 << 9;
    private static readonly Lazy<Loaded> Tables = new(Load);
    private readonly uint[] _ids = new uint[Batch];
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
        Loaded loaded = Tables.Value;
        _table = loaded.Table;
        _addresses4 = RoutingTable.Destinations(loaded.V4, Destinations == "zipf", All);
        _addresses6 = RoutingTable.Destinations(loaded.V6, Destinations == "zipf", All);
        _v4 = [.. _addresses4.Select(a => a.IPv4Value)];
        _high = [.. _addresses6.Select(a => a.High)];
        _low = [.. _addresses6.Select(a => a.Low)];
        // The rounds are too short for the JIT to reach its last tier in the warm-up ones.
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(2);)
        {
            _ = Patricia4() + Patricia6() + Single4() + Single6() + Batch4() + Batch6();
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = PatriciaCount, Description = "Patricia")]
    [BenchmarkCategory("IPv4")]
    public uint Patricia4() => Patricia(Tables.Value.Trie4, _addresses4.AsSpan(Next(PatriciaCount), PatriciaCount));

    [Benchmark(OperationsPerInvoke = Count, Description = "compiled, single")]
    [BenchmarkCategory("IPv4")]
    public uint Single4()
    {
        uint sum = 0;
        foreach (uint address in _v4.AsSpan(Next(Count), Count))
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
        int start = Next(Count);
        for (int at = start; at < start + Count; at += Batch)
        {
            _table.Lookup.LookupIPv4(_v4.AsSpan(at, Batch), _ids);
            sum += _ids[^1];
        }

        return sum;
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = PatriciaCount, Description = "Patricia")]
    [BenchmarkCategory("IPv6")]
    public uint Patricia6() => Patricia(Tables.Value.Trie6, _addresses6.AsSpan(Next(PatriciaCount), PatriciaCount));

    [Benchmark(OperationsPerInvoke = Count, Description = "compiled, single")]
    [BenchmarkCategory("IPv6")]
    public uint Single6()
    {
        uint sum = 0;
        int start = Next(Count);
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
        int start = Next(Count);
        for (int at = start; at < start + Count; at += Batch)
        {
            _table.Lookup.LookupIPv6(_high.AsSpan(at, Batch), _low.AsSpan(at, Batch), _ids);
            sum += _ids[^1];
        }

        return sum;
    }

    private int Next(int count) => _at = _at + (2 * count) > All ? 0 : _at + count;

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

    // Once for all benchmarks of the process.
    private static Loaded Load()
    {
        IpPrefix[] v4 = RoutingTable.Prefixes(IpFamily.IPv4);
        IpPrefix[] v6 = RoutingTable.Prefixes(IpFamily.IPv6);
        // A session delivers routes grouped by attributes, not by address.
        new Random(3).Shuffle(v4);
        new Random(4).Shuffle(v6);
        PrefixIds ids = new();
        Loaded loaded = new(v4, v6, new PrefixTable(), new PatriciaTrie(IpFamily.IPv4, ids), new PatriciaTrie(IpFamily.IPv6, ids));
        foreach (IpPrefix prefix in v4)
        {
            loaded.Table.Add(prefix);
            loaded.Trie4.TryInsert(prefix, out _, out _);
        }

        foreach (IpPrefix prefix in v6)
        {
            loaded.Table.Add(prefix);
            loaded.Trie6.TryInsert(prefix, out _, out _);
        }

        Console.WriteLine($"// {v4.Length} IPv4, {v6.Length} IPv6 prefixes; {loaded.Table.GetStatistics()}");
        return loaded;
    }

    private sealed record Loaded(IpPrefix[] V4, IpPrefix[] V6, PrefixTable Table, PatriciaTrie Trie4, PatriciaTrie Trie6);
}
