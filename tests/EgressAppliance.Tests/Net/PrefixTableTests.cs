using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Net;

public class PrefixTableTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void History_random_trie_and_compiled_table_equal_oracle(IpFamily family)
    {
        Arbitrary<TableStep[]> histories = PrefixGenerators.History(family).ToArbitrary();
        Prop.ForAll(histories, Agrees).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Add_every_length_nested_then_removed_in_any_order_leaves_an_empty_table()
    {
        using PrefixTable table = new();
        Random random = new(1);
        foreach (IpAddr address in (IpAddr[])[IpAddr.Parse("203.0.113.77"), IpAddr.Parse("2001:db8:1:2:3:4:5:6")])
        {
            int[] lengths = [.. Enumerable.Range(0, address.BitLength + 1)];
            random.Shuffle(lengths);
            int longest = -1;
            foreach (int length in lengths)
            {
                uint id = table.Add(IpPrefix.Create(address, length));
                longest = Math.Max(longest, length);
                Assert.Equal(longest == length, table.Lookup.Lookup(address) == id);
            }

            random.Shuffle(lengths);
            foreach (int length in lengths)
            {
                Assert.True(table.Remove(IpPrefix.Create(address, length)));
                table.TryLongestMatch(address, out _, out uint id);
                Assert.Equal(id, table.Lookup.Lookup(address));
            }
        }

        LpmStatistics left = table.Lookup.GetStatistics();
        Assert.Equal((0, 0L, 0L, 0L), (table.Count, left.IPv4Blocks, left.IPv6Tables + left.IPv6Nodes, left.UsedBytes));
    }

    [Fact]
    public void Add_default_value_is_refused()
    {
        using PrefixTable table = new();
        Assert.Throws<ArgumentException>(() => table.Add(default));
        Assert.Throws<ArgumentException>(() => table.TryLongestMatch(default, out _, out _));
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void AddRange_with_a_default_value_adds_nothing()
    {
        using PrefixTable table = new();
        Assert.Throws<ArgumentException>(() => table.AddRange([IpPrefix.Parse("10.0.0.0/8"), default]));
        Assert.Equal((0, 1), (table.Count, table.IdCapacity));
    }

    [Fact]
    public void AddRange_in_disorder_and_with_repeats_equals_adding_one_by_one()
    {
        using PrefixTable table = new();
        using PrefixTable oneByOne = new();
        Random random = new(9);
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 2000).Select(_ => random.Next(2) == 0
            ? IpPrefix.Create(IpAddr.FromIPv4((uint)random.Next(1 << 20) << 8), random.Next(33))
            : IpPrefix.Create(IpAddr.FromIPv6(0x2001_0DB8_0000_0000 | (ulong)random.NextInt64(1L << 32), (ulong)random.NextInt64()), random.Next(129)))];
        uint held = table.Add(prefixes[7]);
        table.AddRange(prefixes);
        Assert.All(prefixes, p => oneByOne.Add(p));
        Assert.Equal(held, table.Add(prefixes[7]));
        Assert.Equal(oneByOne.Entries().Select(e => e.Prefix), table.Entries().Select(e => e.Prefix));
        Assert.Equal(Enumerable.Range(1, table.Count), table.Entries().Select(e => (int)e.Id).Order());
        Assert.All(table.Entries(), e => Assert.Equal((e.Prefix, e.Id), (table.PrefixOf(e.Id), table.Lookup.Lookup(e.Prefix.Address) is uint id && table.PrefixOf(id).Length >= e.Prefix.Length ? e.Id : 0)));
    }

    [Fact]
    public void Add_of_a_prefix_held_keeps_its_id()
    {
        using PrefixTable table = new();
        uint id = table.Add(IpPrefix.Parse("192.0.2.0/24"));
        Assert.Equal(1u, id);
        Assert.Equal(id, table.Add(IpPrefix.Parse("192.0.2.0/24")));
        Assert.Equal(2u, table.Add(IpPrefix.Parse("2001:db8::/32")));
        Assert.Equal((2, 3), (table.Count, table.IdCapacity));
        Assert.True(table.TryGetId(IpPrefix.Parse("192.0.2.0/24"), out uint found));
        Assert.Equal(id, found);
        Assert.False(table.TryGetId(IpPrefix.Parse("192.0.2.0/25"), out _));
    }

    [Fact]
    public void Remove_lets_the_id_rest_for_two_ticks()
    {
        using PrefixTable table = new();
        IpPrefix gone = IpPrefix.Parse("198.51.100.0/24");
        uint id = table.Add(gone);
        Assert.True(table.Remove(gone));
        Assert.False(table.Remove(gone));
        Assert.Equal(2u, table.Add(IpPrefix.Parse("10.0.0.0/24")));
        Assert.Equal(gone, table.PrefixOf(id));
        table.Tick();
        Assert.Equal(3u, table.Add(IpPrefix.Parse("10.0.1.0/24")));
        Assert.Equal(gone, table.PrefixOf(id));
        Assert.Equal(1, table.GetStatistics().RestingIds);
        table.Tick();
        IpPrefix heir = IpPrefix.Parse("10.0.2.0/24");
        Assert.Equal(id, table.Add(heir));
        Assert.Equal(heir, table.PrefixOf(id));
        Assert.Equal((4, 0), (table.IdCapacity, table.GetStatistics().RestingIds));
    }

    [Fact]
    public void Add_of_a_prefix_whose_id_rests_gives_it_back_and_starts_its_rest_anew_later()
    {
        using PrefixTable table = new();
        IpPrefix flapping = IpPrefix.Parse("2001:db8::/32");
        uint id = table.Add(flapping);
        table.Remove(flapping);
        table.Tick();
        Assert.Equal(id, table.Add(flapping));
        table.Remove(flapping);
        table.Tick();
        Assert.Equal(2u, table.Add(IpPrefix.Parse("10.0.0.0/24")));
        table.Tick();
        Assert.Equal(id, table.Add(IpPrefix.Parse("10.0.1.0/24")));
    }

    [Theory]
    [InlineData("2001:db8::/128", "2001:db8::/128")]
    [InlineData("2001:db8::/57", "2001:db8::/56")]
    [InlineData("2001:db8::/56", "2001:db8:0:0:8000::/65")]
    [InlineData("2001:db8::/64", "10.0.0.0/8")]
    public void Id_of_a_prefix_of_any_length_rests_comes_back_and_passes_on(string first, string second)
    {
        using PrefixTable table = new();
        IpPrefix gone = IpPrefix.Parse(first);
        IpPrefix heir = IpPrefix.Parse(second);
        uint id = table.Add(gone);
        table.Remove(gone);
        Assert.Equal(gone, table.PrefixOf(id));
        table.Tick();
        Assert.Equal(id, table.Add(gone));
        table.Remove(gone);
        table.Tick();
        table.Tick();
        Assert.Equal(gone, table.PrefixOf(id));
        Assert.Equal(id, table.Add(heir));
        Assert.Equal(heir, table.PrefixOf(id));
        Assert.Equal((2, 0), (table.IdCapacity, table.GetStatistics().RestingIds));
    }

    [Fact]
    public void Add_without_an_id_left_is_refused_until_one_has_rested()
    {
        using PrefixTable table = new(new PrefixIds(largest: 2));
        IpPrefix second = IpPrefix.Parse("10.1.0.0/16");
        IpPrefix third = IpPrefix.Parse("10.1.2.0/24");
        table.Add(IpPrefix.Parse("10.0.0.0/8"));
        uint id = table.Add(second);
        Assert.Throws<InvalidOperationException>(() => table.Add(third));
        table.Remove(second);
        Assert.Throws<InvalidOperationException>(() => table.Add(third));
        Assert.Equal((1, 3), (table.Count, table.IdCapacity));
        Assert.Equal(1u, table.Lookup.Lookup(third.Address));
        table.Tick();
        table.Tick();
        Assert.Equal(id, table.Add(third));
        Assert.Equal(id, table.Lookup.Lookup(third.Address));
    }

    [Fact]
    public void PrefixOf_an_id_never_given_is_default()
    {
        using PrefixTable table = new();
        table.Add(IpPrefix.Parse("0.0.0.0/0"));
        Assert.True(table.PrefixOf(0).IsDefault);
        Assert.True(table.PrefixOf(2).IsDefault);
        Assert.True(table.PrefixOf(uint.MaxValue).IsDefault);
    }

    [Fact]
    public void Entries_of_more_than_one_part_are_complete_and_in_order()
    {
        using PrefixTable table = new();
        IpPrefix[] prefixes = [.. Enumerable.Range(0, 5000).Select(i => IpPrefix.Create(IpAddr.FromIPv4((uint)i << 8), 24))];
        table.AddRange(prefixes);
        table.Add(IpPrefix.Parse("::/0"));
        table.Add(IpPrefix.Parse("0.0.0.0/0"));
        Assert.Equal(
            [IpPrefix.Parse("0.0.0.0/0"), .. prefixes, IpPrefix.Parse("::/0")],
            table.Entries().Select(e => e.Prefix));
        Assert.All(table.Entries(), e => Assert.Equal(e.Prefix, table.PrefixOf(e.Id)));
        Assert.Equal([IpPrefix.Parse("0.0.0.0/0"), prefixes[9]], table.Covering(IpPrefix.Parse("0.0.9.1/32")).Select(e => e.Prefix));
        Assert.Equal(256, table.Covered(IpPrefix.Parse("0.1.0.0/16")).Count());
    }

    [Fact]
    public void Entries_during_changes_have_every_stable_prefix_once()
    {
        using PrefixTable table = new();
        for (uint i = 0; i < 4000; i++)
        {
            table.Add(IpPrefix.Create(IpAddr.FromIPv4(i << 8), 24));
        }

        List<IpPrefix> seen = [];
        foreach (PrefixEntry entry in table.Entries())
        {
            if (entry.Prefix.Address.IPv4Value >> 8 is uint n && n % 2 == 1)
            {
                seen.Add(entry.Prefix);
            }

            table.Remove(IpPrefix.Create(IpAddr.FromIPv4((n * 2654435761u % 4000) / 2 * 2 << 8), 24));
        }

        Assert.Equal(Enumerable.Range(0, 2000).Select(i => IpPrefix.Create(IpAddr.FromIPv4((uint)((2 * i) + 1) << 8), 24)), seen);
    }

    private static bool Agrees(TableStep[] steps)
    {
        using PrefixTable table = new();
        PrefixOracle oracle = new();
        for (int i = 0; i < steps.Length; i++)
        {
            (bool remove, IpPrefix prefix) = steps[i];
            if (remove)
            {
                Assert.Equal(oracle.Remove(prefix), table.Remove(prefix));
            }
            else
            {
                uint id = table.Add(prefix);
                Assert.Equal(oracle.Values.GetValueOrDefault(prefix, id), id);
                Assert.Equal(prefix, table.PrefixOf(id));
                oracle.Set(prefix, id);
            }

            foreach (IpAddr address in PrefixGenerators.Edges(prefix))
            {
                CheckAddress(table, oracle, address);
            }

            if (i % 16 == 15)
            {
                table.Tick();
            }
        }

        IpAddr[] addresses = [.. steps.SelectMany(s => PrefixGenerators.Edges(s.Prefix))];
        CheckBatch(table, oracle, addresses);
        Assert.Equal(oracle.Values.Count, table.Count);
        Assert.Equal(oracle.Ordered(steps[0].Prefix.Family), table.Entries());
        foreach (IpPrefix prefix in oracle.Values.Keys)
        {
            Assert.True(table.Remove(prefix));
        }

        LpmStatistics left = table.Lookup.GetStatistics();
        Assert.Equal((0L, 0L, 0L, 0L), (left.IPv4Blocks, left.IPv6Tables, left.IPv6Nodes, left.UsedBytes));
        Assert.All(addresses, a => Assert.Equal(0u, table.Lookup.Lookup(a)));
        return true;
    }

    private static void CheckAddress(PrefixTable table, PrefixOracle oracle, IpAddr address)
    {
        (IpPrefix prefix, uint id) = oracle.LongestMatch(address);
        Assert.Equal(id != 0, table.TryLongestMatch(address, out IpPrefix match, out uint matchId));
        Assert.Equal((prefix, id), (match, matchId));
        Assert.Equal(id, table.Lookup.Lookup(address));
    }

    private static void CheckBatch(PrefixTable table, PrefixOracle oracle, IpAddr[] addresses)
    {
        uint[] expected = [.. addresses.Select(a => oracle.LongestMatch(a).Value)];
        Assert.Equal(expected, LpmTableTests.Batch(table.Lookup, addresses));
    }
}
