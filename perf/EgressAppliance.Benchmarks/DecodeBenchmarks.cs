using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;
using EgressAppliance.Net.Lpm;

namespace EgressAppliance.Benchmarks;

/// <summary>
/// The data path, a packet's cost in each step and in all of them: records of a file to counters, one thread. A million frames go round, with destinations
/// by Zipf's law over a full table, one in five tagged, one in ten IPv6, four links by MAC, so that tables and counters are not measured out of a warm cache.
/// </summary>
[Config(typeof(ManyShortRounds))]
[MemoryDiagnoser]
public unsafe class DecodeBenchmarks : IDisposable
{
    private const int Batch = PacketBatch.MaxCapacity;
    private const int Batches = 1024;

    /// <summary>Batches of a round: a single one is so short that what happens between rounds would be measured.</summary>
    private const int Round = 64;
    private readonly PacketBatch _batch = new(Batch);
    private readonly PacketBatch[] _decoded = new PacketBatch[Round];
    private readonly uint[][] _ids = new uint[Round][];
    private readonly BatchRing _ring = new(8, Batch);
    private readonly CounterTable _counters = new();
    private PrefixTable _table = null!;
    private CountingWorker _worker = null!;
    private LinkResolver _links = null!;
    private PinnedBuffer _records = null!;
    private long[] _starts = [];
    private int _at;

    [GlobalSetup]
    public void Setup()
    {
        IpPrefix[] v4 = RoutingTable.Prefixes(IpFamily.IPv4);
        IpPrefix[] v6 = RoutingTable.Prefixes(IpFamily.IPv6);
        _table = new PrefixTable();
        _table.AddRange(v4);
        _table.AddRange(v6);
        _worker = new CountingWorker(_table.Lookup, Batch);
        MacAddress[] macs = [.. Enumerable.Range(10, 4).Select(i => new MacAddress(0x0200_0000_0002 | ((ulong)i << 8)))];
        _links = new LinkResolver([.. macs.Select((mac, i) => new LinkMatch(new LinkId((ushort)(i + 1)), mac, null, null))], [], "bench");
        (_records, _starts) = RecordWriter.Write(
            RoutingTable.Destinations(v4, zipf: true, Batch * Batches), RoutingTable.Destinations(v6, zipf: true, Batch * Batches / 8), macs, Batch);
        for (int i = 0; i < _decoded.Length; i++)
        {
            _decoded[i] = new PacketBatch(Batch);
            PcapRecordCursor cursor = Records(i);
            BlockDecoder.Decode(ref cursor, _links, Decapsulation.None, _table.Lookup.IPv4Prefetch, _decoded[i]);
            _ids[i] = new uint[_decoded[i].Count4];
            _table.Lookup.LookupIPv4(_decoded[i].Destinations4, _ids[i]);
        }

        // The rounds are too short for the JIT to reach its last tier in the warm-up ones.
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1);)
        {
            Decode();
            Lookup();
            Count();
            HandOver();
            Whole();
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _table.Dispose();
        _worker.Dispose();
        _counters.Dispose();
        _ring.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = Round * Batch, Description = "decode")]
    public int Decode()
    {
        int frames = 0;
        for (int i = 0; i < Round; i++)
        {
            _batch.Clear();
            PcapRecordCursor cursor = Records(Next());
            frames += BlockDecoder.Decode(ref cursor, _links, Decapsulation.None, _table.Lookup.IPv4Prefetch, _batch);
        }

        return frames;
    }

    [Benchmark(OperationsPerInvoke = Round * Batch, Description = "look up (the 9 in 10 that are IPv4)")]
    public uint Lookup()
    {
        for (int i = 0; i < Round; i++)
        {
            _table.Lookup.LookupIPv4(_decoded[i].Destinations4, _ids[i]);
        }

        return _ids[^1][^1];
    }

    [Benchmark(OperationsPerInvoke = Round * Batch, Description = "count (the same)")]
    public int Count()
    {
        for (int i = 0; i < Round; i++)
        {
            _counters.Add(_ids[i], _decoded[i].Links4, _decoded[i].Lengths4);
        }

        return _counters.ChangedCells;
    }

    [Benchmark(OperationsPerInvoke = Round * Batch, Description = "hand over by the channels")]
    public int HandOver()
    {
        int capacity = 0;
        for (int i = 0; i < Round; i++)
        {
            PacketBatch batch = _ring.TryRent()!;
            _ring.Publish(batch);
            batch = _ring.TryTake()!;
            _ring.Return(batch);
            capacity += batch.Capacity;
        }

        return capacity;
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Round * Batch, Description = "all: decode, hand over, look up, count")]
    public int Whole()
    {
        int frames = 0;
        for (int i = 0; i < Round; i++)
        {
            PacketBatch batch = _ring.TryRent()!;
            PcapRecordCursor cursor = Records(Next());
            frames += BlockDecoder.Decode(ref cursor, _links, Decapsulation.None, _table.Lookup.IPv4Prefetch, batch);
            _ring.Publish(batch);
            batch = _ring.TryTake()!;
            _worker.Count(batch);
            _ring.Return(batch);
        }

        return frames;
    }

    private int Next() => _at = (_at + 1) % Batches;

    private PcapRecordCursor Records(int batch)
    {
        // Invariant: the buffer is pinned, and batches of records stand in it one after the other.
        byte* start = _records.Address;
        return new(start + _starts[batch], start + _starts[batch + 1], start + _starts[batch + 1]);
    }
}
