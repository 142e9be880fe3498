using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Net;

public class PatriciaTrieTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void History_random_equals_oracle(IpFamily family)
    {
        Arbitrary<TableStep[]> histories = PrefixGenerators.History(family).ToArbitrary();
        Prop.ForAll(histories, Agrees).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void TryInsert_every_length_is_found_exactly_and_by_longest_match()
    {
        foreach (IpAddr address in (IpAddr[])[IpAddr.FromIPv4(0xFFFF_FFFF), IpAddr.FromIPv6(ulong.MaxValue, ulong.MaxValue)])
        {
            PatriciaTrie trie = new(address.Family, new PrefixIds());
            for (int length = 0; length <= address.BitLength; length++)
            {
                Assert.True(trie.TryInsert(IpPrefix.Create(address, length), out uint id, out uint cover));
                Assert.Equal(((uint)length + 1, (uint)length), (id, cover));
                Assert.Equal((length + 1, length), (trie.PointCount, trie.NodeCount));
            }

            for (int length = address.BitLength; length >= 0; length--)
            {
                Assert.True(trie.TryLongestMatch(address, out IpPrefix prefix, out uint id));
                Assert.Equal((IpPrefix.Create(address, length), (uint)length + 1), (prefix, id));
                Assert.True(trie.TryRemove(prefix, out uint removed, out uint cover));
                Assert.Equal((id, (uint)length), (removed, cover));
                Assert.Equal((length, Math.Max(0, length - 1)), (trie.PointCount, trie.NodeCount));
            }

            Assert.Equal((0, 0), (trie.Count, trie.PointCount));
        }
    }

    [Fact]
    public void TryInsert_of_a_prefix_held_tells_its_id_and_changes_nothing()
    {
        PatriciaTrie trie = new(IpFamily.IPv4, new PrefixIds());
        IpPrefix prefix = IpPrefix.Parse("192.0.2.0/24");
        Assert.True(trie.TryInsert(prefix, out uint id, out _));
        Assert.False(trie.TryInsert(prefix, out uint existing, out _));
        Assert.Equal(id, existing);
        Assert.True(trie.TryGet(prefix, out uint found));
        Assert.Equal((id, 1), (found, trie.Count));
    }

    [Fact]
    public void Parting_is_no_entry()
    {
        PatriciaTrie trie = new(IpFamily.IPv4, new PrefixIds());
        trie.TryInsert(IpPrefix.Parse("10.0.0.0/24"), out _, out _);
        trie.TryInsert(IpPrefix.Parse("10.0.1.0/24"), out _, out _);
        Assert.Equal((3, 1), (trie.PointCount, trie.NodeCount));
        Assert.False(trie.TryGet(IpPrefix.Parse("10.0.0.0/23"), out _));
        Assert.False(trie.TryRemove(IpPrefix.Parse("10.0.0.0/23"), out _, out _));
        Assert.False(trie.TryLongestMatch(IpAddr.Parse("10.0.2.1"), out _, out _));
    }

    [Fact]
    public void Leaf_that_gets_something_below_is_a_node_until_it_has_lost_it()
    {
        PatriciaTrie trie = new(IpFamily.IPv6, new PrefixIds());
        IpPrefix above = IpPrefix.Parse("2001:db8::/32");
        IpPrefix below = IpPrefix.Parse("2001:db8:0:1:8000::/66");
        IpPrefix beside = IpPrefix.Parse("2001:db8:8000::/127");
        trie.TryInsert(above, out uint id, out _);
        Assert.Equal((0, 0L), (trie.NodeCount, trie.MemoryBytes));
        for (int round = 0; round < 3; round++)
        {
            Assert.True(trie.TryInsert(below, out _, out uint cover));
            Assert.Equal((id, 1), (cover, trie.NodeCount));
            Assert.True(trie.TryInsert(beside, out _, out cover));
            Assert.Equal((id, 1), (cover, trie.NodeCount));
            Assert.Equal([above, below, beside], trie.Walk().Select(e => e.Prefix));
            Assert.True(trie.TryRemove(below, out _, out _));
            Assert.Equal([above, beside], trie.Walk().Select(e => e.Prefix));
            Assert.Equal(1, trie.NodeCount);
            Assert.True(trie.TryRemove(beside, out _, out _));
            Assert.Equal([new(above, id)], trie.Walk());
            Assert.Equal(0, trie.NodeCount);
        }
    }

    [Fact]
    public void TryRemove_of_the_last_prefix_gives_the_nodes_back()
    {
        PatriciaTrie trie = new(IpFamily.IPv4, new PrefixIds());
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 40_000).Select(i => IpPrefix.Create(IpAddr.FromIPv4((uint)i << 12), 20))];
        long most = 0;
        for (int round = 0; round < 5; round++)
        {
            Assert.All(prefixes, p => Assert.True(trie.TryInsert(p, out _, out _)));
            most = round == 0 ? trie.MemoryBytes : most;
            Assert.Equal((prefixes.Length - 1, most), (trie.NodeCount, trie.MemoryBytes));
            Assert.All(prefixes, p => Assert.True(trie.TryRemove(p, out _, out _)));
            Assert.Equal((0, 0L), (trie.PointCount, trie.MemoryBytes));
        }
    }

    [Fact]
    public void TryInsert_without_an_id_left_changes_nothing()
    {
        PrefixIds ids = new(largest: 3);
        PatriciaTrie trie = new(IpFamily.IPv4, ids);
        trie.TryInsert(IpPrefix.Parse("10.0.0.0/24"), out _, out _);
        trie.TryInsert(IpPrefix.Parse("10.0.1.0/24"), out _, out _);
        trie.TryInsert(IpPrefix.Parse("10.0.2.0/24"), out _, out _);
        List<PrefixEntry> before = [.. trie.Walk()];
        foreach (string more in (string[])["10.0.0.0/23", "10.0.0.0/8", "10.0.0.0/25", "192.0.2.0/24"])
        {
            Assert.Throws<InvalidOperationException>(() => trie.TryInsert(IpPrefix.Parse(more), out _, out _));
            Assert.Equal(before, trie.Walk());
            Assert.Equal((3, 5, 2), (trie.Count, trie.PointCount, trie.NodeCount));
        }

        Assert.False(trie.TryInsert(IpPrefix.Parse("10.0.1.0/24"), out uint id, out _));
        Assert.Equal(2u, id);
    }

    [Fact]
    public void TryGet_of_the_other_family_is_refused()
    {
        PatriciaTrie trie = new(IpFamily.IPv4, new PrefixIds());
        Assert.Throws<ArgumentException>(() => trie.TryGet(IpPrefix.Parse("2001:db8::/32"), out _));
        Assert.Throws<ArgumentException>(() => trie.TryGet(default, out _));
    }

    private static bool Agrees(TableStep[] steps)
    {
        IpFamily family = steps[0].Prefix.Family;
        PrefixIds ids = new();
        PatriciaTrie trie = new(family, ids);
        PrefixOracle oracle = new();
        for (int i = 0; i < steps.Length; i++)
        {
            (bool remove, IpPrefix prefix) = steps[i];
            uint before = oracle.Values.GetValueOrDefault(prefix);
            uint cover = prefix.Length == 0 ? 0 : CoverOf(oracle, prefix);
            if (remove)
            {
                Assert.Equal(before != 0, trie.TryRemove(prefix, out uint id, out uint toldCover));
                Assert.Equal((before, before == 0 ? 0 : cover), (id, toldCover));
                if (oracle.Remove(prefix))
                {
                    ids.Release(prefix, id);
                }
            }
            else if (trie.TryInsert(prefix, out uint id, out uint toldCover))
            {
                Assert.Equal((0u, cover), (before, toldCover));
                Assert.DoesNotContain(id, oracle.Values.Values);
                oracle.Set(prefix, id);
            }
            else
            {
                Assert.Equal(before, id);
                Assert.NotEqual(0u, before);
            }

            Assert.InRange(trie.PointCount, trie.Count, Math.Max(0, (2 * trie.Count) - 1));
            if (i % 16 == 15)
            {
                ids.Tick();
            }
        }

        Assert.Equal(oracle.Values.Count, trie.Count);
        List<PrefixEntry> ordered = [.. oracle.Ordered(family)];
        Assert.Equal(ordered, trie.Walk());
        CheckShape(trie, ordered);
        foreach (TableStep step in steps)
        {
            CheckAround(step.Prefix, trie, oracle, ordered);
        }

        CheckRemoval(trie, ordered);
        return true;
    }

    // A prefix takes a node if, and only if, others lie inside it.
    private static void CheckShape(PatriciaTrie trie, List<PrefixEntry> ordered)
    {
        int covers = 0;
        for (int i = 1; i < ordered.Count; i++)
        {
            covers += ordered[i - 1].Prefix.Contains(ordered[i].Prefix) ? 1 : 0;
        }

        Assert.Equal(covers + trie.PointCount - trie.Count, trie.NodeCount);
    }

    private static void CheckRemoval(PatriciaTrie trie, List<PrefixEntry> ordered)
    {
        PrefixEntry[] shuffled = [.. ordered];
        new Random(ordered.Count).Shuffle(shuffled);
        foreach (PrefixEntry entry in shuffled)
        {
            Assert.True(trie.TryRemove(entry.Prefix, out uint id, out _));
            Assert.Equal(entry.Id, id);
            ordered.Remove(entry);
            CheckShape(trie, ordered);
        }

        Assert.Equal((0, 0, 0), (trie.Count, trie.PointCount, trie.NodeCount));
        Assert.Empty(trie.Walk());
    }

    private static void CheckAround(IpPrefix prefix, PatriciaTrie trie, PrefixOracle oracle, List<PrefixEntry> ordered)
    {
        Assert.Equal(oracle.Values.ContainsKey(prefix), trie.TryGet(prefix, out uint exact));
        Assert.Equal(oracle.Values.GetValueOrDefault(prefix), exact);
        PrefixEntry[] covering = new PrefixEntry[129];
        int count = trie.CopyCovering(prefix, covering);
        Assert.Equal(ordered.Where(e => e.Prefix.Contains(prefix)), covering[..count]);
        Assert.Equal(ordered.Where(e => prefix.Contains(e.Prefix)), trie.Walk(prefix));
        PrefixEntry[] after = new PrefixEntry[3];
        IpPrefix all = IpPrefix.Create(prefix.Address, 0);
        count = trie.CopyOrdered(prefix, inclusive: false, all, after);
        Assert.Equal(ordered.Where(e => e.Prefix > prefix).Take(3), after[..count]);
        foreach (IpAddr address in PrefixGenerators.Edges(prefix))
        {
            trie.TryLongestMatch(address, out IpPrefix match, out uint value);
            Assert.Equal(oracle.LongestMatch(address), (match, value));
        }
    }

    private static uint CoverOf(PrefixOracle oracle, IpPrefix prefix)
    {
        for (int length = prefix.Length - 1; length >= 0; length--)
        {
            if (oracle.Values.TryGetValue(IpPrefix.Create(prefix.Address, length), out uint value))
            {
                return value;
            }
        }

        return 0;
    }
}
