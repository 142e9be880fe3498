using EgressAppliance.Decision.Demand;

namespace EgressAppliance.Tests.Decision.Demand;

public class ErrorBarsTests
{
    [Theory]
    [InlineData(10, 64, 1500, 0.5)]
    [InlineData(100, 64, 1500, 0.9)]
    [InlineData(100, 1000, 1000, 1)]
    [InlineData(1000, 300, 1400, 0.2)]
    public void Sampling_covers_the_truth_in_95_of_100_trials(int sampling, int small, int large, double shareSmall)
    {
        Random random = new(11);
        const int Packets = 40_000;
        const int Trials = 400;
        int covered = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            double truth = 0;
            double sampled = 0;
            int count = 0;
            for (int i = 0; i < Packets; i++)
            {
                int size = random.NextDouble() < shareSmall ? small : large;
                truth += size;
                if (random.Next(sampling) == 0)
                {
                    sampled += size;
                    count++;
                }
            }

            double estimate = sampled * sampling;
            covered += Math.Abs(estimate - truth) <= estimate * ErrorBars.Sampling(count, sampling, count > 0 ? sampled / count : 0) ? 1 : 0;
        }

        // The bound for the spread of sizes makes it wider than need be, but not much: never beyond what the average size allows.
        Assert.InRange(covered, 0.93 * Trials, Trials);
    }

    [Fact]
    public void Sampling_of_equal_sizes_is_that_of_the_literature_and_nothing_unsampled_is_in_error()
    {
        Assert.Equal(1.96 / Math.Sqrt(10_000), ErrorBars.Sampling(10_000, 1_000_000, 1500), 5);
        Assert.Equal(0, ErrorBars.Sampling(5, 1, 100));
        Assert.Equal(1, ErrorBars.Sampling(3, 100, 100));
        Assert.Equal(1, ErrorBars.Sampling(0, 100, 0));
    }

    [Fact]
    public void Loss_and_Shrink_are_inverse_to_each_other()
    {
        for (double loss = 0; loss < 0.5; loss += 0.01)
        {
            // A link that is seen at limit × (1 − loss) carries just the limit.
            Assert.Equal(loss, ErrorBars.Shrink(ErrorBars.Loss(loss)), 12);
        }

        Assert.Equal(1, ErrorBars.Loss(1));
        Assert.Equal(0, ErrorBars.Loss(double.NaN));
        Assert.Equal(0, ErrorBars.Shrink(0));
    }

    [Fact]
    public void Age_is_what_would_have_decayed_and_sums_stay_within_one()
    {
        Assert.Equal(0, ErrorBars.Age(0, TimeSpan.FromSeconds(60)));
        Assert.Equal(0.95, ErrorBars.Age(60, TimeSpan.FromSeconds(60)), 2);
        Assert.Equal(1, ErrorBars.Sum(0.5, 0.4, 0.3));
        Assert.Equal(0.6, ErrorBars.Sum(0.1, 0.2, 0.3), 12);
    }
}
