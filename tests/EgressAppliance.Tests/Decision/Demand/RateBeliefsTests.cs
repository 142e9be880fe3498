using EgressAppliance.Decision.Demand;

namespace EgressAppliance.Tests.Decision.Demand;

public class RateBeliefsTests
{
    private const long Capacity = 10_000_000_000;
    private const long G = 1_000_000_000;

    public static TheoryData<string, long[], long?[], bool[]> Ticks => new()
    {
        { "all doubled", [4 * G, 6 * G], [2 * G, 3 * G], [true, true] },
        { "one doubled", [4 * G, 3 * G], [2 * G, 3 * G], [true, false] },
        { "one cut", [0, 3 * G], [2 * G, 3 * G], [true, false] },
        { "moved from one to the other", [0, 5 * G], [2 * G, 3 * G], [false, false] },
        { "grown by less than a tenth of the capacity", [28 * G / 10, 3 * G], [2 * G, 3 * G], [false, false] },
        { "idle", [G / 10, 3 * G], [0, 3 * G], [false, false] },
        { "full", [19 * G, 3 * G], [98 * G / 10, 3 * G], [false, false] },
        { "no counter", [4 * G, 3 * G], [null, 3 * G], [false, false] },
    };

    [Theory]
    [MemberData(nameof(Ticks))]
    public void EndTick_tells_a_jump_that_other_links_do_not_make_up_for(string what, long[] mirror, long?[] counter, bool[] sudden)
    {
        RateBeliefs beliefs = new(2);
        beliefs.EndTick([.. mirror.Zip(counter, (m, c) => new LinkRates(m, c, Capacity))]);
        Assert.Equal(sudden, Enumerable.Range(0, 2).Select(i => beliefs[i].Cause == RateCause.Sudden).ToArray());
        Assert.Equal(sudden.Count(s => s), (beliefs.Doubts(i => what) ?? []).Count);
        beliefs.EndTick([.. counter.Select(c => new LinkRates(c ?? 0, c, Capacity))]);
        Assert.Null(beliefs.Doubts(i => what));
    }

    [Fact]
    public void Sudden_goes_by_the_name_of_the_cause_once_that_is_known_and_stays_a_doubt()
    {
        RateBeliefs beliefs = new(1);
        for (int i = 0; i < 30; i++)
        {
            Tick(beliefs, 2 * G, 2 * G);
        }

        Assert.Equal(RateCause.Agree, beliefs[0].Cause);
        List<RateCause> causes = [];
        for (int i = 0; i < 8; i++)
        {
            Tick(beliefs, 2 * G, 4 * G);
            causes.Add(beliefs[0].Cause);
            Assert.Single(beliefs.Doubts(_ => "a")!);
        }

        Assert.Equal(Enumerable.Repeat(RateCause.Sudden, 5).Concat(Enumerable.Repeat(RateCause.Duplicated, 3)), causes);
        Assert.Equal(2, beliefs.Doubts(_ => "a")![0].Factor);
    }

    [Fact]
    public void EndTick_rise_of_some_prefixes_is_demand_and_of_all_of_them_a_doubt()
    {
        RateBeliefs beliefs = new(1);
        beliefs.EndTick([new LinkRates(2 * G, 2 * G, Capacity, GrownShare: 0)]);
        beliefs.EndTick([new LinkRates(5 * G, 2 * G, Capacity, GrownShare: 0.6)]);
        Assert.Null(beliefs.Doubts(_ => "a"));
        beliefs.EndTick([new LinkRates(5 * G, 2 * G, Capacity, GrownShare: 0.8)]);
        Assert.Single(beliefs.Doubts(_ => "a")!);

        // Once doubted it is until the counter has followed, however little it grows any more.
        beliefs.EndTick([new LinkRates(5 * G, 2 * G, Capacity, GrownShare: 0)]);
        Assert.Single(beliefs.Doubts(_ => "a")!);
        beliefs.EndTick([new LinkRates(5 * G, 4 * G, Capacity, GrownShare: 0)]);
        Assert.Null(beliefs.Doubts(_ => "a"));
    }

    [Fact]
    public void EndTick_mirror_that_never_agreed_is_doubted_whatever_has_grown()
    {
        RateBeliefs beliefs = new(1);
        beliefs.EndTick([new LinkRates(4 * G, 2 * G, Capacity, GrownShare: 0)]);
        Assert.Single(beliefs.Doubts(_ => "a")!);
    }

    [Theory]
    [InlineData(0.9, 8, true, true)]
    [InlineData(0.9, 6, true, false)]
    [InlineData(0.5, 6, false, false)]
    public void EndTick_beginning_of_a_jump_is_doubted_for_a_tick(double grown, long after, bool first, bool second)
    {
        RateBeliefs beliefs = new(1);
        beliefs.EndTick([new LinkRates(4 * G, 4 * G, Capacity, GrownShare: 0)]);
        beliefs.EndTick([new LinkRates(6 * G, 4 * G, Capacity, GrownShare: grown, LoadBps: 6 * G)]);
        Assert.Equal(first, beliefs.Doubts(_ => "a") is not null);
        beliefs.EndTick([new LinkRates(after * G, 4 * G, Capacity, GrownShare: grown, LoadBps: after * G)]);
        Assert.Equal(second, beliefs.Doubts(_ => "a") is not null);
        beliefs.EndTick([new LinkRates(after * G, 4 * G, Capacity, GrownShare: grown, LoadBps: after * G)]);
        Assert.Equal(second, beliefs.Doubts(_ => "a") is not null);
    }

    [Fact]
    public void Doubt_stays_until_the_averages_have_come_back_to_what_the_mirror_shows()
    {
        RateBeliefs beliefs = new(1);
        beliefs.EndTick([new LinkRates(4 * G, 4 * G, Capacity, LoadBps: 4 * G)]);
        beliefs.EndTick([new LinkRates(8 * G, 4 * G, Capacity, LoadBps: 8 * G)]);
        Assert.Equal(RateCause.Sudden, beliefs[0].Cause);

        // The mirror is right again, and what is planned with is not yet.
        foreach (long load in new[] { 8 * G, 6 * G, 5 * G })
        {
            beliefs.EndTick([new LinkRates(4 * G, 4 * G, Capacity, LoadBps: load)]);
            Assert.Equal((RateCause.Sudden, load - (4 * G)), (beliefs[0].Cause, beliefs[0].DifferenceBps));
            Assert.Single(beliefs.Doubts(_ => "a")!);
        }

        beliefs.EndTick([new LinkRates(4 * G, 4 * G, Capacity, LoadBps: 43 * G / 10)]);
        Assert.Null(beliefs.Doubts(_ => "a"));

        // Averages that lag without a doubt before are none.
        beliefs.EndTick([new LinkRates(4 * G, 4 * G, Capacity, LoadBps: 8 * G)]);
        Assert.Null(beliefs.Doubts(_ => "a"));
    }

    [Fact]
    public void Doubt_of_a_surge_ends_with_the_poll_that_confirms_it()
    {
        RateBeliefs beliefs = new(1);
        beliefs.EndTick([new LinkRates(4 * G, 4 * G, Capacity, LoadBps: 4 * G)]);
        beliefs.EndTick([new LinkRates(8 * G, 4 * G, Capacity, LoadBps: 8 * G)]);
        Assert.Single(beliefs.Doubts(_ => "a")!);
        beliefs.EndTick([new LinkRates(8 * G, 6 * G, Capacity, LoadBps: 8 * G)]);
        Assert.Null(beliefs.Doubts(_ => "a"));
    }

    [Fact]
    public void Much_traffic_is_not_decided_on_before_the_counter_has_given_a_rate()
    {
        RateBeliefs beliefs = new(2);
        beliefs.EndTick([new LinkRates(6 * G, null, Capacity, CounterAwaited: true), new LinkRates(4 * G, null, Capacity, CounterAwaited: true)]);
        RateDoubt doubt = Assert.Single(beliefs.Doubts(i => $"{i}")!);
        Assert.Equal(("0", RateCause.Unconfirmed), (doubt.Link, doubt.Cause));
        Assert.Equal(0, beliefs[0].ErrorBps(6 * G));

        // Once it has given one, a counter that begins anew is no doubt; what never will give any is none either.
        beliefs.EndTick([new LinkRates(6 * G, 6 * G, Capacity), new LinkRates(6 * G, null, Capacity)]);
        Assert.Null(beliefs.Doubts(i => $"{i}"));
        beliefs.EndTick([new LinkRates(6 * G, null, Capacity, CounterAwaited: true), new LinkRates(6 * G, null, Capacity)]);
        Assert.Null(beliefs.Doubts(i => $"{i}"));
    }

    [Theory]
    [InlineData(1.2, false)]
    [InlineData(1.7, false)]
    [InlineData(2.2, true)]
    public void Forbids_an_excess_that_is_no_difference_of_measurement(double ratio, bool forbidden) =>
        Assert.Equal(forbidden, RateCauses.Forbids(new RateJudgement(RateCause.MirrorExcess) { Ratio = ratio }));

    [Fact]
    public void LostBps_is_the_share_that_lacks_of_the_mirror_rate_of_now()
    {
        RateBeliefs beliefs = new(1);
        for (int i = 0; i < 12; i++)
        {
            Tick(beliefs, 5 * G, 4 * G);
        }

        Assert.Equal(RateCause.MirrorLoss, beliefs[0].Cause);
        Assert.Equal(1_500_000_000, beliefs.LostBps(0, 6 * G));
        Assert.Null(beliefs.Doubts(_ => "a"));
    }

    private static void Tick(RateBeliefs beliefs, long counter, long mirror)
    {
        beliefs.Compare(0, new RateComparison(counter, mirror, mirror / 8000.0, 10), Capacity);
        beliefs.EndTick([new LinkRates(mirror, counter, Capacity)]);
    }
}
