using EgressAppliance.Host.Interfaces;

namespace EgressAppliance.Tests.Interfaces;

public class CapacityFilterTests
{
    [Theory]
    [InlineData(new ulong[] { 4294 }, null)]
    [InlineData(new ulong[] { 4294, 50 }, null)]
    [InlineData(new ulong[] { 4294, 50, 50 }, 50L)]
    [InlineData(new ulong[] { 400_000, 400_000 }, 400_000L)]
    [InlineData(new ulong[] { 20, 20, 10 }, 10L)]
    [InlineData(new ulong[] { 10, 10, 20 }, 10L)]
    [InlineData(new ulong[] { 10, 10, 20, 20 }, 20L)]
    [InlineData(new ulong[] { 0, 0 }, null)]
    [InlineData(new ulong[] { 10, 10, 0 }, 10L)]
    [InlineData(new ulong[] { 10, 10, 0, 0 }, null)]
    public void Add_believes_the_second_reading_and_a_lower_one_at_once(ulong[] readings, long? expectedMbps)
    {
        CapacityFilter filter = new();
        TimeSpan now = TimeSpan.Zero;
        foreach (ulong mbps in readings)
        {
            filter.Add(now += TimeSpan.FromSeconds(5), mbps);
        }

        Assert.Equal(expectedMbps * 1_000_000, filter.Bps);
    }

    [Fact]
    public void Add_what_may_come_from_the_agents_cache_is_no_second_reading()
    {
        CapacityFilter filter = new();
        foreach (int second in new[] { 0, 1, 3 })
        {
            filter.Add(TimeSpan.FromSeconds(second), 4294);
            Assert.Null(filter.Bps);
        }

        filter.Add(TimeSpan.FromSeconds(4), 10);
        filter.Add(TimeSpan.FromSeconds(7), 10);
        Assert.Null(filter.Bps);
        filter.Add(TimeSpan.FromSeconds(10), 10);
        Assert.Equal(10_000_000, filter.Bps);
    }
}
