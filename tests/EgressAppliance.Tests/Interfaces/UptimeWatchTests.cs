using EgressAppliance.Host.Interfaces;

namespace EgressAppliance.Tests.Interfaces;

public class UptimeWatchTests
{
    [Theory]
    [InlineData(100_000, 10, 101_000, false)]
    [InlineData(100_000, 10, 100_900, false)]
    [InlineData(100_000, 10, 500, true)]
    [InlineData(3_000, 10, 500, true)]
    [InlineData(10_000, 500, 30_000, true)]
    [InlineData(4_294_967_000, 10, 704, false)]
    [InlineData(4_294_967_000, 3600, 1000, true)]
    public void Add_tells_a_restart_from_a_wrap(uint before, int seconds, uint after, bool restarted)
    {
        UptimeWatch watch = new();
        Assert.False(watch.Add(TimeSpan.FromSeconds(7), before));
        Assert.Equal(restarted, watch.Add(TimeSpan.FromSeconds(7 + seconds), after));
    }
}
