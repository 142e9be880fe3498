using EgressAppliance.Decision.Demand;

namespace EgressAppliance.Tests.Decision.Demand;

public sealed class UnseenMeterTests
{
    private const double CounterWindow = 30;

    /// <summary>Polled every so many seconds, a link's traffic falls within 10 s from 1000 to 400 while the counter's rate is the mean of the last half minute.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(10)]
    public void Traffic_that_falls_is_not_taken_for_traffic_that_the_mirror_lacks(int poll)
    {
        UnseenMeter meter = new();
        for (int t = poll; t <= 240; t += poll)
        {
            meter.Compare(Mean(t - CounterWindow, t), Mean(t - poll, t), poll);
            Assert.True(meter.UnseenBps == 0, $"{meter.UnseenBps} after {t} s");
        }

        static double Mean(double from, double to) => Enumerable.Range(0, 100).Average(i => Rate(from + ((to - from) * (i + 0.5) / 100)));
        static double Rate(double t) => 1000 - (600 * Math.Clamp((t - 120) / 10, 0, 1));
    }

    [Theory]
    [InlineData(1, 48)]
    [InlineData(2, 48)]
    [InlineData(10, 60)]
    [InlineData(60, 360)]
    public void What_is_missing_throughout_is_load(int poll, int after)
    {
        UnseenMeter meter = new();
        for (int t = poll; t <= 600; t += poll)
        {
            meter.Compare(500, 380 + (10 * (t % 3)), poll);
            Assert.Equal(t >= after, meter.UnseenBps > 0);
        }

        Assert.InRange(meter.UnseenBps, 100, 120);
    }

    [Fact]
    public void Mirror_that_shows_more_than_the_counter_is_no_load()
    {
        UnseenMeter meter = new();
        for (int t = 0; t < 10; t++)
        {
            meter.Compare(500, 600, 10);
        }

        Assert.Equal(0, meter.UnseenBps);
    }
}
