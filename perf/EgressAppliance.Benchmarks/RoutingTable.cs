using System.IO.Compression;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>
/// Prefixes and destinations to measure with: the real table that the folder <c>EGRESS_SHARED_DATA</c> holds, or one generated with the
/// number, lengths and nesting of an Internet table. Always the same for the same source.
/// </summary>
internal static class RoutingTable
{
    // Prefixes of each length, as shares of a table seen in 2024.
    private static readonly (int Length, int Weight)[] Lengths4 =
    [
        (8, 16), (9, 13), (10, 38), (11, 103), (12, 299), (13, 581), (14, 1203), (15, 2100), (16, 13490), (17, 8235), (18, 13798), (19, 24870),
        (20, 42611), (21, 50750), (22, 108623), (23, 96510), (24, 537698), (28, 75), (32, 886),
    ];

    private static readonly (int Length, int Weight)[] Lengths6 =
    [
        (24, 60), (28, 500), (29, 4371), (30, 1500), (31, 900), (32, 22548), (33, 2500), (34, 2500), (35, 1500), (36, 5996), (38, 2000), (40, 13418),
        (42, 3500), (44, 14365), (45, 1300), (46, 4000), (47, 3000), (48, 75488), (56, 100), (64, 150), (128, 79),
    ];

    private static readonly uint[] Blocks6 = [0x2001, 0x2400, 0x2401, 0x2402, 0x2403, 0x2404, 0x2405, 0x2406, 0x2600, 0x2602, 0x2605, 0x2606, 0x2607, 0x2620, 0x2800, 0x2803, 0x2804, 0x2a00, 0x2a01, 0x2a02, 0x2a03, 0x2a0a, 0x2c0f];

    /// <summary>The folder of the real table, or null. Set it before the first table is asked for, or not at all.</summary>
    public static string? RealFolder { get; set; } = Environment.GetEnvironmentVariable("EGRESS_SHARED_DATA");

    /// <summary>The prefixes of a family, sorted: 1.0 M IPv4 or 0.23 M IPv6 when generated.</summary>
    public static IpPrefix[] Prefixes(IpFamily family)
    {
        IpPrefix[] prefixes = RealFolder is null ? Generate(family) : Read(family);
        Array.Sort(prefixes);
        return prefixes;
    }

    /// <summary>The same in disorder: a session delivers routes grouped by attributes, not by address.</summary>
    public static IpPrefix[] Shuffled(IpPrefix[] prefixes)
    {
        IpPrefix[] shuffled = [.. prefixes];
        new Random(3).Shuffle(shuffled);
        return shuffled;
    }

    /// <summary>Addresses within the prefixes, each prefix as likely (random) or the n-th most popular with weight 1/n (Zipf).</summary>
    public static IpAddr[] Destinations(IpPrefix[] prefixes, bool zipf, int count)
    {
        Random random = new(7);
        IpPrefix[] popular = [.. prefixes];
        random.Shuffle(popular);
        double[] cumulative = new double[popular.Length];
        double sum = 0;
        for (int i = 0; i < popular.Length; i++)
        {
            cumulative[i] = sum += zipf ? 1.0 / (i + 1) : 1;
        }

        IpAddr[] destinations = new IpAddr[count];
        for (int i = 0; i < count; i++)
        {
            int at = Array.BinarySearch(cumulative, random.NextDouble() * sum);
            destinations[i] = Inside(popular[at < 0 ? Math.Min(~at, popular.Length - 1) : at], random);
        }

        return destinations;
    }

    private static IpPrefix[] Generate(IpFamily family)
    {
        bool v4 = family == IpFamily.IPv4;
        int wanted = v4 ? 1_000_000 : 230_000;
        (int Length, int Weight)[] lengths = v4 ? Lengths4 : Lengths6;
        int total = lengths.Sum(l => l.Weight);
        Random random = new(2024);
        HashSet<IpPrefix> held = new(wanted);
        // Short ones first, so that half of the longer ones can be put inside one that is there.
        List<IpPrefix> shorter = [];
        foreach ((int length, int weight) in lengths)
        {
            int due = Math.Max(1, (int)((long)wanted * weight / total));
            int before = shorter.Count;
            for (int made = 0; made < due;)
            {
                IpAddr at = before > 0 && random.Next(2) == 0 ? Inside(shorter[random.Next(before)], random) : Anywhere(v4, random);
                IpPrefix prefix = IpPrefix.Create(at, length);
                if (held.Add(prefix))
                {
                    shorter.Add(prefix);
                    made++;
                }
                else if (length <= 8)
                {
                    break;
                }
            }
        }

        return [.. held];
    }

    private static IpAddr Anywhere(bool v4, Random random) => v4
        ? IpAddr.FromIPv4(OutOfLoopback((uint)random.NextInt64(0x0100_0000, 0xE000_0000)))
        : IpAddr.FromIPv6(((ulong)Blocks6[random.Next(Blocks6.Length)] << 48) | ((ulong)random.NextInt64() & 0xFFFF_FFFF_FFFF), (ulong)random.NextInt64());

    /// <summary>127.0.0.0/8 is not routed: BIRD refuses it, and a table of which it takes a part only measures nothing.</summary>
    private static uint OutOfLoopback(uint address) => address >> 24 == 127 ? address - 0x0100_0000 : address;

    private static IpAddr Inside(IpPrefix prefix, Random random)
    {
        UInt128 host = new((ulong)random.NextInt64() << 1, (ulong)random.NextInt64() << 1);
        UInt128 value = new UInt128(prefix.Address.High, prefix.Address.Low) | (prefix.Length == 128 ? 0 : host >> prefix.Length);
        return IpAddr.FromBits(prefix.Family, (ulong)(value >> 64), (ulong)value);
    }

    private static IpPrefix[] Read(IpFamily family)
    {
        string suffix = family == IpFamily.IPv4 ? "v4" : "v6";
        List<IpPrefix> prefixes = [];
        foreach (string name in (string[])[$"full-table.{suffix}.txt.gz", $"full-table-growth.{suffix}.txt.gz"])
        {
            using StreamReader reader = new(new GZipStream(File.OpenRead(Path.Combine(RealFolder!, name)), CompressionMode.Decompress));
            while (reader.ReadLine() is string line)
            {
                prefixes.Add(IpPrefix.Parse(line.AsSpan(0, line.IndexOf(' '))));
            }
        }

        return [.. prefixes];
    }
}
