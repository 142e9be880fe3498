using EgressAppliance.Net;

namespace EgressAppliance.Tests.RouteFeed;

public sealed class RouteFeedTests
{
    [Fact]
    public void Changes_reach_the_lookup_table()
    {
        using PrefixTable table = new();
        Host.RouteFeed.RouteFeed feed = new(table);
        feed.PrefixAdded(IpPrefix.Parse("203.0.113.0/24"));
        feed.PrefixAdded(IpPrefix.Parse("2001:db8::/32"));
        Assert.True(table.TryGetId(IpPrefix.Parse("203.0.113.0/24"), out uint id));
        Assert.True(table.TryLongestMatch(IpAddr.Parse("203.0.113.9"), out _, out uint found));
        Assert.Equal(id, found);
        feed.PrefixRemoved(IpPrefix.Parse("203.0.113.0/24"));
        Assert.False(table.TryLongestMatch(IpAddr.Parse("203.0.113.9"), out _, out _));
        Assert.Equal(1, table.Count);
        Assert.Equal(3, feed.Changes);
    }

    [Fact]
    public async Task Ticks_beside_changes_neither_fail_nor_lose_any()
    {
        using PrefixTable table = new();
        Host.RouteFeed.RouteFeed feed = new(table);
        using CancellationTokenSource stop = new();
        Task ticking = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                feed.Tick();
            }
        });
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < 200; i++)
            {
                feed.PrefixAdded(IpPrefix.Create(IpAddr.FromIPv4(0x0A000000u + ((uint)i << 8)), 24));
            }

            for (int i = 0; i < 200; i += 2)
            {
                feed.PrefixRemoved(IpPrefix.Create(IpAddr.FromIPv4(0x0A000000u + ((uint)i << 8)), 24));
            }
        }

        await stop.CancelAsync();
        await ticking;
        Assert.Equal(100, table.Count);
        Assert.Equal(20 * 300, feed.Changes);
        Assert.Equal(100, table.Entries().Select(e => e.Id).Distinct().Count());
    }
}
