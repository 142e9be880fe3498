using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

public class RoutingTableTests(RoutingTableFixture fixture) : IClassFixture<RoutingTableFixture>
{
    [Fact]
    public void Lookup_of_every_query_equals_truth()
    {
        Assert.NotEmpty(fixture.Queries);
        Assert.Equal(fixture.Prefixes.Length, fixture.Table.Count);
        Assert.Equal(fixture.Prefixes.Length + 1, fixture.Table.IdCapacity);
        CheckTruth();
    }

    [Fact]
    public void Lookup_after_additions_came_and_went_equals_truth()
    {
        PrefixTable table = fixture.Table;
        LpmStatistics before = table.Lookup.GetStatistics();
        table.AddRange(fixture.Additions);
        Assert.Equal(fixture.Prefixes.Length + fixture.Additions.Length, table.Count);
        IpAddr[] addresses = [.. fixture.Queries.Select(q => q.Address)];
        Assert.All(addresses, a =>
        {
            table.TryLongestMatch(a, out _, out uint id);
            Assert.Equal(id, table.Lookup.Lookup(a));
        });

        Assert.All(fixture.Additions, p => Assert.True(table.Remove(p)));
        table.Tick();
        LpmStatistics after = table.Lookup.GetStatistics();
        Assert.Equal((before.IPv4Blocks, before.IPv6Nodes, before.UsedBytes), (after.IPv4Blocks, after.IPv6Nodes, after.UsedBytes));
        CheckTruth();
    }

    [Fact]
    public void Lookup_while_every_third_prefix_is_withdrawn_equals_trie_and_then_truth()
    {
        PrefixTable table = fixture.Table;
        IpPrefix[] flapping = [.. fixture.Prefixes.Where((_, i) => i % 3 == 0)];
        int capacity = table.IdCapacity;
        foreach (IpPrefix prefix in flapping)
        {
            Assert.True(table.Remove(prefix));
        }

        foreach (LpmQuery query in fixture.Queries)
        {
            table.TryLongestMatch(query.Address, out _, out uint id);
            Assert.Equal(id, table.Lookup.Lookup(query.Address));
        }

        table.AddRange(flapping);
        Assert.Equal(capacity, table.IdCapacity);
        CheckTruth();
    }

    [Fact]
    public void Entries_are_the_table_in_order() =>
        Assert.Equal(fixture.Prefixes.OrderBy(p => p), fixture.Table.Entries().Select(e => e.Prefix));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Add_after_all_were_removed_again_and_again_takes_no_more_ids_or_memory(int ticks)
    {
        using PrefixTable table = new();
        IpPrefix[] prefixes = [.. fixture.Prefixes.Where((_, i) => i % 4 == 0)];
        table.AddRange(prefixes);
        PrefixTableStatistics full = table.GetStatistics();
        uint[] ids = [.. table.Entries().Select(e => e.Id)];
        for (int cycle = 0; cycle < 5; cycle++)
        {
            Assert.All(prefixes, p => Assert.True(table.Remove(p)));
            Assert.Equal(prefixes.Length, table.GetStatistics().RestingIds);
            for (int i = 0; i < ticks; i++)
            {
                table.Tick();
            }

            PrefixTableStatistics empty = table.GetStatistics();
            Assert.Equal((0, ticks == 2 ? 0 : prefixes.Length), (table.Count, empty.RestingIds));

            // Each family keeps at most its first array.
            Assert.InRange(empty.TrieBytes, 0, 400_000);
            table.AddRange(prefixes);
            PrefixTableStatistics now = table.GetStatistics();
            Assert.Equal((0, prefixes.Length + 1, full.TrieBytes), (now.RestingIds, table.IdCapacity, now.TrieBytes));

            // The bits of the sets remain: those of the ids released now and before, and of the free ones, of which an array may have half again to spare. So do the
            // smallest arrays of the 64 parts of those that rest, 256 octets each.
            Assert.InRange(now.IdBytes, full.IdBytes, full.IdBytes + (prefixes.Length * 3 * 3 / 2 / 8) + (64 * 256));
            Assert.Equal(ids, table.Entries().Select(e => e.Id));
            Assert.All(table.Entries(), e => Assert.Equal(e.Prefix, table.PrefixOf(e.Id)));
        }
    }

    private void CheckTruth()
    {
        PrefixTable table = fixture.Table;
        foreach (IpFamily family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            LpmQuery[] queries = [.. fixture.Queries.Where(q => q.Address.Family == family)];
            uint[] batch = LpmTableTests.Batch(table.Lookup, [.. queries.Select(q => q.Address)]);
            for (int i = 0; i < queries.Length; i++)
            {
                (IpAddr address, IpPrefix expected) = queries[i];
                Assert.Equal(!expected.IsDefault, table.TryLongestMatch(address, out IpPrefix match, out uint id));
                Assert.Equal(expected, match);
                Assert.Equal(id, batch[i]);
                Assert.Equal(id, table.Lookup.Lookup(address));
                Assert.Equal(expected, table.PrefixOf(id));
            }
        }
    }
}
