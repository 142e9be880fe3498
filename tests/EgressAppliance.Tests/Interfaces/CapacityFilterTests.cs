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
        foreach (ulong mbps in readings)
        {
            filter.Add(mbps);
        }

        Assert.Equal(expectedMbps * 1_000_000, filter.Bps);
    }
}
