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
            PatriciaTrie trie = new(address.Family);
            for (int length = 0; length <= address.BitLength; length++)
            {
                Assert.True(trie.TryInsert(IpPrefix.Create(address, length), (uint)length + 1, out _, out uint cover));
                Assert.Equal((uint)length, cover);
            }

            for (int length = address.BitLength; length >= 0; length--)
            {
                Assert.True(trie.TryLongestMatch(address, out IpPrefix prefix, out uint value));
                Assert.Equal((IpPrefix.Create(address, length), (uint)length + 1), (prefix, value));
                Assert.True(trie.TryRemove(prefix, out uint removed, out uint cover));
                Assert.Equal((value, (uint)length), (removed, cover));
            }

            Assert.Equal((0, 0), (trie.Count, trie.NodeCount));
        }
    }

    [Fact]
    public void TryInsert_of_a_prefix_held_tells_its_value_and_changes_nothing()
    {
        PatriciaTrie trie = new(IpFamily.IPv4);
        IpPrefix prefix = IpPrefix.Parse("192.0.2.0/24");
        Assert.True(trie.TryInsert(prefix, 7, out _, out _));
        Assert.False(trie.TryInsert(prefix, 8, out uint existing, out _));
        Assert.Equal(7u, existing);
        Assert.True(trie.TryGet(prefix, out uint value));
        Assert.Equal((7u, 1), (value, trie.Count));
    }

    [Fact]
    public void Branch_point_is_no_entry()
    {
        PatriciaTrie trie = new(IpFamily.IPv4);
        trie.TryInsert(IpPrefix.Parse("10.0.0.0/24"), 1, out _, out _);
        trie.TryInsert(IpPrefix.Parse("10.0.1.0/24"), 2, out _, out _);
        Assert.Equal(3, trie.NodeCount);
        Assert.False(trie.TryGet(IpPrefix.Parse("10.0.0.0/23"), out _));
        Assert.False(trie.TryRemove(IpPrefix.Parse("10.0.0.0/23"), out _, out _));
        Assert.False(trie.TryLongestMatch(IpAddr.Parse("10.0.2.1"), out _, out _));
    }

    [Fact]
    public void TryGet_of_the_other_family_is_refused()
    {
        PatriciaTrie trie = new(IpFamily.IPv4);
        Assert.Throws<ArgumentException>(() => trie.TryGet(IpPrefix.Parse("2001:db8::/32"), out _));
        Assert.Throws<ArgumentException>(() => trie.TryGet(default, out _));
    }

    private static bool Agrees(TableStep[] steps)
    {
        IpFamily family = steps[0].Prefix.Family;
        PatriciaTrie trie = new(family);
        PrefixOracle oracle = new();
        uint next = 1;
        foreach ((bool remove, IpPrefix prefix) in steps)
        {
            uint before = oracle.Values.GetValueOrDefault(prefix);
            uint cover = prefix.Length == 0 ? 0 : CoverOf(oracle, prefix);
            if (remove)
            {
                Assert.Equal(before != 0, trie.TryRemove(prefix, out uint value, out uint toldCover));
                Assert.Equal((before, before == 0 ? 0 : cover), (value, toldCover));
                oracle.Remove(prefix);
            }
            else if (trie.TryInsert(prefix, next, out uint existing, out uint toldCover))
            {
                Assert.Equal((0u, cover), (before, toldCover));
                oracle.Set(prefix, next++);
            }
            else
            {
                Assert.Equal(before, existing);
                Assert.NotEqual(0u, before);
            }

            Assert.InRange(trie.NodeCount, trie.Count, Math.Max(0, (2 * trie.Count) - 1));
        }

        Assert.Equal(oracle.Values.Count, trie.Count);
        List<PrefixEntry> ordered = [.. oracle.Ordered(family)];
        Assert.Equal(ordered, trie.Walk());
        foreach (TableStep step in steps)
        {
            CheckAround(step.Prefix, trie, oracle, ordered);
        }

        return true;
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
