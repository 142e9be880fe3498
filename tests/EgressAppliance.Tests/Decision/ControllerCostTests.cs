using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>Cost mode as the controller runs it: beside the relief of overload, in its plan, ledger and state.</summary>
public class ControllerCostTests
{
    private static readonly TimeSpan Sample = TimeSpan.FromMinutes(5);
    private static readonly DateTimeOffset Now = Lab.Start.AddDays(10);
    private static readonly LinkState[] Links = [Lab.Link("cheap") with { PricePerMbps = 0.5 }, Lab.Link("dear") with { PricePerMbps = 5 }];
    private static readonly PrefixDemand[] Demands = [Lab.Demand(1, 200, "dear", "cheap"), Lab.Demand(2, 100, "dear", "cheap"), Lab.Demand(3, 50, "cheap", "dear")];
    private static readonly Dictionary<string, BillingOptions> Billing = new() { ["cheap"] = new(), ["dear"] = new() };

    /// <summary>Before now the cheap link carried enough that what the dear one carries costs nothing there.</summary>
    private static readonly CostModeState Before = Constant(("cheap", 400), ("dear", 20));

    private static readonly ControllerOptions On = new()
    {
        Planner = new PlannerOptions { MaxShare = 1, MaxSharePerCycle = 1, Hold = TimeSpan.FromSeconds(60) },
        Lease = TimeSpan.FromMinutes(30),
        Cost = new CostOptions { Enabled = true, MinSavingPerMonth = 10, MinPrefixShare = 0, MaxShare = 1, MaxShareAtOnce = 1, Hold = TimeSpan.FromMinutes(10) },
        Billing = Billing,
    };

    [Fact]
    public void Cycle_dear_link_carries_more_than_is_paid_moves_it_and_says_why()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        CycleOutcome outcome = controller.Cycle(At(Now));
        Assert.Equal(Verdict.SavingCost, outcome.Verdict);
        Assert.Equal([Lab.Prefix(1), Lab.Prefix(2)], outcome.Announce.Select(a => a.Prefix));
        Assert.All(outcome.Announce, a => Assert.Equal(("dear", "cheap", ReasonCode.SaveCost, OverrideSource.Planner), (a.From, a.To, a.Reason, a.Source)));
        Assert.Equal(CostVerdict.Proposed, outcome.Cost!.Verdict);
        Assert.Equal([350 * Lab.M, 0], outcome.Plan!.Links.Select(l => l.PlannedBps));
        Assert.Empty(outcome.Problems);
    }

    [Fact]
    public void Cycle_asks_once_in_a_sample()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        Assert.NotNull(controller.Cycle(At(Now)).Cost);
        Assert.All(Enumerable.Range(1, 59), i => Assert.Null(controller.Cycle(At(Now.AddSeconds(5 * i))).Cost));
        Assert.NotNull(controller.Cycle(At(Now + Sample)).Cost);
    }

    [Fact]
    public void Cycle_cost_mode_off_keeps_the_months_and_moves_nothing()
    {
        DecisionController controller = new(On with { Cost = new() }, DecisionMode.Inject, cost: Before);
        CycleOutcome outcome = controller.Cycle(At(Now, (300, 40)));
        Assert.Equal(Verdict.NoOverload, outcome.Verdict);
        Assert.Null(outcome.Cost);
        controller.Cycle(At(Now + Sample));
        Assert.Equal([2881, 2881], controller.Billing.Select(b => b.Measured));
    }

    [Fact]
    public void Cycle_override_of_cost_mode_is_kept_though_its_native_link_has_room()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        controller.Cycle(At(Now));
        for (int i = 1; i < 120; i++)
        {
            CycleOutcome outcome = controller.Cycle(At(Now.AddSeconds(30 * i)));
            Assert.Empty(outcome.Withdraw);
            Assert.All(outcome.Plan!.Kept, k => Assert.Equal(i <= 1 ? ReasonCode.InHold : ReasonCode.SavesCost, k.Reason));
        }

        // The same override, made against overload, goes home.
        Plan relief = Lab.Plan(Lab.Snapshot(Links, Demands, Lab.Override(1, "cheap")), On.Planner);
        Assert.Equal(ReasonCode.NativeFits, Assert.Single(relief.Releases).Reason);
    }

    [Fact]
    public void Cycle_target_overloaded_relieves_it_of_what_cost_mode_moved()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        controller.Cycle(At(Now));
        CycleOutcome outcome = controller.Cycle(At(Now.AddMinutes(2)) with { Links = [Links[0] with { ResidualBps = 640 * Lab.M }, Links[1]] });
        Assert.Equal(Verdict.Relieved, outcome.Verdict);
        Assert.Equal(ReasonCode.TargetOverloaded, Assert.Single(outcome.Withdraw).Reason);
        Assert.Null(outcome.Cost);
    }

    [Fact]
    public void Cycle_overload_comes_first_and_cost_mode_after_it_in_the_same_sample()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        LinkState[] full = [Links[0], Links[1] with { ResidualBps = 700 * Lab.M }];
        CycleOutcome relief = controller.Cycle(At(Now) with { Links = full });
        Assert.Equal(Verdict.Relieved, relief.Verdict);
        Assert.Null(relief.Cost);
        CycleOutcome after = controller.Cycle(At(Now.AddSeconds(5)) with { Links = full });
        Assert.NotNull(after.Cost);
    }

    [Fact]
    public void Cycle_override_of_the_relief_whose_native_link_would_be_dear_again_becomes_cost_modes()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        CycleOutcome relief = controller.Cycle(At(Now) with { Links = [Links[0], Links[1] with { ResidualBps = 700 * Lab.M }] });
        IpPrefix moved = Assert.Single(relief.Announce).Prefix;

        // The overload is gone, and the relief is not allowed to give back yet.
        CycleOutcome after = controller.Cycle(At(Now.AddSeconds(30)));
        Assert.Contains(moved, after.Cost!.Keeps);
        Assert.Equal(ReasonCode.SaveCost, after.Overrides.Single(o => o.Prefix == moved).Reason);
        Assert.Equal(Now, after.Overrides.Single(o => o.Prefix == moved).Since);
        CycleOutcome later = controller.Cycle(At(Now.AddMinutes(4)));
        Assert.Empty(later.Withdraw);
        Assert.Equal(ReasonCode.SavesCost, later.Plan!.Kept.Single(k => k.Prefix == moved).Reason);
    }

    [Fact]
    public void Cycle_native_link_is_paid_for_more_than_it_carries_gives_back()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        controller.Cycle(At(Now));
        LinkState[] paid = [Links[0], Links[1] with { CommitBps = 900 * Lab.M }];
        CycleOutcome outcome = controller.Cycle(At(Now.AddMinutes(15)) with { Links = paid });
        Assert.Equal(Verdict.SavingCost, outcome.Verdict);
        Assert.NotEmpty(outcome.Withdraw);
        Assert.All(outcome.Withdraw, w => Assert.Equal(ReasonCode.CostFits, w.Reason));
        Assert.All(outcome.Plan!.Releases, r => Assert.Equal(("cheap", "dear"), (r.From, r.To)));
    }

    [Fact]
    public void Cycle_prices_gone_leaves_its_overrides_to_the_relief()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        controller.Cycle(At(Now));
        LinkState[] free = [Links[0], Links[1] with { PricePerMbps = null }];
        CycleOutcome asked = controller.Cycle(At(Now + Sample) with { Links = free });
        Assert.Equal(CostVerdict.NoPricedLinks, asked.Cost!.Verdict);
        CycleOutcome next = controller.Cycle(At(Now + Sample + TimeSpan.FromSeconds(5)) with { Links = free });
        Assert.Equal(Verdict.Released, next.Verdict);
        Assert.All(next.Withdraw, w => Assert.Equal(ReasonCode.NativeFits, w.Reason));
    }

    [Fact]
    public void Cycle_proposal_that_breaks_a_rule_of_the_relief_is_not_carried_out_at_all()
    {
        ControllerOptions one = On with { Planner = On.Planner with { MaxMovesPerCycle = 1 } };
        DecisionController controller = new(one, DecisionMode.Inject, cost: Before);
        CycleOutcome outcome = controller.Cycle(At(Now));
        Assert.Empty(outcome.Announce);
        Assert.False(outcome.Healthy);
        Assert.Contains("max_moves_per_cycle", Assert.Single(outcome.Problems), StringComparison.Ordinal);
        Assert.Equal(2, outcome.Cost!.Moves.Count);
        Assert.Empty(outcome.Plan!.Moves);
    }

    [Fact]
    public void Cycle_bad_input_moves_nothing_for_money()
    {
        DecisionController controller = new(On, DecisionMode.Inject, cost: Before);
        CycleOutcome outcome = controller.Cycle(At(Now) with { Health = new InputHealth { CaptureLoss = 0.5 } });
        Assert.Equal(Verdict.FrozenCaptureLoss, outcome.Verdict);
        Assert.Null(outcome.Cost);
        Assert.Empty(outcome.Announce);
    }

    [Fact]
    public void Cycle_observe_proposes_and_announces_nothing()
    {
        DecisionController controller = new(On, cost: Before);
        CycleOutcome outcome = controller.Cycle(At(Now));
        Assert.Equal(Verdict.SavingCost, outcome.Verdict);
        Assert.Empty(outcome.Announce);
        Assert.Equal(2, outcome.Overrides.Count);
    }

    [Fact]
    public void Billing_goes_on_after_a_restart_and_drops_what_is_billed_otherwise_now()
    {
        DecisionController before = new(On, cost: Before);
        before.Cycle(At(Now, (410, 30)));
        before.Cycle(At(Now.AddSeconds(5), (420, 31)));
        before.Cycle(At(Now + Sample, (430, 32)));
        DecisionController after = new(On, cost: before.ExportCost());
        Assert.Equal(before.Billing, after.Billing);
        CycleInput next = At(Now + (2 * Sample), (440, 33));
        before.Cycle(next);
        after.Cycle(next);
        Assert.Equal(before.Billing, after.Billing);

        DecisionController other = new(On with { Billing = new Dictionary<string, BillingOptions> { ["cheap"] = new() { BillingDay = 2 }, ["dear"] = new() } }, cost: before.ExportCost());
        Assert.Equal("dear", Assert.Single(other.Billing).Link);
    }

    [Fact]
    public void Cycle_time_of_day_that_is_not_to_be_believed_is_not_billed()
    {
        DecisionController controller = new(On, cost: Before);
        IReadOnlyList<BillingStatus> before = controller.Billing;
        controller.Cycle(At(Now, (900, 900)) with { TimeOfDay = DateTimeOffset.UnixEpoch });
        controller.Cycle(At(Now.AddSeconds(5), (900, 900)) with { TimeOfDay = Now.AddDays(-1) });
        Assert.Equal(before, controller.Billing);
        Assert.Equal(4, controller.ExportCost().Refused);

        // It was ahead, by years: what is known of that month is worth nothing.
        controller.Cycle(At(Now.AddSeconds(10)) with { TimeOfDay = Now.AddYears(3) });
        controller.Cycle(At(Now.AddSeconds(15)) with { TimeOfDay = Now });
        Assert.All(controller.Billing, b => Assert.Equal((Lab.Start, 0), (b.Start, b.Measured)));
    }

    private static CycleInput At(DateTimeOffset now, (long Cheap, long Dear)? measured = null) => new()
    {
        Now = now,
        Links = measured is { } m ? [Links[0] with { MeasuredBps = m.Cheap * Lab.M }, Links[1] with { MeasuredBps = m.Dear * Lab.M }] : Links,
        Prefixes = Demands,
    };

    private static CostModeState Constant(params (string Link, long Rate)[] rates) => new()
    {
        Months =
        [
            .. rates.Select(r => new BillingRecord
            {
                Link = r.Link,
                Start = Lab.Start,
                Samples = [.. Enumerable.Repeat(r.Rate * Lab.M, (int)((Now - Lab.Start) / Sample))],
            }),
        ],
    };
}
