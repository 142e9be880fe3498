using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

public class LpmTableTests
{
    /// <summary>Looks up addresses of one family in a batch.</summary>
    internal static uint[] Batch(LpmTable table, IpAddr[] addresses)
    {
        uint[] ids = new uint[addresses.Length];
        if (addresses.Length == 0 || addresses[0].Family == IpFamily.IPv4)
        {
            table.LookupIPv4([.. addresses.Select(a => a.IPv4Value)], ids);
        }
        else
        {
            table.LookupIPv6([.. addresses.Select(a => a.High)], [.. addresses.Select(a => a.Low)], ids);
        }

        return ids;
    }

    [Fact]
    public void Lookup_in_an_empty_table_is_0()
    {
        using PrefixTable table = new();
        Assert.Equal(0u, table.Lookup.LookupIPv4(0xC0000201));
        Assert.Equal(0u, table.Lookup.LookupIPv6(ulong.MaxValue, 0));
        Assert.Equal([0u, 0u], Batch(table.Lookup, [IpAddr.Parse("::"), IpAddr.Parse("ffff::")]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(127)]
    [InlineData(129)]
    [InlineData(136)]
    [InlineData(145)]
    [InlineData(1000)]
    public void Lookup_batch_of_any_size_equals_single_lookups(int size)
    {
        using PrefixTable table = new();
        Random random = new(size);
        for (int i = 0; i < 500; i++)
        {
            table.Add(IpPrefix.Create(IpAddr.FromIPv4(0x0A00_0000 + (uint)random.Next(1 << 14)), random.Next(14, 33)));
            table.Add(IpPrefix.Create(IpAddr.FromIPv6(0x2001_0DB8_0000_0000 + ((ulong)(uint)random.Next(1 << 14) << 8), (ulong)random.Next(4) << 62), random.Next(18, 129)));
        }

        IpAddr[] v4 = [.. Enumerable.Range(0, size).Select(_ => IpAddr.FromIPv4(0x0A00_0000 + (uint)random.Next(1 << 15)))];
        IpAddr[] v6 = [.. Enumerable.Range(0, size).Select(_ => IpAddr.FromIPv6(0x2001_0DB8_0000_0000UL + (uint)random.Next(1 << 22), (ulong)random.Next(4) << 62))];
        Assert.Equal(v4.Select(table.Lookup.Lookup), Batch(table.Lookup, v4));
        Assert.Equal(v6.Select(table.Lookup.Lookup), Batch(table.Lookup, v6));
    }

    [Fact]
    public void Lookup_batch_without_room_for_ids_is_refused()
    {
        using PrefixTable table = new();
        Assert.Throws<ArgumentException>(() => table.Lookup.LookupIPv4(new uint[2], new uint[1]));
        Assert.Throws<ArgumentException>(() => table.Lookup.LookupIPv6(new ulong[2], new ulong[1], new uint[2]));
        Assert.Throws<ArgumentException>(() => table.Lookup.LookupIPv6(new ulong[2], new ulong[2], new uint[1]));
    }

    [Fact]
    public void Lookup_batch_allocates_nothing()
    {
        using PrefixTable table = new();
        table.Add(IpPrefix.Parse("10.0.0.0/8"));
        table.Add(IpPrefix.Parse("10.0.0.128/25"));
        table.Add(IpPrefix.Parse("2001:db8::/48"));
        uint[] v4 = [.. Enumerable.Range(0, 1000).Select(i => 0x0A00_0000u + (uint)i)];
        ulong[] high = [.. Enumerable.Repeat(0x2001_0DB8_0000_0000ul, 1000)];
        ulong[] low = new ulong[1000];
        uint[] ids = new uint[1000];
        Assert.Equal(0, Allocations.InSteadyState(() =>
        {
            for (int round = 0; round < 100; round++)
            {
                table.Lookup.LookupIPv4(v4, ids);
                table.Lookup.LookupIPv6(high, low, ids);
            }
        }));
        Assert.Equal(3u, ids[999]);
    }

    [Fact]
    public void GetStatistics_after_churn_shows_bounded_memory()
    {
        using PrefixTable table = new();
        IpPrefix[] prefixes =
        [
            .. Enumerable.Range(0, 4000).Select(i => IpPrefix.Create(IpAddr.FromIPv4(0x0A00_0080 + ((uint)i << 8)), 25)),
            .. Enumerable.Range(0, 4000).Select(i => IpPrefix.Create(IpAddr.FromIPv6(0x2001_0DB8_0000_0000 + ((ulong)i * 0x1_2345_6789), 0), 64)),
        ];
        table.AddRange(prefixes);
        long used = table.Lookup.GetStatistics().UsedBytes;
        long reserved = 0;
        for (int round = 0; round < 10; round++)
        {
            Assert.All(prefixes, p => Assert.True(table.Remove(p)));
            table.AddRange(prefixes);
            reserved = round == 1 ? table.Lookup.GetStatistics().ReservedBytes : reserved;
        }

        LpmStatistics after = table.Lookup.GetStatistics();
        Assert.Equal((4000L, used, reserved), (after.IPv4Blocks, after.UsedBytes, after.ReservedBytes));
        Assert.True(after.Reclaims > 0);
        table.Tick();
        Assert.Equal(0, table.Lookup.GetStatistics().RetiredBytes);
    }

    [Fact]
    public void Dispose_twice_is_allowed_and_ends_changes()
    {
        PrefixTable table = new();
        table.Dispose();
        table.Dispose();
        Assert.Throws<ObjectDisposedException>(() => table.Add(IpPrefix.Parse("10.0.0.0/8")));
        Assert.Equal((0, false), (table.Count, table.TryGetId(IpPrefix.Parse("10.0.0.0/8"), out _)));
    }
}
