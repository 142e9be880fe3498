using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Flow;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Flow;

public sealed class FlowPayoutTests
{
    private static readonly LinkId A = new(1);
    private static readonly LinkId B = new(2);
    private static readonly IpAddr Target = IpAddr.Parse("203.0.113.7", null);

    [Fact]
    public void Take_record_of_a_minute_is_a_minutes_rate_and_not_a_spike()
    {
        using PrefixTable table = Table(out uint id);
        FlowPayout payout = new(table, TimeSpan.FromSeconds(60));
        Assert.True(payout.Add(Target, A, 6_000_000, 6_000, 60, 60_000, 1_000));
        long sum = 0;
        for (int cycle = 1; cycle <= 12; cycle++)
        {
            CounterCell cell = Assert.Single(payout.Take(1_000 + (5_000 * cycle)));
            Assert.Equal((id, A), (cell.PrefixId, cell.Link));
            Assert.InRange(cell.IpBytes, 495_000, 500_001);
            Assert.Equal(100, cell.Sampling!.Value, 6);
            sum += cell.IpBytes;
        }

        sum += payout.Take(70_000).Sum(c => c.IpBytes);
        Assert.Equal(6_000_000, sum);
        Assert.Equal((0, 0, 0L), (payout.Cells, payout.Endings, payout.Unspread));
        Assert.Empty(payout.Take(80_000));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void Take_record_without_a_duration_counts_at_once(long duration)
    {
        using PrefixTable table = Table(out uint id);
        FlowPayout payout = new(table, TimeSpan.FromSeconds(60));
        payout.Add(Target, A, 1_500, 1, 1, duration, 1_000);
        Assert.Equal(new CounterCell(id, A, 1, 1_500) { Sampling = 1 }, Assert.Single(payout.Take(1_000)));
        Assert.Empty(payout.Take(2_000));
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(60_000)]
    [InlineData(1_800_000)]
    public void Take_pays_every_byte_once_whatever_comes_when(int longest)
    {
        using PrefixTable table = Table(out _);
        Random random = new(longest);
        FlowPayout payout = new(table, TimeSpan.FromMilliseconds(longest));
        long now = 0;
        (double bytes, double packets, long paidBytes, long paidPackets) = (0, 0, 0, 0);
        for (int i = 0; i < 20_000; i++)
        {
            now += random.Next(4) == 0 ? random.Next(longest / 50) : random.Next(5);
            (int b, int p) = (random.Next(1, 2_000_000), random.Next(1, 1_000));
            payout.Add(random.Next(3) == 0 ? IpAddr.Parse("198.51.100.1", null) : Target, random.Next(2) == 0 ? A : B, b, p, p, random.Next(-10, longest + 10), now);
            (bytes, packets) = (bytes + b, packets + p);
            if (random.Next(20) == 0)
            {
                Count();
            }
        }

        // Longer than all that can be outstanding, at once and bit by bit.
        now += longest / 2;
        Count();
        now += 10L * longest;
        Count();
        Assert.Equal((0, 0), (payout.Cells, payout.Endings));
        Assert.InRange(paidBytes / bytes, 1 - 1e-6, 1 + 1e-6);
        Assert.InRange(paidPackets / packets, 1 - 1e-3, 1 + 1e-3);

        void Count()
        {
            foreach (CounterCell cell in payout.Take(now))
            {
                paidBytes += cell.IpBytes;
                paidPackets += cell.Packets;
            }

            table.Tick();
        }
    }

    [Fact]
    public void Take_never_pays_a_prefix_that_got_the_id_of_one_that_went()
    {
        using PrefixTable table = Table(out uint gone);
        uint cover = table.Add(IpPrefix.Parse("203.0.0.0/16"));
        FlowPayout payout = new(table, TimeSpan.FromSeconds(60));
        payout.Add(Target, A, 6_000_000, 6_000, 6_000, 60_000, 0);
        table.Remove(IpPrefix.Parse("203.0.113.0/24"));
        for (int cycle = 1; cycle <= 3; cycle++)
        {
            Assert.Equal(cover, Assert.Single(payout.Take(5_000 * cycle)).PrefixId);
            table.Tick();
        }

        Assert.Equal(gone, table.Add(IpPrefix.Parse("192.0.2.0/24")));
        Assert.Equal(cover, Assert.Single(payout.Take(20_000)).PrefixId);

        // New records of the cover find the cell that now is its.
        payout.Add(IpAddr.Parse("203.0.1.1", null), A, 1_000, 1, 1, 0, 20_000);
        Assert.Single(payout.Take(25_000));
    }

    [Fact]
    public void Take_a_more_specific_prefix_takes_nothing_from_one_that_is_still_held()
    {
        using PrefixTable table = Table(out uint id);
        FlowPayout payout = new(table, TimeSpan.FromSeconds(60));
        payout.Add(Target, A, 6_000_000, 6_000, 6_000, 60_000, 0);
        uint specific = table.Add(IpPrefix.Parse("203.0.113.0/28"));
        Assert.Equal(id, Assert.Single(payout.Take(5_000)).PrefixId);
        payout.Add(Target, A, 1_000, 1, 1, 0, 5_000);
        Assert.Equal([id, specific], payout.Take(10_000).Select(c => c.PrefixId).Order());
    }

    [Fact]
    public void Add_beyond_the_bounds_counts_at_once_or_by_link_and_says_so()
    {
        using PrefixTable table = Table(out uint id);
        uint second = table.Add(IpPrefix.Parse("198.51.100.0/24"));
        FlowPayout cells = new(table, TimeSpan.FromSeconds(60), maxCells: 1);
        cells.Add(Target, A, 1_000, 1, 1, 0, 0);
        cells.Add(IpAddr.Parse("198.51.100.1", null), A, 2_000, 2, 2, 0, 0);
        Assert.Equal(1, cells.Unspread);
        Assert.Equal([(0u, 2_000L), (id, 1_000L)], cells.Take(1).Select(c => (c.PrefixId, c.IpBytes)).Order());

        FlowPayout endings = new(table, TimeSpan.FromSeconds(60), maxEndings: 1);
        endings.Add(Target, A, 1_000_000, 1_000, 1_000, 60_000, 0);
        endings.Add(IpAddr.Parse("198.51.100.1", null), A, 2_000, 2, 2, 60_000, 0);
        Assert.Equal((1L, 1), (endings.Unspread, endings.Endings));
        Assert.Equal(2_000, endings.Take(1).Single(c => c.PrefixId == second).IpBytes);
    }

    private static PrefixTable Table(out uint id)
    {
        PrefixTable table = new();
        id = table.Add(IpPrefix.Parse("203.0.113.0/24"));
        return table;
    }
}
