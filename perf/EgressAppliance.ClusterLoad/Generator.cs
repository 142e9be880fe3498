using System.Globalization;
using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Host.Config;
using EgressAppliance.Net;

namespace EgressAppliance.ClusterLoad;

/// <summary>
/// Writes what collectors would send: a file for each collector and tick. All collectors of a site see prefixes of one table of a million (IPv4 /24 and longer aggregates, a fifth IPv6), each
/// a hundred thousand or so of its own choice, with rates by Zipf's law that jitter from tick to tick.
/// </summary>
internal static class Generator
{
    private const int TableSize = 1_000_000;
    private const double Exponent = 1.0;
    private const double BitsPerSecond = 40e9;
    private const int AverageBytes = 900;

    public static void Run(string folder, int collectors, int prefixes, int ticks)
    {
        Directory.CreateDirectory(folder);
        IpPrefix[] table = Table();
        double harmonic = Enumerable.Range(1, prefixes).Sum(i => 1 / Math.Pow(i, Exponent));
        string hash = ClusterHash.Of(LoadSite.Controller(collectors));
        long bytes = 0;
        for (int c = 0; c < collectors; c++)
        {
            Random random = new(c);
            IpPrefix[] own = [.. random.GetItems(table, prefixes * 11 / 10).Distinct().Take(prefixes)];
            for (int tick = 1; tick <= ticks; tick++)
            {
                byte[] encoded = DeltaCodec.Encode(Delta(c, tick, own, harmonic, hash, random));
                bytes += encoded.Length;
                File.WriteAllBytes(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{c}-{tick}.delta")), encoded);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{collectors} collectors, {prefixes} prefixes each, {ticks} ticks: {(double)bytes / collectors / ticks / prefixes:F1} bytes a cell"));
    }

    private static TrafficDelta Delta(int collector, int tick, IpPrefix[] own, double harmonic, string hash, Random random)
    {
        List<(IpPrefix Prefix, long Packets, long Bytes)>[] links = [.. Enumerable.Range(0, LoadSite.LinksPerCollector).Select(_ => new List<(IpPrefix, long, long)>())];
        for (int i = 0; i < own.Length; i++)
        {
            double share = 1 / Math.Pow(i + 1, Exponent) / harmonic * (0.8 + (0.4 * random.NextDouble()));
            long bytes = Math.Max(40, (long)(BitsPerSecond / 8 * LoadSite.Period.TotalSeconds * share));
            links[i % links.Length].Add((own[i], Math.Max(1, bytes / AverageBytes), bytes));
        }

        return new TrafficDelta
        {
            Site = "load",
            Box = LoadSite.Box(collector),
            Run = 1,
            Sequence = tick,
            Tick = tick,
            Period = LoadSite.Period,
            Length = LoadSite.Period,
            ConfigHash = hash,
            Links =
            [
                .. links.Select((cells, l) =>
                {
                    cells.Sort((a, b) => a.Prefix.CompareTo(b.Prefix));
                    return new LinkDelta
                    {
                        Link = LoadSite.Link(collector, l), Prefixes = [.. cells.Select(x => x.Prefix)], Packets = [.. cells.Select(x => x.Packets)], IpBytes = [.. cells.Select(x => x.Bytes)],
                    };
                }),
            ],
            Health = new CollectorHealth { TableComplete = true },
        };
    }

    private static IpPrefix[] Table()
    {
        Random random = new(42);
        HashSet<IpPrefix> table = new(TableSize);
        while (table.Count < TableSize)
        {
            table.Add(random.Next(5) == 0
                ? Masked(IpAddr.FromIPv6(0x2000_0000_0000_0000ul | ((ulong)random.NextInt64() >> 4), 0), random.Next(32, 49))
                : Masked(IpAddr.FromIPv4((uint)random.NextInt64(0x01000000, 0xE0000000)), random.Next(4) == 0 ? random.Next(16, 24) : 24));
        }

        return [.. table];
    }

    private static IpPrefix Masked(IpAddr address, int length) => IpPrefix.Create(IpPrefix.Mask(address, length), length);
}
