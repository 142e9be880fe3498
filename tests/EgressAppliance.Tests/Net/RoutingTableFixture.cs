using System.IO.Compression;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

/// <summary>An address and the longest prefix that contains it; a default value if none does.</summary>
public readonly record struct LpmQuery(IpAddr Address, IpPrefix Expected);

/// <summary>
/// A real table, loaded once: the full one with its own truth and later additions where the large corpus is at hand, else the sample in
/// tests/data/lpm, its truth computed by the oracle and every tenth prefix held back as the later additions.
/// </summary>
public sealed class RoutingTableFixture : IDisposable
{
    public RoutingTableFixture()
    {
        if (TestData.Shared is string shared)
        {
            Prefixes = [.. Lines(shared, "full-table.v4.txt.gz", ' ').Concat(Lines(shared, "full-table.v6.txt.gz", ' ')).Select(f => IpPrefix.Parse(f[0]))];
            Additions = [.. Lines(shared, "full-table-growth.v4.txt.gz", ' ').Concat(Lines(shared, "full-table-growth.v6.txt.gz", ' ')).Select(f => IpPrefix.Parse(f[0]))];
            Queries = [.. Lines(shared, "lpm-truth.v4.tsv.gz", '\t').Concat(Lines(shared, "lpm-truth.v6.tsv.gz", '\t')).Select(ParseQuery)];
        }
        else
        {
            IpPrefix[] all = [.. File.ReadLines(TestData.Path("lpm", "sample.v4.txt")).Concat(File.ReadLines(TestData.Path("lpm", "sample.v6.txt"))).Select(l => IpPrefix.Parse(l))];
            Prefixes = [.. all.Where((_, i) => i % 10 != 0)];
            Additions = [.. all.Where((_, i) => i % 10 == 0)];
            PrefixOracle oracle = new();
            foreach (IpPrefix prefix in Prefixes)
            {
                oracle.Set(prefix, 1);
            }

            Queries = [.. all.SelectMany(PrefixGenerators.Edges).Select(a => new LpmQuery(a, oracle.LongestMatch(a).Prefix))];
        }

        Table.AddRange(Prefixes);
    }

    public PrefixTable Table { get; } = new();

    public IpPrefix[] Prefixes { get; }

    public IpPrefix[] Additions { get; }

    public LpmQuery[] Queries { get; }

    public void Dispose() => Table.Dispose();

    private static LpmQuery ParseQuery(string[] fields) =>
        new(IpAddr.Parse(fields[0]), fields[1] == "-" ? default : IpPrefix.Parse(fields[1]));

    private static IEnumerable<string[]> Lines(string folder, string name, char separator)
    {
        using StreamReader reader = new(new GZipStream(File.OpenRead(Path.Combine(folder, name)), CompressionMode.Decompress));
        while (reader.ReadLine() is string line)
        {
            yield return line.Split(separator);
        }
    }
}
