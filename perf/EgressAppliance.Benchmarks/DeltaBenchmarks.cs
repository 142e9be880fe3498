using System.Runtime.InteropServices;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>
/// A collector's message of one tick, 100,000 prefixes of a full table with rates by Zipf's law on two links: written and read by <see cref="DeltaCodec"/>. The baseline is the same as JSON, as
/// a program without a format of its own would send it; the lower end is copying the columns as they lie in memory.
/// </summary>
[MemoryDiagnoser]
public class DeltaBenchmarks
{
    private const int Cells = 100_000;
    private const int LinkCount = 2;
    private const int AverageBytes = 900;
    private TrafficDelta _delta = null!;
    private JsonLink[] _rows = [];
    private byte[] _message = [];
    private byte[] _json = [];
    private byte[] _copy = [];
    private (IpPrefix[] Prefixes, long[] Packets, long[] Bytes)[] _columns = [];

    /// <summary>Octets of a message of the format, of JSON, and of the columns in memory: printed once.</summary>
    [GlobalSetup]
    public void Setup()
    {
        Random random = new(7);
        IpPrefix[] table = [.. RoutingTable.Prefixes(IpFamily.IPv4), .. RoutingTable.Prefixes(IpFamily.IPv6)];
        random.Shuffle(table);
        _columns = [.. Enumerable.Range(0, LinkCount).Select(l =>
        {
            (IpPrefix Prefix, long Bytes)[] cells = [.. table.Take(Cells).Select((p, i) => (p, Bytes: Math.Max(40, 2_000_000_000L / (i + 1)), i)).Where(c => c.i % LinkCount == l).Select(c => (c.p, c.Bytes))];
            Array.Sort(cells, (a, b) => a.Prefix.CompareTo(b.Prefix));
            return (cells.Select(c => c.Prefix).ToArray(), cells.Select(c => Math.Max(1, c.Bytes / AverageBytes)).ToArray(), cells.Select(c => c.Bytes).ToArray());
        })];
        _delta = new TrafficDelta
        {
            Site = "bench",
            Box = "col1",
            Run = 1,
            Sequence = 1,
            Tick = 1,
            Period = TimeSpan.FromSeconds(5),
            Length = TimeSpan.FromSeconds(5),
            Links = [.. _columns.Select((c, l) => new LinkDelta { Link = $"isp-{l}", Prefixes = c.Prefixes, Packets = c.Packets, IpBytes = c.Bytes })],
        };
        _rows = [.. _delta.Links.Select(l => new JsonLink(l.Link, [.. l.Prefixes.Select((p, i) => new JsonCell(p.ToString(), l.Packets[i], l.IpBytes[i]))]))];
        _message = DeltaCodec.Encode(_delta);
        _json = JsonSerializer.SerializeToUtf8Bytes(_rows);
        _copy = new byte[_columns.Sum(c => MemoryMarshal.AsBytes<IpPrefix>(c.Prefixes).Length + (2 * sizeof(long) * c.Packets.Length))];
        if (!DeltaCodec.TryDecode(_message, out TrafficDelta? read, out _) || read!.Links.Sum(l => l.IpBytes.Sum()) != _delta.Links.Sum(l => l.IpBytes.Sum()))
        {
            throw new InvalidOperationException("the message is not read as it was written");
        }

        Console.WriteLine($"// octets a cell: format {(double)_message.Length / Cells:F1}, JSON {(double)_json.Length / Cells:F1}, in memory {(double)_copy.Length / Cells:F1}");
    }

    [Benchmark(Baseline = true)]
    public int WriteAndReadJson() => JsonSerializer.Deserialize<JsonLink[]>(JsonSerializer.SerializeToUtf8Bytes(_rows))!.Length;

    [Benchmark]
    public int Write() => DeltaCodec.Encode(_delta).Length;

    [Benchmark]
    public int Read() => DeltaCodec.TryDecode(_message, out TrafficDelta? delta, out _) ? delta!.Links.Count : 0;

    [Benchmark]
    public int CopyColumns()
    {
        int at = 0;
        foreach ((IpPrefix[] prefixes, long[] packets, long[] bytes) in _columns)
        {
            at += Copy(MemoryMarshal.AsBytes<IpPrefix>(prefixes), at);
            at += Copy(MemoryMarshal.AsBytes<long>(packets), at);
            at += Copy(MemoryMarshal.AsBytes<long>(bytes), at);
        }

        return at;
    }

    private int Copy(ReadOnlySpan<byte> column, int at)
    {
        column.CopyTo(_copy.AsSpan(at));
        return column.Length;
    }

    private sealed record JsonCell(string Prefix, long Packets, long Bytes);

    private sealed record JsonLink(string Link, JsonCell[] Cells);
}
