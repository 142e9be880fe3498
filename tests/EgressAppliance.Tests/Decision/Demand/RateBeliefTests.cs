using EgressAppliance.Decision.Demand;

namespace EgressAppliance.Tests.Decision.Demand;

public class RateBeliefTests
{
    private const long Capacity = 10_000_000_000;
    private const double Poll = 10;

    [Theory]
    [InlineData(1.0, 5e9, RateCause.Agree, 0)]
    [InlineData(0.97, 5e9, RateCause.Agree, 0)]
    [InlineData(0.8, 5e9, RateCause.MirrorLoss, 0)]
    [InlineData(0.62, 5e9, RateCause.MirrorLoss, 0)]
    [InlineData(2.0, 5e9, RateCause.Duplicated, 2)]
    [InlineData(2.0, 9.8e9, RateCause.Duplicated, 2)]
    [InlineData(4.0, 1e9, RateCause.Duplicated, 4)]
    [InlineData(100.0, 2e8, RateCause.Duplicated, 100)]
    [InlineData(1.3, 5e9, RateCause.MirrorExcess, 0)]
    [InlineData(0.5, 5e9, RateCause.Sampling, 2)]
    [InlineData(0.25, 5e9, RateCause.Sampling, 4)]
    [InlineData(0.1, 5e9, RateCause.Sampling, 10)]
    [InlineData(0.01, 5e9, RateCause.Sampling, 100)]
    [InlineData(1 / 128.0, 5e9, RateCause.Sampling, 128)]
    [InlineData(0.001, 5e9, RateCause.Sampling, 1000)]
    [InlineData(0.0, 5e9, RateCause.MirrorSilent, 0)]
    [InlineData(1.3, 9.9e9, RateCause.Shaped, 0)]
    [InlineData(1.0, 5e7, RateCause.Unknown, 0)]
    public void Compare_steady_ratio_is_named_after_six_polls(double ratio, double counter, RateCause cause, int factor)
    {
        Random random = new(3);
        RateBelief belief = new();
        for (int i = 0; i < 12; i++)
        {
            Assert.Equal(i < RateBelief.Comparisons ? RateCause.Unknown : cause, belief.Judgement.Cause);
            Add(belief, counter * (1 + (0.05 * random.NextDouble())) * (cause == RateCause.Shaped ? 0.98 : 1), ratio, random);
        }

        Assert.Equal((cause, factor), (belief.Judgement.Cause, belief.Judgement.Factor));
        if (cause != RateCause.Unknown)
        {
            Assert.InRange(ratio, belief.Judgement.Ratio!.Value - 0.02 * ratio - belief.Judgement.RatioError, belief.Judgement.Ratio!.Value + 0.02 * ratio + belief.Judgement.RatioError);
        }
    }

    [Fact]
    public void Compare_counter_that_stands_still_is_named()
    {
        RateBelief belief = new();
        for (int i = 0; i < 6; i++)
        {
            belief.Compare(new RateComparison(0, 5e9, 600_000, Poll), Capacity);
        }

        Assert.Equal(RateCause.CounterStalled, belief.Judgement.Cause);
        Assert.Equal(0, belief.Judgement.ErrorBps(5_000_000_000));
    }

    [Theory]
    [InlineData(18, 14, -4)]
    [InlineData(18, 22, 4)]
    [InlineData(0, 18, 18)]
    [InlineData(18, 38, 20)]
    public void Compare_bytes_that_lack_at_every_packet_suggest_the_overhead(int configured, int right, int lacking)
    {
        Random random = new(5);
        RateBelief belief = new();
        for (int i = 0; i < 8; i++)
        {
            double packets = 1_000_000 * (1 + (0.02 * random.NextDouble()));
            double mirror = packets * 8 * (500 + random.Next(5));
            belief.Compare(new RateComparison(mirror + (packets * 8 * lacking), mirror, packets, Poll), Capacity, configured);
        }

        Assert.Equal((RateCause.Overhead, right), (belief.Judgement.Cause, belief.Judgement.OverheadBytes));
    }

    [Fact]
    public void Compare_a_share_that_is_lost_is_no_overhead_where_the_size_of_packets_changes()
    {
        RateBelief belief = new();
        for (int i = 0; i < 8; i++)
        {
            double size = i % 2 == 0 ? 300 : 700;
            belief.Compare(new RateComparison(1_000_000 * 8 * size, 1_000_000 * 8 * size * 0.92, 1_000_000, Poll), Capacity, 0);
        }

        Assert.Equal(RateCause.MirrorLoss, belief.Judgement.Cause);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(10, 0)]
    [InlineData(10, 30)]
    public void Compare_agent_that_caches_names_nothing_on_steps_up_and_down(int poll, int lag)
    {
        // The counter shows the mean of the last half minute, read so many seconds ago; the mirror what came since the poll before.
        RateBelief belief = new();
        double[] truth = [.. Enumerable.Range(0, 1200).Select(t => t switch { < 300 => 4e9, < 600 => 6e9, < 900 => 3e9, _ => 4.5e9 })];
        for (int t = 90; t < truth.Length; t += poll)
        {
            int read = t - (lag > 0 ? t % lag : 0);
            double counter = truth[(read - 30)..read].Average();
            belief.Compare(new RateComparison(counter, truth[(t - poll)..t].Average(), 500_000, poll), Capacity);
            Assert.True(belief.Judgement.Cause is RateCause.Unknown or RateCause.Agree, $"{t}: {belief.Judgement}");
        }

        Assert.Equal(RateCause.Agree, belief.Judgement.Cause);
    }

    [Theory]
    [InlineData(0.95)]
    [InlineData(0.97)]
    [InlineData(1.05)]
    [InlineData(0.51)]
    [InlineData(2.04)]
    public void Compare_ratio_on_a_limit_does_not_flap(double ratio)
    {
        for (int seed = 0; seed < 50; seed++)
        {
            Random random = new(seed);
            RateBelief belief = new();
            List<int> changes = [];
            RateCause before = RateCause.Unknown;
            for (int i = 0; i < 500; i++)
            {
                Add(belief, 5e9, ratio * (1 + (0.04 * (random.NextDouble() - 0.5))), random);
                if (belief.Judgement.Cause != before)
                {
                    changes.Add(i);
                    before = belief.Judgement.Cause;
                }
            }

            Assert.InRange(changes.Count, 1, 12);
            Assert.All(changes.Zip(changes.Skip(1)), pair => Assert.True(pair.Second - pair.First >= RateBelief.Comparisons, $"{seed}: {string.Join(' ', changes)}"));
        }
    }

    [Fact]
    public void Compare_random_inputs_keep_the_judgement_in_range()
    {
        Random random = new(17);
        for (int run = 0; run < 200; run++)
        {
            RateBelief belief = new();
            for (int i = 0; i < 40; i++)
            {
                double counter = random.Next(5) switch { 0 => 0, 1 => double.NaN, 2 => -1, _ => random.NextDouble() * 2e10 };
                belief.Compare(new RateComparison(counter, random.NextDouble() * 2e10, random.NextDouble() * 1e6, random.NextDouble() * 20), random.Next(2) * Capacity, random.Next(40));
                RateJudgement judgement = belief.Judgement;
                Assert.True(judgement.Ratio is null or >= 0 && judgement.RatioError >= 0 && judgement.Factor >= 0 && judgement.DifferenceBps >= 0, judgement.ToString());
                Assert.True(judgement.ErrorBps(5_000_000_000) >= 0);
                Assert.Equal(RateCauses.IsFault(judgement.Cause), RateCauses.Text("a", judgement.Cause, judgement.Ratio, judgement.Factor).Length > 0);
                Assert.Equal(RateCauses.IsFault(judgement.Cause), RateCauses.Remedy(judgement).Length > 0);
            }
        }
    }

    [Theory]
    [InlineData(0.8)]
    [InlineData(2.0)]
    [InlineData(0.01)]
    [InlineData(0.0)]
    public void ErrorBps_covers_the_truth(double ratio)
    {
        Random random = new(2);
        RateBelief belief = new();
        for (int i = 0; i < 12; i++)
        {
            Add(belief, 5e9 * (1 + (0.02 * random.NextDouble())), ratio, random);
        }

        long truth = 5_050_000_000;
        long mirror = (long)(truth * ratio);
        long error = belief.Judgement.ErrorBps(mirror);
        Assert.InRange(truth, mirror - error, mirror + error);
    }

    [Fact]
    public void Missing_router_is_named_and_comparisons_begin_anew()
    {
        Random random = new(1);
        RateBelief belief = new();
        for (int i = 0; i < 8; i++)
        {
            Add(belief, 5e9, 0.8, random);
        }

        belief.Missing(true);
        Assert.Equal(RateCause.CounterMissing, belief.Judgement.Cause);
        belief.Missing(false);
        Assert.Equal(RateCause.Unknown, belief.Judgement.Cause);
        for (int i = 0; i < RateBelief.Comparisons; i++)
        {
            Assert.Equal(RateCause.Unknown, belief.Judgement.Cause);
            Add(belief, 5e9, 1, random);
        }

        Assert.Equal(RateCause.Agree, belief.Judgement.Cause);
    }

    [Fact]
    public void Fault_that_ends_is_over_a_minute_later()
    {
        Random random = new(1);
        RateBelief belief = new();
        for (int i = 0; i < 12; i++)
        {
            Add(belief, 5e9, 2, random);
        }

        for (int i = 0; i < RateBelief.Comparisons; i++)
        {
            Assert.Equal(RateCause.Duplicated, belief.Judgement.Cause);
            Add(belief, 5e9, 1, random);
        }

        Assert.Equal(RateCause.Agree, belief.Judgement.Cause);
    }

    private static void Add(RateBelief belief, double counter, double ratio, Random random)
    {
        double mirror = counter * ratio * (1 + (0.004 * (random.NextDouble() - 0.5)));
        belief.Compare(new RateComparison(counter, mirror, mirror / 8000, Poll), Capacity);
    }
}
