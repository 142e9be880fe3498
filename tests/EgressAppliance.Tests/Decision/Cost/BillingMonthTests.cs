using System.Text.Json;
using EgressAppliance.Decision.Cost;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Decision.Cost;

public class BillingMonthTests
{
    private static readonly DateTimeOffset October = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly FsCheck.Config Thorough = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(20260101, 1);

    [Theory]
    [InlineData("2026-10-01", "UTC", 1, 8928, 446)]
    [InlineData("2026-11-15", "UTC", 1, 8640, 432)]
    [InlineData("2026-02-28", "UTC", 1, 8064, 403)]
    [InlineData("2026-03-20", "Europe/Berlin", 1, 8916, 445)]
    [InlineData("2026-10-25", "Europe/Berlin", 1, 8940, 447)]
    [InlineData("2026-03-05", "UTC", 15, 8064, 403)]
    public void Create_month_has_its_number_of_samples_and_of_free_ones(string day, string zone, int billingDay, int samples, int free)
    {
        BillingOptions options = new() { TimeZone = TimeZoneInfo.FindSystemTimeZoneById(zone), BillingDay = billingDay };
        BillingMonth month = new("a", options, DateTimeOffset.Parse(day + "T12:00:00Z"));
        Assert.Equal(samples, month.SampleCount);
        Assert.Equal(free, month.FreeSamples);
        Assert.InRange(DateTimeOffset.Parse(day + "T12:00:00Z"), month.Start, month.End);
    }

    [Fact]
    public void Create_month_begins_at_midnight_of_the_zone()
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");
        BillingMonth month = new("a", new() { TimeZone = zone }, new(2026, 11, 1, 3, 59, 59, TimeSpan.Zero));
        Assert.Equal(new(2026, 10, 1, 4, 0, 0, TimeSpan.Zero), month.Start);
        Assert.Equal(new(2026, 11, 1, 4, 0, 0, TimeSpan.Zero), month.End);
    }

    [Theory]
    [InlineData(7, 0.05, 1)]
    [InlineData(5, 1.0, 1)]
    [InlineData(5, -0.1, 1)]
    [InlineData(5, double.NaN, 1)]
    [InlineData(0, 0.05, 1)]
    [InlineData(5, 0.05, 29)]
    public void Create_options_out_of_range_are_refused(int minutes, double ratio, int day) =>
        Assert.Throws<ArgumentException>(() => new BillingMonth("a", new() { Interval = TimeSpan.FromMinutes(minutes), FreeRatio = ratio, BillingDay = day }, October));

    [Fact]
    public void StandingBps_whole_month_is_the_nearest_rank_percentile()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            Random random = new(seed);
            BillingOptions options = new() { Interval = TimeSpan.FromHours(random.Next(2) == 0 ? 6 : 12), FreeRatio = random.Next(0, 30) / 100.0 };
            BillingMonth month = new("a", options, October);
            int measured = random.Next(1, month.SampleCount + 1);
            long[] samples = new long[month.SampleCount];
            for (int i = 0; i < measured; i++)
            {
                samples[i] = random.Next(0, 20);
                month.Add(October + (i * options.Interval), samples[i]);
            }

            month.AdvanceTo(October + (Math.Min(measured, month.SampleCount - 1) * options.Interval));
            long[] over = [.. samples.Take(Math.Min(measured, month.SampleCount - 1))];
            int free = (int)(month.SampleCount * (decimal)options.FreeRatio);

            // The definition word for word, with what is to come as 0.
            long standing = over.Concat(Enumerable.Repeat(0L, month.SampleCount - over.Length)).OrderDescending().ElementAt(free);
            long nearestRank = over.Concat(Enumerable.Repeat(0L, month.SampleCount - over.Length)).Order().ElementAt(month.SampleCount - free - 1);
            long level = random.Next(0, 20);
            int left = free - over.Count(s => s > level);
            return (month.FreeSamples == free && month.StandingBps == standing && standing == nearestRank && month.FreeLeft(level) == left && month.FreeLeft(standing) >= 0)
                .Label($"standing {month.StandingBps}, expected {standing}; left {month.FreeLeft(level)}, expected {left}");
        }).Check(Thorough);
    }

    [Fact]
    public void PercentileSoFarBps_drops_the_ratio_of_what_was_measured()
    {
        BillingMonth month = new("a", new(), October);
        for (int i = 0; i < 100; i++)
        {
            month.Add(October.AddMinutes(5 * i), 100 + i);
        }

        month.AdvanceTo(October.AddMinutes(500));
        Assert.Equal(194, month.PercentileSoFarBps);
        Assert.Equal(0, month.StandingBps);
    }

    [Fact]
    public void Add_several_rates_of_a_sample_are_averaged_and_count_once_it_is_over()
    {
        BillingMonth month = new("a", new() { FreeRatio = 0 }, October);
        Assert.Equal(BillingAddResult.Added, month.Add(October, 100));
        Assert.Equal(BillingAddResult.Added, month.Add(October.AddMinutes(1), 200));
        Assert.Equal(BillingAddResult.Added, month.Add(October.AddMinutes(4.9), 600));
        Assert.Equal(0, month.Measured);
        Assert.Null(month.SampleAt(October));
        Assert.Equal(BillingAddResult.Added, month.Add(October.AddMinutes(5), 1));
        Assert.Equal(300, month.SampleAt(October.AddMinutes(3)));
        Assert.Equal(300, month.StandingBps);
        Assert.Equal(BillingAddResult.TooOld, month.Add(October.AddMinutes(4.9), 5));
        Assert.Equal(BillingAddResult.TooOld, month.Add(October.AddDays(-1), 5));
        Assert.Equal(BillingAddResult.OutOfRange, month.Add(October.AddMinutes(6), -1));
        Assert.Equal(BillingAddResult.OutOfRange, month.Add(October.AddMinutes(6), long.MaxValue));
        Assert.Equal(BillingAddResult.OutOfRange, month.Add(DateTimeOffset.MaxValue, 1));
    }

    [Fact]
    public void Add_next_month_begins_anew_and_keeps_the_one_before()
    {
        BillingMonth month = new("a", new(), October);
        month.Add(October.AddDays(30).AddHours(23.99), 700);
        Assert.Equal(BillingAddResult.RolledOver, month.Add(October.AddMonths(1), 1));
        Assert.Equal(October.AddMonths(1), month.Start);
        Assert.Equal(0, month.Measured);
        Assert.Equal(700, month.SampleAt(October.AddMonths(1).AddSeconds(-1)));
        Assert.Null(month.SampleAt(October.AddDays(3)));

        // A month that was missed altogether leaves nothing to look back on.
        Assert.True(month.AdvanceTo(October.AddMonths(3)));
        Assert.Null(month.SampleAt(October.AddMonths(3).AddSeconds(-1)));
        Assert.Equal(October.AddMonths(3), month.Start);
    }

    [Fact]
    public void TryRestore_what_was_written_goes_on_as_if_nothing_had_happened()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            Random random = new(seed);
            BillingOptions options = new() { Interval = TimeSpan.FromHours(6) };
            BillingMonth kept = new("a", options, October);
            BillingMonth restored = kept;
            DateTimeOffset time = October;
            for (int i = 0; i < 200; i++)
            {
                time += TimeSpan.FromHours(random.Next(0, 15));
                long rate = random.Next(0, 1000) * 60L;
                kept.Add(time, rate);
                if (!ReferenceEquals(kept, restored))
                {
                    restored.Add(time, rate);
                }

                if (random.Next(20) == 0)
                {
                    string json = JsonSerializer.Serialize(kept.ToRecord());
                    Assert.True(BillingMonth.TryRestore(JsonSerializer.Deserialize<BillingRecord>(json)!, options, out BillingMonth? read));
                    restored = read!;
                }
            }

            BillingRecord a = kept.ToRecord();
            BillingRecord b = restored.ToRecord();

            // The sum of the sample under way is rounded when it is written down.
            bool same = a.Start == b.Start && a.Samples.SkipLast(1).Zip(b.Samples).All(s => Math.Abs(s.First - s.Second) <= 1) && a.Samples.Count == b.Samples.Count;
            return same && a.Previous.Count == b.Previous.Count && Math.Abs(kept.StandingBps - restored.StandingBps) <= 1;
        }).Check(Thorough);
    }

    [Fact]
    public void TryRestore_what_contradicts_itself_is_refused()
    {
        BillingRecord good = new() { Link = "a", Start = October, Samples = [1, -1, 3] };
        Assert.True(BillingMonth.TryRestore(good, new(), out BillingMonth? month));
        Assert.Equal(2, month!.Measured + 1);
        BillingRecord[] bad =
        [
            good with { Link = "" },
            good with { Start = October.AddHours(1) },
            good with { Start = DateTimeOffset.MinValue },
            good with { Start = DateTimeOffset.MaxValue },
            good with { Samples = [-2] },
            good with { Samples = [long.MaxValue] },
            good with { Samples = new long[8929] },
            good with { Previous = [1, 2] },
            good with { LastCount = 0 },
        ];
        Assert.All(bad, record => Assert.False(BillingMonth.TryRestore(record, new(), out _)));
        Assert.False(BillingMonth.TryRestore(good, new() { TimeZone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin") }, out _));
    }
}
