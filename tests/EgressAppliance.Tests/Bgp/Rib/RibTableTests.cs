using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class RibTableTests
{
    private const int Peers = 3;

    [Fact]
    public void Table_agrees_with_a_plain_dictionary_after_any_run_of_changes() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            using var prefixes = new PrefixTable();
            var table = new RibTable(Peers, prefixes);
            var listener = new Listener();
            table.Attach(listener);
            var oracle = new Dictionary<(IpPrefix Prefix, int Peer, uint PathId), PathAttributes>();
            PathAttributes[] sets =
            [
                .. from med in Enumerable.Range(0, 3)
                   from path in Enumerable.Range(0, 3)
                   select new PathAttributes
                   {
                       Med = (uint)med,
                       AsPath = AsPath.Sequence(64501 + (uint)(path % 2), 1),
                       LocalPref = path == 2 ? 200u : null,
                       Communities = path == 1 ? [1, 2] : [],
                   },
            ];
            for (int step = 0; step < 400; step++)
            {
                IpPrefix prefix = random.Next(2) == 0
                    ? IpPrefix.Create(IpAddr.FromIPv4((uint)random.Next(4) << 24), 8 + random.Next(2))
                    : IpPrefix.Create(IpAddr.FromIPv6((ulong)random.Next(4) << 60, 0), 16 + random.Next(2));
                int peer = random.Next(Peers);
                uint pathId = (uint)random.Next(3);
                switch (random.Next(40))
                {
                    case 0:
                        uint cursor = 0;
                        while (table.Purge(peer, ref cursor, 1 + random.Next(8)))
                        {
                        }

                        foreach ((IpPrefix, int, uint) key in oracle.Keys.Where(k => k.Peer == peer).ToList())
                        {
                            oracle.Remove(key);
                        }

                        break;
                    case < 16:
                        Assert.Equal(oracle.Remove((prefix, peer, pathId)), table.Withdraw(peer, prefix, pathId));
                        break;
                    default:
                        // A fresh object each time: the table must find the equal one it has.
                        PathAttributes attributes = sets[random.Next(sets.Length)].WithNextHop(new(IpAddr.FromIPv4(0x64400102)));
                        bool known = oracle.TryGetValue((prefix, peer, pathId), out PathAttributes? old);
                        RibChange change = table.Announce(peer, prefix, pathId, attributes);
                        Assert.Equal(!known ? RibChange.Added : old!.Equals(attributes) ? RibChange.None : RibChange.Replaced, change);
                        oracle[(prefix, peer, pathId)] = attributes;
                        break;
                }

                var paths = new List<RibPath>();
                table.CopyPaths(prefix, paths);
                Assert.Equal(
                    oracle.Where(o => o.Key.Prefix == prefix).Select(o => (o.Key.Peer, o.Key.PathId, o.Value)).OrderBy(o => (o.Peer, o.PathId)),
                    paths.Select(p => (p.Peer, p.PathId, p.Attributes)).OrderBy(o => (o.Peer, o.PathId)));
                AssertBestFirst(paths);
            }

            Assert.Equal(oracle.Keys.Select(k => k.Prefix).Distinct().Count(), table.PrefixCount);
            Assert.Equal(oracle.Keys.Select(k => k.Prefix).ToHashSet(), listener.Prefixes);
            Assert.Equal(oracle.Values.Distinct().Count(), table.AttributeSetCount);
            for (int peer = 0; peer < Peers; peer++)
            {
                Assert.Equal(oracle.Keys.Count(k => k.Peer == peer && k.Prefix.Family == IpFamily.IPv6), table.PathCount(peer, IpFamily.IPv6));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Equal_sets_are_kept_once()
    {
        using var prefixes = new PrefixTable();
        var table = new RibTable(1, prefixes);
        table.Announce(0, IpPrefix.Parse("20.0.0.0/16"), 1, new PathAttributes { Communities = [1, 2], AsPath = AsPath.Sequence(1, 2) });
        table.Announce(0, IpPrefix.Parse("20.1.0.0/16"), 1, new PathAttributes { Communities = [1, 2], AsPath = AsPath.Sequence(1, 2) });
        var paths = new List<RibPath>();
        table.CopyPaths(IpPrefix.Parse("20.0.0.0/16"), paths);
        table.CopyPaths(IpPrefix.Parse("20.1.0.0/16"), paths);

        Assert.Equal(paths[0].Attributes, paths[1].Attributes);
        Assert.Equal(1, table.AttributeSetCount);
    }

    [Fact]
    public void Hidden_peer_gives_no_answers_until_it_is_back()
    {
        using var prefixes = new PrefixTable();
        var table = new RibTable(2, prefixes);
        IpPrefix prefix = IpPrefix.Parse("20.0.0.0/16");
        table.Announce(0, prefix, 1, new PathAttributes());
        table.Announce(1, prefix, 1, new PathAttributes());
        table.Hide(0, true);
        var paths = new List<RibPath>();
        table.CopyPaths(prefix, paths);

        Assert.Equal(1, Assert.Single(paths).Peer);
    }

    [Fact]
    public void Million_prefixes_with_three_paths_stay_within_the_stated_memory()
    {
        const int Prefixes = 200_000; // a fifth of a full table: the test must not need a big machine
        PathAttributes[] sets = [.. Enumerable.Range(0, 1000).Select(i => new PathAttributes { Med = (uint)i })];
        using var prefixes = new PrefixTable();
        var table = new RibTable(1, prefixes);
        for (uint i = 0; i < Prefixes; i++)
        {
            IpPrefix prefix = IpPrefix.Create(IpAddr.FromIPv4(0x01000000 + (i << 8)), 24);
            for (uint path = 0; path < 3; path++)
            {
                table.Announce(0, prefix, path, sets[(i + path) % 1000]);
            }
        }

        // Three paths of 14 bytes, path identifiers included, and the share of the sets; what the prefixes themselves take is the prefix table's.
        Assert.InRange(table.MemoryBytes / Prefixes, 42, 60);
        Assert.Equal(3 * Prefixes, table.PathCount(0, IpFamily.IPv4));
    }

    private static void AssertBestFirst(List<RibPath> paths)
    {
        if (paths.Count > 0)
        {
            Assert.Equal(0, BestPath.Select(paths));
        }
    }

    private sealed class Listener : IRibListener
    {
        public HashSet<IpPrefix> Prefixes { get; } = [];

        public void PrefixAdded(IpPrefix prefix) => Assert.True(Prefixes.Add(prefix));

        public void PrefixRemoved(IpPrefix prefix) => Assert.True(Prefixes.Remove(prefix));
    }
}
