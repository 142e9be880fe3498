using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using EgressAppliance.Benchmarks;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Bgp.Feed;

/// <summary>
/// Makes the octets of a table once and keeps them in a file, so that sending costs next to nothing. The prefixes of an UPDATE are no neighbours: they come from
/// anywhere in the table, as those of one origin do. About five prefixes share a set of attributes, the number being
/// distributed geometrically; IPv4 and IPv6, and the paths of all identifiers, come mixed.
/// </summary>
internal static class FeedGenerator
{
    /// <summary>Mean number of prefixes in an UPDATE, so that a table of 1.23 M prefixes takes 257,000 of them.</summary>
    private const double PrefixesPerUpdate = 4.8;

    /// <summary>The feed for some options, from its file if that is there.</summary>
    /// <param name="folder">Where feeds are kept.</param>
    /// <param name="options">What it is to be.</param>
    public static FeedFile Ensure(string folder, FeedOptions options)
    {
        UseRealTable();
        bool real = RoutingTable.RealFolder is not null;
        string path = Path.Combine(folder, options.FileName(real) + ".messages");
        string about = Path.ChangeExtension(path, ".json");
        if (File.Exists(about) && JsonSerializer.Deserialize<FeedFile>(File.ReadAllText(about)) is { } made && File.Exists(path) && new FileInfo(path).Length == made.Octets)
        {
            return made with { Path = path };
        }

        Console.Error.WriteLine($"making {path}");
        Directory.CreateDirectory(folder);
        FeedFile feed = Make(path, options, real);
        File.WriteAllText(about, JsonSerializer.Serialize(feed));
        return feed;
    }

    /// <summary>The prefixes of the table, or a part of it, in disorder; always the same ones.</summary>
    public static (IpPrefix[] IPv4, IpPrefix[] IPv6) Prefixes(FeedOptions options)
    {
        UseRealTable();
        IpPrefix[] ipv4 = RoutingTable.Shuffled([.. RoutingTable.Prefixes(IpFamily.IPv4).Distinct()]);
        IpPrefix[] ipv6 = RoutingTable.Shuffled([.. RoutingTable.Prefixes(IpFamily.IPv6).Distinct()]);
        if (options.Prefixes == 0)
        {
            return (ipv4, ipv6);
        }

        int few = (int)((long)options.Prefixes * ipv6.Length / (ipv4.Length + ipv6.Length));
        return (ipv4[..Math.Min(ipv4.Length, options.Prefixes - few)], ipv6[..Math.Min(ipv6.Length, few)]);
    }

    /// <summary>The table that tests use too where it lies beside the source tree, else a generated one.</summary>
    private static void UseRealTable()
    {
        string beside = Path.Combine(Repository.Root, "..", "shared", "data");
        if (RoutingTable.RealFolder is null && File.Exists(Path.Combine(beside, "full-table.v4.txt.gz")))
        {
            RoutingTable.RealFolder = Path.GetFullPath(beside);
        }
    }

    private static FeedFile Make(string path, FeedOptions options, bool real)
    {
        (IpPrefix[] ipv4, IpPrefix[] ipv6) = Prefixes(options);
        Random random = new(options.Seed);
        RouteAttributes attributes = new(options, random);
        HashSet<PathAttributes> sets = [];

        // One list for each family and path identifier, in an order of its own; each UPDATE takes from one, in proportion to what is left.
        List<Run> runs = [];
        for (int i = 0; i < options.Paths; i++)
        {
            runs.Add(new(IpFamily.IPv4, i, [.. ipv4]));
            runs.Add(new(IpFamily.IPv6, i, [.. ipv6]));
        }

        foreach (Run run in runs)
        {
            random.Shuffle(run.Prefixes);
        }

        BgpCodecOptions codec = options.Codec;
        string partial = path + ".partial";
        long octets = 0;
        int updates = 0;
        using (FileStream file = File.Create(partial))
        {
            ArrayBufferWriter<byte> buffer = new(1 << 20);
            Nlri[] nlri = new Nlri[1000];
            for (long left = runs.Sum(r => (long)r.Left); left > 0;)
            {
                Run run = Pick(runs, random.NextInt64(left));
                int count = Math.Min(Math.Min(Geometric(random), nlri.Length), run.Left);
                for (int i = 0; i < count; i++)
                {
                    nlri[i] = new(run.Prefixes[run.Next++], options.AddPath ? (uint)run.Path + 1 : 0);
                }

                PathAttributes set = attributes.Next(run.Family, run.Path);
                sets.Add(set);
                int messages = UpdateEncoder.Announce(run.Family, set, nlri.AsSpan(0, count), codec, buffer);
                updates += messages > 0 ? messages : throw new UnreachableException("a set of attributes leaves no room for a prefix");
                left -= count;
                if (buffer.WrittenCount > 900_000 || left == 0)
                {
                    file.Write(buffer.WrittenSpan);
                    octets += buffer.WrittenCount;
                    buffer.ResetWrittenCount();
                }
            }
        }

        File.Move(partial, path, overwrite: true);
        return new(path, octets, updates, ipv4.Length, ipv6.Length, options.Paths, sets.Count, attributes.AsPathCount, real);
    }

    private static Run Pick(List<Run> runs, long at)
    {
        foreach (Run run in runs)
        {
            if (at < run.Left)
            {
                return run;
            }

            at -= run.Left;
        }

        throw new UnreachableException();
    }

    private static int Geometric(Random random) => 1 + (int)(Math.Log(1 - random.NextDouble()) / Math.Log(1 - (1 / PrefixesPerUpdate)));

    private sealed class Run(IpFamily family, int path, IpPrefix[] prefixes)
    {
        public IpFamily Family { get; } = family;

        public int Path { get; } = path;

        public IpPrefix[] Prefixes { get; } = prefixes;

        public int Next { get; set; }

        public int Left => Prefixes.Length - Next;
    }
}
