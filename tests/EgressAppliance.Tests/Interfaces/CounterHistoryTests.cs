using EgressAppliance.Host.Interfaces;

namespace EgressAppliance.Tests.Interfaces;

public class CounterHistoryTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>Samples every <paramref name="poll"/> seconds of a counter that moves steadily but is read anew every <paramref name="cache"/> seconds only.</summary>
    private static CounterHistory Poll(double poll, double cache, double bytesPerSecond, double until, out List<double?> rates)
    {
        CounterHistory history = new(S(poll));
        rates = [];
        for (double now = 0; now <= until; now += poll)
        {
            double asRead = Math.Floor((now + 1) / cache) * cache;
            history.Add(S(now), 1000 + (ulong)(asRead * bytesPerSecond));
            rates.Add(history.RateBps(S(now)));
        }

        return history;
    }

    [Theory]
    [InlineData(1, 3, 0.001)]
    [InlineData(10, 1, 0.001)]
    [InlineData(10, 30, 0.001)]
    [InlineData(10, 60, 0.001)]
    [InlineData(2, 15, 0.08)]
    public void RateBps_of_a_cached_counter_is_steady_from_the_second_change_on(double poll, double cache, double tolerance)
    {
        Poll(poll, cache, 1_000_000, 300, out List<double?> rates);

        int first = rates.FindIndex(rate => rate is not null);
        Assert.InRange(first * poll, 0, 2 * cache + 2 * poll);
        Assert.All(rates.Skip(first), rate => Assert.InRange(rate!.Value / 8e6, 1 - tolerance, 1 + tolerance));
    }

    [Fact]
    public void RateBps_of_a_cache_with_its_own_timer_settles_within_the_window()
    {
        Poll(10, 7, 1_000_000, 300, out List<double?> rates);

        Assert.All(rates.Skip(5), rate => Assert.InRange(rate!.Value / 8e6, 1 - 7 / 40.0, 1 + 7 / 40.0));
    }

    [Fact]
    public void RateBps_first_sample_is_no_change()
    {
        CounterHistory history = new(S(1));
        Assert.Equal(CounterEvent.First, history.Add(S(0), 0));

        // A second later the agent's 3 s cache ran out: three seconds' worth of bytes in one.
        Assert.Equal(CounterEvent.Changed, history.Add(S(1), 3000));
        Assert.Null(history.RateBps(S(1)));
        Assert.Equal(CounterEvent.Unchanged, history.Add(S(2), 3000));
        history.Add(S(4), 6000);

        Assert.Equal(8000, history.RateBps(S(4)));
    }

    [Fact]
    public void RateBps_follows_a_step_within_the_window()
    {
        CounterHistory history = new(S(10));
        ulong counter = 0;
        for (int now = 0; now <= 100; now += 10)
        {
            counter += now <= 50 ? 10_000UL : 50_000UL;
            history.Add(S(now), counter);
        }

        Assert.Equal(40_000, history.RateBps(S(100)));
    }

    [Fact]
    public void RateBps_sinks_when_changes_stop_and_reaches_zero()
    {
        CounterHistory history = new(S(10));
        for (int now = 0; now <= 60; now += 10)
        {
            history.Add(S(now), (ulong)now * 1000);
        }

        double before = history.RateBps(S(60))!.Value;
        List<double> after = [];
        for (int now = 70; now <= 130; now += 10)
        {
            history.Add(S(now), 60_000);
            after.Add(history.RateBps(S(now))!.Value);
        }

        Assert.Equal(8000, before);
        Assert.Equal(8000, after[0]);
        Assert.Equal(after.OrderDescending(), after);
        Assert.Equal(0, after[^1]);
    }

    [Fact]
    public void RateBps_of_an_idle_interface_is_unknown_then_zero()
    {
        CounterHistory history = new(S(10));
        List<double?> rates = [];
        for (int now = 0; now <= 70; now += 10)
        {
            history.Add(S(now), 77);
            rates.Add(history.RateBps(S(now)));
        }

        Assert.Equal([null, null, null, null, null, null, null, 0d], rates);
        Assert.Null(history.LastChange);
    }

    [Fact]
    public void RateBps_of_two_late_and_early_polls_waits_for_a_span_worth_dividing_by()
    {
        CounterHistory history = new(S(10));
        history.Add(S(0), 0);
        history.Add(S(9.9), 10_000);
        history.Add(S(10), 13_000);
        Assert.Null(history.RateBps(S(10)));
        history.Add(S(20), 20_000);

        Assert.InRange(history.RateBps(S(20))!.Value, 7900, 8000);
    }

    [Fact]
    public void Add_wrap_of_64_bits_is_no_discontinuity()
    {
        CounterHistory history = new(S(10));
        ulong counter = unchecked(0UL - 15_000);
        for (int now = 0; now <= 30; now += 10)
        {
            Assert.NotEqual(CounterEvent.Discontinuity, history.Add(S(now), counter, 10_000_000));
            counter = unchecked(counter + 10_000);
        }

        Assert.Equal(8000, history.RateBps(S(30)));
    }

    [Fact]
    public void Add_counter_set_back_gives_no_rate_until_two_changes()
    {
        CounterHistory history = new(S(10));
        history.Add(S(0), 1_000_000);
        history.Add(S(10), 1_010_000);
        history.Add(S(20), 1_020_000);
        Assert.NotNull(history.RateBps(S(20)));

        Assert.Equal(CounterEvent.Discontinuity, history.Add(S(30), 500));
        Assert.Null(history.RateBps(S(30)));
        history.Add(S(40), 10_500);
        Assert.Null(history.RateBps(S(40)));
        history.Add(S(50), 20_500);
        Assert.Equal(8000, history.RateBps(S(50)));
    }

    [Fact]
    public void Add_after_a_long_gap_starts_anew()
    {
        CounterHistory history = new(S(10));
        history.Add(S(0), 0);
        history.Add(S(10), 10_000);
        history.Add(S(20), 20_000);

        Assert.Equal(CounterEvent.First, history.Add(S(600), 9_000_000));
        Assert.Null(history.RateBps(S(600)));
    }
}
