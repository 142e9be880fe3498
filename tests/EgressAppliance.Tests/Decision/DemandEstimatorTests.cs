using EgressAppliance.Decision.Demand;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

public class DemandEstimatorTests
{
    private static readonly LinkId A = new(1);
    private static readonly LinkId B = new(2);
    private long _timestamp;

    [Fact]
    public void EndTick_step_up_reaches_95_percent_within_a_tenth_of_the_window()
    {
        DemandEstimator<uint> estimator = Make();
        Feed(estimator, 1, 100, 100);
        Feed(estimator, 1, 200, 6);
        Assert.InRange(Rate(estimator, 1), 195, 200);
    }

    [Fact]
    public void EndTick_step_up_with_a_short_window_takes_three_ticks()
    {
        DemandEstimator<uint> estimator = Make(window: 5);
        Feed(estimator, 1, 100, 30);
        Feed(estimator, 1, 200, 3);
        Assert.InRange(Rate(estimator, 1), 190, 200);
    }

    [Fact]
    public void EndTick_new_prefix_is_seen_within_a_tenth_of_the_window()
    {
        DemandEstimator<uint> estimator = Make();
        estimator.EndTick(0);
        Feed(estimator, 1, 100, 6);
        Assert.InRange(Rate(estimator, 1), 94, 100);
    }

    [Fact]
    public void EndTick_step_down_takes_the_window()
    {
        DemandEstimator<uint> estimator = Make();
        Feed(estimator, 1, 100, 100);
        Feed(estimator, 1, 0, 6);
        Assert.InRange(Rate(estimator, 1), 60, 80);
        Feed(estimator, 1, 0, 54);
        Assert.InRange(Rate(estimator, 1), 0, 6);
    }

    [Fact]
    public void EndTick_small_rise_of_a_noisy_prefix_is_followed_within_ten_seconds()
    {
        Random random = new(1);
        DemandEstimator<uint> estimator = Make();
        for (int i = 0; i < 200; i++)
        {
            Feed(estimator, 1, 90 + random.Next(21), 1);
        }

        for (int i = 0; i < 10; i++)
        {
            Feed(estimator, 1, 110 + random.Next(21), 1);
        }

        Assert.InRange(Rate(estimator, 1), 112, 128);
    }

    [Fact]
    public void GrownShare_is_what_has_grown_of_what_a_link_carried()
    {
        DemandEstimator<uint> estimator = Make();
        Assert.Equal(1, estimator.GrownShare(A));
        for (int tick = 0; tick < 130; tick++)
        {
            estimator.Add(1, A, Bytes(100));
            estimator.Add(2, A, Bytes(300));
            estimator.Add(3, B, Bytes(500));
            End(estimator);
        }

        Assert.Equal((0, 0), (estimator.GrownShare(A), estimator.GrownShare(B)));
        estimator.Add(1, A, Bytes(500));
        estimator.Add(2, A, Bytes(300));
        estimator.Add(4, A, Bytes(900));
        estimator.Add(3, B, Bytes(1000));
        End(estimator);
        Assert.Equal(0.25, estimator.GrownShare(A), 2);
        Assert.Equal(1, estimator.GrownShare(B), 2);

        // The tick in which a mirror begins to double: all have part in it. A crowd has it alone.
        estimator.Add(1, A, Bytes(140));
        estimator.Add(2, A, Bytes(420));
        estimator.Add(3, B, Bytes(400));
        estimator.Add(5, B, Bytes(290));
        End(estimator);
        Assert.Equal(0, estimator.GrownShare(B), 2);
        Assert.InRange(estimator.GrownShare(A), 0.9, 1);
    }

    [Fact]
    public void EndTick_noise_of_ten_percent_biases_the_sum_by_less_than_two()
    {
        Random random = new(1);
        DemandEstimator<uint> estimator = Make();
        for (int tick = 0; tick < 300; tick++)
        {
            for (uint key = 1; key <= 200; key++)
            {
                estimator.Add(key, A, Bytes(90 + (random.NextDouble() * 20)));
            }

            End(estimator);
        }

        double mean = Enumerable.Range(1, 200).Average(k => Rate(estimator, (uint)k));
        Assert.InRange(mean, 98, 102);
    }

    [Fact]
    public void EndTick_scales_by_sampling_and_by_the_time_that_passed()
    {
        DemandEstimator<uint> estimator = Make(sampling: 100);
        estimator.EndTick(0);
        for (int i = 0; i < 100; i++)
        {
            estimator.Add(1, A, Bytes(2));
            _timestamp += 2 * TimeProvider.System.TimestampFrequency;
            estimator.EndTick(_timestamp);
        }

        Assert.InRange(Rate(estimator, 1), 99.9, 100.1);
    }

    [Fact]
    public void EndTick_same_timestamp_joins_the_tick_to_the_next()
    {
        DemandEstimator<uint> estimator = Make();
        estimator.EndTick(0);
        estimator.Add(1, A, Bytes(50));
        estimator.EndTick(0);
        Feed(estimator, 1, 50, 1);
        DemandEstimator<uint> whole = Make();
        whole.EndTick(0);
        _timestamp = 0;
        Feed(whole, 1, 100, 1);
        Assert.Equal(Rate(whole, 1), Rate(estimator, 1));
    }

    [Fact]
    public void EndTick_idle_entries_are_forgotten()
    {
        DemandEstimator<uint> estimator = Make(window: 5);
        Feed(estimator, 1, 100, 10);
        Assert.Equal(1, estimator.Count);
        Feed(estimator, 1, 0, 60);
        Assert.Equal(0, estimator.Count);
        Assert.False(estimator.TryGet(1, out _));
    }

    [Fact]
    public void Add_beyond_the_limit_is_counted_per_link()
    {
        DemandEstimator<uint> estimator = new(new() { MaxEntries = 2 }, TimeProvider.System);
        estimator.EndTick(0);
        for (int i = 0; i < 30; i++)
        {
            for (uint key = 1; key <= 4; key++)
            {
                estimator.Add(key, A, Bytes(10));
            }

            estimator.AddUntracked(B, Bytes(5));
            End(estimator);
        }

        Assert.Equal(2, estimator.Count);
        DemandPicture<uint> picture = estimator.Picture(10);
        Assert.InRange(picture.RestBps[A] / 1e6, 19.5, 20);
        Assert.InRange(picture.RestBps[B] / 1e6, 4.9, 5);
    }

    [Fact]
    public void Add_link_is_the_one_that_carried_most()
    {
        DemandEstimator<uint> estimator = Make();
        estimator.EndTick(0);
        estimator.Add(1, A, 600);
        estimator.Add(1, B, 400);
        estimator.Add(2, A, 300);
        estimator.Add(2, B, 400);
        estimator.Add(2, new LinkId(3), 350);
        End(estimator);
        Assert.True(estimator.TryGet(1, out DemandRate<uint> one) && estimator.TryGet(2, out DemandRate<uint> two));
        Assert.Equal((A, true), (one.Link, one.LinkMajority));
        Assert.True(estimator.TryGet(2, out two));
        Assert.Equal((B, false), (two.Link, two.LinkMajority));
    }

    [Fact]
    public void Add_change_of_link_does_not_disturb_the_rate()
    {
        DemandEstimator<uint> estimator = Make();
        Feed(estimator, 1, 100, 60);
        double before = Rate(estimator, 1);
        estimator.Add(1, B, Bytes(100));
        End(estimator);
        Assert.Equal(before, Rate(estimator, 1), 0.001);
        Assert.True(estimator.TryGet(1, out DemandRate<uint> rate));
        Assert.Equal(B, rate.Link);
    }

    [Fact]
    public void Picture_equals_sorting_everything()
    {
        Random random = new(7);
        DemandEstimator<uint> estimator = Make();
        estimator.EndTick(0);
        for (uint key = 1; key <= 500; key++)
        {
            estimator.Add(key, key % 2 == 0 ? A : B, random.Next(1, 40) * 1000);
        }

        End(estimator);
        DemandRate<uint>[] all = [.. Enumerable.Range(1, 500).Select(k => { estimator.TryGet((uint)k, out DemandRate<uint> r); return r; })];
        DemandPicture<uint> picture = estimator.Picture(50);
        DemandRate<uint>[] sorted = [.. all.OrderByDescending(r => r.RateBps).ThenBy(r => r.Key)];
        Assert.Equal(sorted[..50], picture.Top);
        Assert.Equal(sorted[50..].Where(r => r.Link == A).Sum(r => r.RateBps), picture.RestBps[A]);
        Assert.Equal(all.Sum(r => r.RateBps), picture.Top.Sum(r => r.RateBps) + picture.RestBps.Values.Sum());
        Assert.Empty(estimator.Picture(0).Top);
    }

    [Fact]
    public void Mean_is_all_that_was_measured_at_first_and_lags_a_ramp_by_a_minute_later()
    {
        DemandEstimator<uint> estimator = Make();
        Feed(estimator, 1, 100, 30);
        Feed(estimator, 1, 200, 30);
        Assert.InRange(Mean(estimator, 1), 149, 151);

        // An even mean over two minutes lags a ramp by one.
        DemandEstimator<uint> ramp = Make();
        _timestamp = 0;
        for (int second = 0; second < 900; second++)
        {
            Feed(ramp, 1, second, 1);
        }

        Assert.InRange(Mean(ramp, 1), 899 - 62, 899 - 58);
    }

    [Fact]
    public void Mean_follows_rises_and_falls_alike_where_the_rate_does_not()
    {
        DemandEstimator<uint> estimator = Make();
        Feed(estimator, 1, 100, 600);
        Feed(estimator, 1, 300, 5);
        Assert.InRange(Mean(estimator, 1), 100, 120);
        Assert.InRange(Rate(estimator, 1), 250, 300);
        Feed(estimator, 1, 300, 600);
        Feed(estimator, 1, 100, 60);
        Assert.InRange(Mean(estimator, 1), 160, 180);
        Feed(estimator, 1, 100, 600);
        Assert.InRange(Mean(estimator, 1), 99.9, 100.1);
    }

    [Fact]
    public void Errors_come_from_the_packets_sampled_and_from_silence()
    {
        DemandEstimator<uint> estimator = Make(sampling: 100);
        estimator.EndTick(0);
        for (int i = 0; i < 120; i++)
        {
            estimator.Add(1, A, 50_000, 50);
            estimator.Add(2, A, 2_000, 2);
            End(estimator);
        }

        Assert.True(estimator.TryGet(1, out DemandRate<uint> large) && estimator.TryGet(2, out DemandRate<uint> small));
        Assert.True(estimator.TryGet(2, out small));
        Assert.InRange(large.Packets, 950, 1050);
        Assert.Equal(1.96 * Math.Sqrt(0.99 * 1.5 / large.Packets), large.SamplingError, 0.003);
        Assert.InRange(small.SamplingError / large.SamplingError, 4.7, 5.3);
        Assert.Equal(0, large.AgeError);
        for (int i = 0; i < 20; i++)
        {
            End(estimator);
        }

        Assert.True(estimator.TryGet(1, out DemandRate<uint> silent));
        Assert.Equal(1 - Math.Exp(-1), silent.AgeError, 3);
        DemandEstimator<uint> whole = Make();
        Feed(whole, 1, 100, 10);
        Assert.True(whole.TryGet(1, out DemandRate<uint> counted));
        Assert.Equal(0, counted.SamplingError);
    }

    [Fact]
    public void Entry_takes_forty_bytes()
    {
        Type entry = typeof(DemandEstimator<uint>).GetNestedType("Entry", System.Reflection.BindingFlags.NonPublic)!.MakeGenericType(typeof(uint));
        Assert.Equal(40, typeof(System.Runtime.CompilerServices.Unsafe).GetMethod("SizeOf")!.MakeGenericMethod(entry).Invoke(null, null));
    }

    [Fact]
    public void RateMeter_step_is_followed_alike_up_and_down()
    {
        RateMeter meter = new(TimeSpan.FromSeconds(30));
        void Ticks(long mbps, int count)
        {
            for (int i = 0; i < count; i++)
            {
                meter.Add(Bytes(mbps));
                meter.EndTick(TimeSpan.FromSeconds(1));
            }
        }

        Ticks(100, 1);
        Assert.Equal(100_000_000, meter.RateBps);
        Ticks(200, 3);
        Assert.InRange(meter.RateBps / 1e6, 195, 200);
        Ticks(100, 3);
        Assert.InRange(meter.RateBps / 1e6, 100, 105.1);
        meter.EndTick(TimeSpan.Zero);
        Assert.InRange(meter.RateBps / 1e6, 100, 105.1);
    }

    private static DemandEstimator<uint> Make(double window = 60, int sampling = 1) =>
        new(new() { Window = TimeSpan.FromSeconds(window), Sampling = sampling }, TimeProvider.System);

    [Fact]
    public void EndTick_gap_of_a_link_keeps_its_rates_and_widens_their_error()
    {
        DemandEstimator<uint> estimator = Make();
        for (int i = 0; i < 60; i++)
        {
            estimator.Add(1, A, Bytes(100), 1000);
            estimator.Add(2, B, Bytes(100), 1000);
            End(estimator);
        }

        Assert.True(estimator.TryGet(1, out DemandRate<uint> before));
        for (int i = 0; i < 10; i++)
        {
            // What another box shows of the link meanwhile is a part of it.
            estimator.Add(1, A, Bytes(7));
            estimator.Add(3, A, Bytes(7));
            estimator.Add(2, B, Bytes(50), 500);
            _timestamp += TimeProvider.System.TimestampFrequency;
            estimator.EndTick(_timestamp, [0, 0, 1]);
        }

        Assert.True(estimator.TryGet(1, out DemandRate<uint> kept));
        Assert.Equal(before.RateBps, kept.RateBps);
        Assert.True(kept.AgeError > before.AgeError);
        Assert.False(estimator.TryGet(3, out _));
        Assert.InRange(Rate(estimator, 2), 50, 90);
    }

    [Fact]
    public void EndTick_counts_of_twice_the_time_are_half_the_rate()
    {
        DemandEstimator<uint> estimator = Make(window: 5);
        estimator.EndTick(0);
        for (int i = 0; i < 30; i++)
        {
            estimator.Add(1, A, Bytes(200));
            _timestamp += TimeProvider.System.TimestampFrequency;
            estimator.EndTick(_timestamp, [2, 2, 2]);
        }

        Assert.InRange(Rate(estimator, 1), 99, 101);
    }

    private static long Bytes(double mbps) => (long)(mbps * 1e6 / 8);

    private static double Rate(DemandEstimator<uint> estimator, uint key) =>
        estimator.TryGet(key, out DemandRate<uint> rate) ? rate.RateBps / 1e6 : 0;

    private static double Mean(DemandEstimator<uint> estimator, uint key) =>
        estimator.TryGet(key, out DemandRate<uint> rate) ? rate.MeanBps / 1e6 : 0;

    private void Feed(DemandEstimator<uint> estimator, uint key, double mbps, int seconds)
    {
        if (_timestamp == 0)
        {
            estimator.EndTick(0);
        }

        for (int i = 0; i < seconds; i++)
        {
            if (mbps > 0)
            {
                estimator.Add(key, A, Bytes(mbps));
            }

            End(estimator);
        }
    }

    private void End(DemandEstimator<uint> estimator)
    {
        _timestamp += TimeProvider.System.TimestampFrequency;
        estimator.EndTick(_timestamp);
    }
}
