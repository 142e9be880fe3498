using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

public class PlannerTests
{
    [Fact]
    public void Plan_no_links_says_so()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([], [], Lab.Override(1, "a")));
        Assert.Equal(Verdict.NoLinks, plan.Verdict);
        Assert.Single(plan.Kept);
    }

    public static TheoryData<string, DecisionSnapshot> Contradictions => new()
    {
        { "twice", Lab.Snapshot([Lab.Link("a"), Lab.Link("a")], []) },
        { "listed twice", Lab.Snapshot([Lab.Link("a")], [Lab.Demand(1, 1, "a"), Lab.Demand(1, 2, "a")]) },
        { "negative", Lab.Snapshot([Lab.Link("a")], [Lab.Demand(1, -1, "a")]) },
        { "residual", Lab.Snapshot([Lab.Link("a", 1000, -1)], []) },
        { "capacity", Lab.Snapshot([Lab.Link("a", 0)], []) },
        { "ratio", Lab.Snapshot([Lab.Link("a") with { Threshold = double.NaN }], []) },
        { "mean", Lab.Snapshot([Lab.Link("a")], [Lab.Demand(1, 1, "a") with { MeanBps = -1 }]) },
        { "error", Lab.Snapshot([Lab.Link("a")], [Lab.Demand(1, 1, "a") with { ErrorRatio = double.NaN }]) },
        { "override", Lab.Snapshot([Lab.Link("a")], [], Lab.Override(1, "a"), Lab.Override(1, "b")) },
        { "age", Lab.Snapshot([Lab.Link("a")], [], Lab.Override(1, "a", double.NaN)) },
        { "sum", Lab.Snapshot([Lab.Link("a", 1_000_000_000)], [.. Enumerable.Range(0, 3).Select(i => Lab.Demand(i, 900_000_000_000, "a"))]) },
    };

    [Theory]
    [MemberData(nameof(Contradictions), DisableDiscoveryEnumeration = true)]
    public void Plan_contradicting_snapshot_changes_nothing(string what, DecisionSnapshot snapshot)
    {
        Plan plan = Lab.Plan(snapshot);
        Assert.Equal(Verdict.InvalidSnapshot, plan.Verdict);
        Assert.Empty(plan.Moves);
        Assert.NotEmpty(SnapshotCheck.Problems(snapshot));
        Assert.NotEmpty(what);
    }

    [Theory]
    [InlineData(0, null, true)]
    [InlineData(50, null, true)]
    [InlineData(51, null, false)]
    [InlineData(0, 0.25, true)]
    [InlineData(0, 0.26, false)]
    [InlineData(45, 0.2, false)]
    public void Plan_gives_back_only_what_fits_by_rate_and_mean_with_its_error(long mean, double? error, bool released)
    {
        Plan plan = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 800), Lab.Link("b")], [Lab.Demand(1, 40, "a", "b") with { MeanBps = mean * Lab.M, ErrorRatio = error }], Lab.Override(1, "b")));
        Assert.Equal(released ? (1, 0) : (0, 1), (plan.Releases.Count, plan.Kept.Count));
        Assert.Equal(released ? 840 * Lab.M : 800 * Lab.M, plan.Links[0].PlannedBps);
    }

    [Fact]
    public void Plan_exactly_at_threshold_is_no_overload()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b")], [Lab.Demand(1, 50, "a", "b")]));
        Assert.Equal(Verdict.NoOverload, plan.Verdict);
    }

    [Fact]
    public void Plan_one_bit_over_threshold_is_relieved()
    {
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b")], [Lab.Demand(1, 50, "a", "b")]);
        snapshot = snapshot with { Links = [snapshot.Links[0] with { ResidualBps = (900 * Lab.M) + 1 }, snapshot.Links[1]] };
        Plan plan = Lab.Plan(snapshot);
        Assert.Equal(Verdict.Relieved, plan.Verdict);
        Assert.Equal(Lab.Prefix(1), Assert.Single(plan.Moves).Prefix);
    }

    [Fact]
    public void Plan_one_prefix_suffices_takes_the_smallest_that_does()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 700), Lab.Link("b")],
            [Lab.Demand(1, 200, "a", "b"), Lab.Demand(2, 120, "a", "b"), Lab.Demand(3, 40, "a", "b")]));
        PlannedMove move = Assert.Single(plan.Moves);
        Assert.Equal((Lab.Prefix(2), "a", "b", 120 * Lab.M, ReasonCode.RelieveOverload), (move.Prefix, move.From, move.To, move.RateBps, move.Reason));
    }

    [Fact]
    public void Plan_two_targets_prefers_the_routers_order()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b"), Lab.Link("c")], [Lab.Demand(1, 100, "a", "c", "b")]));
        Assert.Equal("c", Assert.Single(plan.Moves).To);
    }

    [Fact]
    public void Plan_target_would_exceed_its_ceiling_takes_the_next()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b"), Lab.Link("c", 1000, 801)], [Lab.Demand(1, 100, "a", "c", "b")]));
        Assert.Equal("b", Assert.Single(plan.Moves).To);
    }

    [Fact]
    public void Plan_target_filled_exactly_to_its_ceiling_is_used()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("c", 1000, 800)], [Lab.Demand(1, 100, "a", "c")]));
        Assert.Equal(900 * Lab.M, plan.Links.Single(l => l.Name == "c").PlannedBps);
    }

    [Fact]
    public void Plan_native_link_down_projects_to_the_next_path()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a") with { Up = false }, Lab.Link("b")], [Lab.Demand(1, 100, "a", "b")]));
        Assert.Equal([0, 100 * Lab.M], plan.Links.Select(l => l.NativeBps));
    }

    [Fact]
    public void Plan_first_path_by_a_foreign_link_counts_nowhere()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a")], [Lab.Demand(1, 5000, "elsewhere", "a")]));
        Assert.Equal(Verdict.NoOverload, plan.Verdict);
        Assert.Equal(0, plan.Links[0].NativeBps);
    }

    [Fact]
    public void Plan_override_in_force_projects_native_load_without_it()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 880), Lab.Link("b")], [Lab.Demand(1, 100, "a", "b")], Lab.Override(1, "b")));
        Assert.Equal(Verdict.Holding, plan.Verdict);
        Assert.Equal(ReasonCode.StillNeeded, Assert.Single(plan.Kept).Reason);
        Assert.Equal((980 * Lab.M, 880 * Lab.M), (plan.Links[0].NativeBps, plan.Links[0].PlannedBps));
    }

    [Theory]
    [InlineData(89, ReasonCode.InHold)]
    [InlineData(90, ReasonCode.None)]
    public void Plan_native_fits_gives_back_after_hold(double age, ReasonCode kept)
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a"), Lab.Link("b")], [Lab.Demand(1, 100, "a", "b")], Lab.Override(1, "b", age)));
        Assert.Equal(kept == ReasonCode.None ? Verdict.Released : Verdict.Holding, plan.Verdict);
        Assert.Equal(kept, plan.Kept.SingleOrDefault()?.Reason ?? ReasonCode.None);
        Assert.Equal(kept == ReasonCode.None ? [ReasonCode.NativeFits] : [], plan.Releases.Select(r => r.Reason));
    }

    [Fact]
    public void Plan_several_releases_stay_under_the_release_level_together()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 700), Lab.Link("b")],
            [Lab.Demand(1, 100, "a", "b"), Lab.Demand(2, 60, "a", "b"), Lab.Demand(3, 80, "a", "b")],
            Lab.Override(1, "b"), Lab.Override(2, "b"), Lab.Override(3, "b")));
        Assert.Equal([Lab.Prefix(2), Lab.Prefix(3)], plan.Releases.Select(r => r.Prefix));
        Assert.Equal(840 * Lab.M, plan.Links[0].PlannedBps);
    }

    [Fact]
    public void Plan_more_releases_than_the_cap_keeps_the_rest_as_capped()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a"), Lab.Link("b")],
            [Lab.Demand(1, 10, "a", "b"), Lab.Demand(2, 10, "a", "b")], Lab.Override(1, "b", 500), Lab.Override(2, "b", 600)),
            new PlannerOptions { MaxMovesPerCycle = 1 });
        Assert.Equal(Lab.Prefix(2), Assert.Single(plan.Releases).Prefix);
        Assert.Equal(ReasonCode.Capped, Assert.Single(plan.Kept).Reason);
    }

    public static TheoryData<ReasonCode, LinkState, string[], bool> Losses => new()
    {
        { ReasonCode.LinkDown, Lab.Link("b") with { Up = false }, ["a", "b"], false },
        { ReasonCode.Drained, Lab.Link("b") with { Drain = true }, ["a", "b"], false },
        { ReasonCode.PathGone, Lab.Link("b"), ["a"], false },
        { ReasonCode.PathGone, Lab.Link("other"), ["a", "b"], false },
        { ReasonCode.AlreadyNative, Lab.Link("b"), ["b", "a"], false },
        { ReasonCode.DeniedByPolicy, Lab.Link("b"), ["a", "b"], true },
    };

    [Theory]
    [MemberData(nameof(Losses), DisableDiscoveryEnumeration = true)]
    public void Plan_override_that_cannot_go_on_ends_at_once(ReasonCode reason, LinkState link, string[] paths, bool denied)
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 880), link], [Lab.Demand(1, 50, paths).By(denied ? Lab.Deny : null)], Lab.Override(1, "b", 1)));
        Assert.Equal(reason, Assert.Single(plan.Releases).Reason);
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(100, true)]
    public void Plan_override_without_rate_ends_after_hold(double age, bool released)
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a"), Lab.Link("b")], [], Lab.Override(1, "b", age)));
        Assert.Equal(released ? [ReasonCode.NoRate] : [], plan.Releases.Select(r => r.Reason));
        Assert.Equal(released ? [] : [ReasonCode.InHold], plan.Kept.Select(r => r.Reason));
    }

    [Fact]
    public void Plan_pinned_override_is_neither_released_nor_moved_on()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a"), Lab.Link("b", 1000, 950), Lab.Link("c")], [Lab.Demand(1, 100, "a", "b", "c")],
            Lab.Override(1, "b", pinned: true)));
        Assert.Equal(ReasonCode.Pinned, Assert.Single(plan.Kept).Reason);
        Assert.Equal(Verdict.NoMovablePrefix, plan.Verdict);
        Assert.Equal(ReasonCode.Pinned, Assert.Single(plan.Rejected).Reason);
    }

    [Fact]
    public void Plan_target_overloaded_sheds_the_override_before_native_prefixes()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 880), Lab.Link("b", 1000, 800), Lab.Link("c")],
            [Lab.Demand(1, 100, "a", "b", "c"), Lab.Demand(2, 100, "b", "c")], Lab.Override(1, "b")));
        PlannedMove move = Assert.Single(plan.Moves);
        Assert.Equal((Lab.Prefix(1), "b", "c", ReasonCode.TargetOverloaded), (move.Prefix, move.From, move.To, move.Reason));
    }

    [Fact]
    public void Plan_target_overloaded_in_hold_moves_native_prefixes_instead()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 880), Lab.Link("b", 1000, 800), Lab.Link("c")],
            [Lab.Demand(1, 100, "a", "b", "c"), Lab.Demand(2, 100, "b", "c")], Lab.Override(1, "b", 10)));
        Assert.Equal(Lab.Prefix(2), Assert.Single(plan.Moves).Prefix);
    }

    [Fact]
    public void Plan_nothing_else_helps_sheds_even_in_hold_when_the_sum_falls()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 880), Lab.Link("b", 1000, 950)], [Lab.Demand(1, 100, "a", "b")], Lab.Override(1, "b", 10)));
        Assert.Equal(ReasonCode.TargetOverloaded, Assert.Single(plan.Releases).Reason);
        Assert.Equal(30 * Lab.M, plan.OverloadBps);
        Assert.Equal(Verdict.PartiallyRelieved, plan.Verdict);
    }

    [Fact]
    public void Plan_quarantined_prefix_is_not_moved()
    {
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b")], [Lab.Demand(1, 100, "a", "b")])
            with
        { Quarantined = [Lab.Prefix(1)] };
        Plan plan = Lab.Plan(snapshot);
        Assert.Equal(Verdict.NoMovablePrefix, plan.Verdict);
        Assert.Equal(ReasonCode.Quarantined, Assert.Single(plan.Rejected).Reason);
    }

    [Theory]
    [InlineData("moves", 0, 1000, 1.0, 1.0)]
    [InlineData("overrides", 8, 0, 1.0, 1.0)]
    [InlineData("share per cycle", 8, 1000, 0.05, 1.0)]
    [InlineData("share", 8, 1000, 1.0, 0.05)]
    public void Plan_any_cap_reached_says_capped(string cap, int moves, int overrides, double sharePerCycle, double share)
    {
        PlannerOptions options = new() { MaxMovesPerCycle = moves, MaxOverrides = overrides, MaxSharePerCycle = sharePerCycle, MaxShare = share };
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a", 1000, 900), Lab.Link("b")], [Lab.Demand(1, 100, "a", "b")]);
        Plan plan = Lab.Plan(snapshot, options);
        Assert.Equal((cap, Verdict.Capped), (cap, plan.Verdict));
        Assert.Equal(ReasonCode.Capped, Assert.Single(plan.Rejected).Reason);
        Assert.Equal(Verdict.Relieved, Lab.Plan(snapshot, options with { NoCaps = true }).Verdict);
    }

    [Fact]
    public void Plan_giving_back_makes_room_for_moves_of_the_same_cycle()
    {
        // b is full because of an override that a could take back; c needs b.
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 500), Lab.Link("b", 1000, 700), Lab.Link("c", 1000, 800)],
            [Lab.Demand(1, 200, "a", "b"), Lab.Demand(2, 200, "c", "b")], Lab.Override(1, "b")));
        Assert.Equal(Verdict.Relieved, plan.Verdict);
        Assert.Equal(Lab.Prefix(1), Assert.Single(plan.Releases).Prefix);
        Assert.Equal(Lab.Prefix(2), Assert.Single(plan.Moves).Prefix);
    }

    [Fact]
    public void Plan_giving_back_would_take_the_room_needed_moves_first()
    {
        // Giving 1 back to a fills a to 830 and leaves no room there for 2, which can only go to a.
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 600), Lab.Link("b", 1000, 200), Lab.Link("c", 1000, 800)],
            [Lab.Demand(1, 230, "a", "b"), Lab.Demand(2, 200, "c", "a")], Lab.Override(1, "b")));
        Assert.Equal(0, plan.OverloadBps);
        Assert.Equal(Lab.Prefix(2), Assert.Single(plan.Moves).Prefix);
        Assert.Equal(ReasonCode.StillNeeded, Assert.Single(plan.Kept).Reason);
    }

    [Fact]
    public void Plan_headroom_limited_packs_it_best()
    {
        // Room of 100: 60 first would leave 40 unused; 50 + 50 fill it.
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 890), Lab.Link("b", 1000, 800)],
            [Lab.Demand(1, 60, "a", "b"), Lab.Demand(2, 50, "a", "b"), Lab.Demand(3, 50, "a", "b")]));
        Assert.Equal([Lab.Prefix(2), Lab.Prefix(3)], plan.Moves.Select(m => m.Prefix));
    }

    [Fact]
    public void Reasons_every_code_has_words_and_a_code()
    {
        Assert.All(Enum.GetValues<Verdict>(), v => Assert.Matches("^[a-z_]+$", Reasons.Code(v)));
        Assert.All(Enum.GetValues<ReasonCode>(), v => Assert.Matches("^[a-z_]+$", Reasons.Code(v)));
        Assert.All(Enum.GetValues<Verdict>(), v => Assert.EndsWith(".", Reasons.Text(v)));
        Assert.All(Enum.GetValues<ReasonCode>(), v => Assert.EndsWith(".", Reasons.Text(v)));
        Assert.Equal("frozen_no_add_path", Reasons.Code(Verdict.FrozenNoAddPath));
    }
}
