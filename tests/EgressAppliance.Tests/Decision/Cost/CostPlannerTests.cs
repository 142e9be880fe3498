using EgressAppliance.Decision;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Decision.Cost;

public class CostPlannerTests
{
    private static readonly FsCheck.Config Thorough = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(20260101, 1);
    private static readonly BillingOptions Hourly = new() { Interval = TimeSpan.FromHours(1) };
    private static readonly CostOptions On = new() { Enabled = true, MinSavingPerMonth = 10, MinPrefixShare = 0, MaxShare = 1, MaxShareAtOnce = 1 };

    /// <summary>Two links with a price, one ten times the other's, two weeks of a constant demand behind them that the dear one carried.</summary>
    private static readonly DecisionSnapshot Dear = Lab.Snapshot(
        [Lab.Link("cheap") with { PricePerMbps = 0.5 }, Lab.Link("dear") with { PricePerMbps = 5 }],
        [Lab.Demand(1, 200, "dear", "cheap"), Lab.Demand(2, 100, "dear", "cheap"), Lab.Demand(3, 50, "cheap", "dear")])
        with
    { Time = Lab.Start.AddDays(1) };

    [Fact]
    public void Propose_options_untouched_proposes_nothing()
    {
        CostPlan plan = CostPlanner.Propose(Dear, Constant(Dear, ("cheap", 50), ("dear", 300)), new());
        Assert.Equal(CostVerdict.Off, plan.Verdict);
        Assert.Empty(plan.Moves);
    }

    [Fact]
    public void Propose_cheap_link_has_room_moves_what_the_dear_one_carries()
    {
        CostPlan plan = CostPlanner.Propose(Dear, Constant(Dear, ("cheap", 50), ("dear", 300)), On);
        Assert.Equal(CostVerdict.Proposed, plan.Verdict);
        Assert.Equal([(Lab.Prefix(1), "dear", "cheap"), (Lab.Prefix(2), "dear", "cheap")], plan.Moves.Select(m => (m.Prefix, m.From, m.To)));
        Assert.All(plan.Moves, m => Assert.Equal(CostReason.OverLevel, m.Reason));

        // 300 Mbit/s at 5, but for the little that each level is off by the search's steps.
        Assert.InRange(plan.SavingPerMonth, 1480, 1500);
    }

    [Fact]
    public void Propose_dear_link_within_its_commit_moves_nothing()
    {
        DecisionSnapshot paid = Dear with { Links = [Dear.Links[0], Dear.Links[1] with { CommitBps = 310 * Lab.M }] };
        CostPlan plan = CostPlanner.Propose(paid, Constant(paid, ("cheap", 50), ("dear", 300)), On);
        Assert.Equal(CostVerdict.NothingToSave, plan.Verdict);
    }

    [Fact]
    public void Propose_saving_under_the_limit_moves_nothing()
    {
        CostPlan plan = CostPlanner.Propose(Dear, Constant(Dear, ("cheap", 50), ("dear", 300)), On with { MinSavingPerMonth = 2000 });
        Assert.Empty(plan.Moves);
        CostPlan one = CostPlanner.Propose(Dear, Constant(Dear, ("cheap", 50), ("dear", 300)), On with { MinSavingPerMonth = 700 });
        Assert.Equal([Lab.Prefix(1)], one.Moves.Select(m => m.Prefix));
    }

    [Fact]
    public void Propose_link_over_threshold_leaves_it_to_the_relief()
    {
        DecisionSnapshot full = Dear with { Links = [.. Dear.Links, Lab.Link("third", 1000, 960)] };
        Assert.Equal(CostVerdict.OverloadFirst, CostPlanner.Propose(full, Constant(Dear, ("cheap", 50), ("dear", 300)), On).Verdict);
    }

    [Fact]
    public void Propose_months_that_do_not_fit_are_named()
    {
        List<BillingMonth> months = Constant(Dear, ("cheap", 50), ("dear", 300));
        Assert.Equal(CostVerdict.MonthsUnusable, CostPlanner.Propose(Dear, [months[0]], On).Verdict);
        Assert.Equal(CostVerdict.MonthsUnusable, CostPlanner.Propose(Dear, [.. months, months[0]], On).Verdict);
        Assert.Equal(CostVerdict.MonthsUnusable, CostPlanner.Propose(Dear with { Time = Dear.Time.AddMonths(1) }, months, On).Verdict);
        Assert.Equal(CostVerdict.Learning, CostPlanner.Propose(Dear, [.. months.Select(m => new BillingMonth(m.Link, Hourly, Dear.Time))], On).Verdict);
        Assert.Equal(CostVerdict.NoPricedLinks, CostPlanner.Propose(Dear with { Links = [Dear.Links[0]] }, months, On).Verdict);
        LinkState[] many = [.. Enumerable.Range(0, 9).Select(i => Lab.Link("l" + i) with { PricePerMbps = 1 })];
        Assert.Equal(CostVerdict.TooManyLinks, CostPlanner.Propose(Dear with { Links = many }, months, On).Verdict);
        Assert.Equal(CostVerdict.InvalidSnapshot, CostPlanner.Propose(Dear with { Prefixes = [Dear.Prefixes[0], Dear.Prefixes[0]] }, months, On).Verdict);
    }

    [Fact]
    public void Propose_month_nearly_over_with_free_samples_left_lets_links_be()
    {
        // The dear link was idle until now: it has 37 of 744 hours free, and 20 are left.
        DecisionSnapshot late = Dear with { Time = Lab.Start.AddDays(31).AddHours(-20) };
        List<BillingMonth> months = Constant(late, ("cheap", 350), ("dear", 0));
        CostPlan plan = CostPlanner.Propose(late, months, On);
        Assert.Equal(CostVerdict.NothingToSave, plan.Verdict);
        Assert.True(plan.Links.Single(l => l.Name == "dear").Bursting);
    }

    [Fact]
    public void Propose_demand_beyond_all_levels_bursts_one_link_only()
    {
        // 600 Mbit/s were carried all month, 300 each, and are billed; now 800 come at once.
        DecisionSnapshot burst = Lab.Snapshot(
            [Lab.Link("a") with { PricePerMbps = 1 }, Lab.Link("b") with { PricePerMbps = 1 }],
            [.. Enumerable.Range(0, 8).Select(i => Lab.Demand(i, 100, i % 2 == 0 ? ["a", "b"] : ["b", "a"]))]) with
        { Time = Lab.Start.AddDays(20) };
        CostPlan plan = CostPlanner.Propose(burst, Constant(burst, ("a", 300), ("b", 300)), On);
        CostLink bursting = Assert.Single(plan.Links, l => l.Bursting);
        Assert.Equal("a", bursting.Name);
        CostProposal move = Assert.Single(plan.Moves);
        Assert.Equal(("b", "a"), (move.From, move.To));
    }

    [Fact]
    public void Propose_any_snapshot_keeps_the_rules()
    {
        int proposals = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            (DecisionSnapshot snapshot, List<BillingMonth> months, CostOptions options) = Any(seed);
            CostPlan plan = CostPlanner.Propose(snapshot, months, options);
            proposals += plan.Verdict == CostVerdict.Proposed ? 1 : 0;
            IReadOnlyList<string> broken = CostRules.Broken(snapshot, plan, options);
            return (broken.Count == 0).Label(string.Join("; ", broken));
        }).Check(Thorough.WithMaxTest(800));
        Assert.InRange(proposals, 40, 800);
    }

    [Fact]
    public void Propose_any_order_of_inputs_gives_the_same_plan()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            (DecisionSnapshot snapshot, List<BillingMonth> months, CostOptions options) = Any(seed);
            CostPlan plan = CostPlanner.Propose(snapshot, months, options);
            months.Reverse();
            CostPlan again = CostPlanner.Propose(RandomSnapshots.Shuffled(snapshot, seed), months, options);
            return plan.Verdict == again.Verdict && plan.Moves.SequenceEqual(again.Moves) && plan.Links.SequenceEqual(again.Links) && plan.ExpectedBill == again.ExpectedBill;
        }).Check(Thorough);
    }

    [Fact]
    public void Propose_moves_of_a_day_are_used_up()
    {
        CostOptions few = On with { MaxMovesPerDay = 2 };
        List<BillingMonth> months = Constant(Dear, ("cheap", 50), ("dear", 300));
        CostPlan first = CostPlanner.Propose(Dear, months, few);
        Assert.Equal([Lab.Prefix(1)], first.Moves.Select(m => m.Prefix));
        Assert.Empty(CostPlanner.Propose(Dear with { Time = Dear.Time.AddHours(1) }, months, few, first.Memory).Moves);
        Assert.Single(CostPlanner.Propose(Dear with { Time = Dear.Time.AddHours(24) }, months, few, first.Memory).Moves);
    }

    /// <summary>Months in which each link carried the same all the time, from a month before the snapshot's until its time.</summary>
    private static List<BillingMonth> Constant(DecisionSnapshot snapshot, params (string Link, long Rate)[] rates) => [.. rates.Select(r =>
    {
        BillingMonth month = new(r.Link, Hourly, snapshot.Time.AddDays(-14));
        for (DateTimeOffset t = snapshot.Time.AddDays(-14); t < snapshot.Time; t += Hourly.Interval)
        {
            month.Add(t, r.Rate * Lab.M);
        }

        month.AdvanceTo(snapshot.Time);
        return month;
    })];

    private static (DecisionSnapshot Snapshot, List<BillingMonth> Months, CostOptions Options) Any(int seed)
    {
        Random random = new(seed);
        (DecisionSnapshot snapshot, PlannerOptions planner) = RandomSnapshots.Any(seed);
        snapshot = snapshot with
        {
            Time = Lab.Start.AddDays(random.Next(0, 31)).AddMinutes(random.Next(0, 1440)),
            Links = [.. snapshot.Links.Select(l => l with
            {
                PricePerMbps = random.Next(8) == 0 ? null : random.Next(0, 30) / 10.0,
                CommitBps = random.Next(3) == 0 ? random.Next(0, 2000) * Lab.M : null,
            })],
            Prefixes = [.. snapshot.Prefixes.Select(p => p with { RateBps = p.RateBps / 2 })],
        };
        long typical = snapshot.Prefixes.Sum(p => p.RateBps) / snapshot.Links.Count;
        List<BillingMonth> months = [.. snapshot.Links.Select(l =>
        {
            BillingOptions billing = random.Next(4) == 0 ? Hourly with { BillingDay = random.Next(1, 29) } : Hourly;
            BillingMonth month = new(l.Name, billing, snapshot.Time.AddDays(-10));
            double level = random.NextDouble() * 2;
            for (DateTimeOffset t = snapshot.Time.AddDays(-10); t < snapshot.Time; t += Hourly.Interval)
            {
                month.Add(t, (long)(typical * level * random.NextDouble()));
            }

            month.AdvanceTo(snapshot.Time);
            return month;
        })];
        CostOptions options = new()
        {
            Enabled = true,
            MinSavingPerMonth = random.Next(0, 200),
            Hold = planner.Hold,
            MaxMoves = random.Next(0, 10),
            MaxOverrides = random.Next(0, 40),
            MaxShare = random.NextDouble(),
            MaxShareAtOnce = random.NextDouble(),
            MinPrefixShare = planner.MinPrefixShare,
        };
        return (snapshot, months, options);
    }
}
