using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>What policies make of a plan. All plans are held against the validator on the way (<see cref="Lab.Plan"/>).</summary>
public class PlannerPolicyTests
{
    [Fact]
    public void Plan_pin_moves_without_overload_and_keeps_what_it_moved()
    {
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a"), Lab.Link("b"), Lab.Link("c")], [Lab.Demand(1, 50, "a", "b", "c").By(Lab.Pin("c"))]);
        Plan first = Lab.Plan(snapshot);
        Assert.Equal((Lab.Prefix(1), "a", "c", ReasonCode.PinnedByPolicy), Shape(Assert.Single(first.Moves)));
        Assert.Equal(Verdict.FollowingPolicy, first.Verdict);
        Assert.Null(first.PinsWaiting);

        Plan next = Lab.Plan(snapshot with { Overrides = [Lab.Override(1, "c")] });
        Assert.Empty(next.Moves);
        Assert.Equal(ReasonCode.PinnedByPolicy, Assert.Single(next.Kept).Reason);
        Assert.Equal(Verdict.FollowingPolicy, next.Verdict);

        Plan without = Lab.Plan(snapshot with { Overrides = [Lab.Override(1, "c")], Prefixes = [snapshot.Prefixes[0].By(null)] });
        Assert.Equal(ReasonCode.NativeFits, Assert.Single(without.Releases).Reason);
    }

    [Fact]
    public void Plan_pin_without_traffic_is_kept_but_not_made()
    {
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a"), Lab.Link("b")], [Lab.Demand(1, 0, "a", "b").By(Lab.Pin("b"))]);
        Assert.Empty(Lab.Plan(snapshot).Moves);
        Assert.Equal(ReasonCode.PinnedByPolicy, Assert.Single(Lab.Plan(snapshot with { Overrides = [Lab.Override(1, "b")] }).Kept).Reason);
    }

    [Fact]
    public void Plan_pin_to_the_native_link_moves_nothing_ever()
    {
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a", 1000, 600), Lab.Link("b")], [Lab.Demand(1, 400, "a", "b").By(Lab.Pin("a"))]);
        Plan plan = Lab.Plan(snapshot);
        Assert.Empty(plan.Moves);
        Assert.Equal(Verdict.NoMovablePrefix, plan.Verdict);
        Assert.Equal(ReasonCode.PinnedByPolicy, Assert.Single(plan.Rejected).Reason);
        Assert.Equal(ReasonCode.PinnedByPolicy, Assert.Single(Lab.Plan(snapshot with { Overrides = [Lab.Override(1, "b", 1)] }).Releases).Reason);
    }

    public static TheoryData<ReasonCode, LinkState, string[]> Obstacles => new()
    {
        { ReasonCode.LinkDown, Lab.Link("b") with { Up = false }, ["a", "b", "c"] },
        { ReasonCode.Drained, Lab.Link("b") with { Drain = true }, ["a", "b", "c"] },
        { ReasonCode.PinHasNoPath, Lab.Link("b"), ["a", "c"] },
        { ReasonCode.UnknownLink, Lab.Link("other"), ["a", "b", "c"] },
        { ReasonCode.NotTaken, Lab.Link("b") with { Distrusted = true }, ["a", "b", "c"] },
        { ReasonCode.OverThreshold, Lab.Link("b", 1000, 960), ["a", "b", "c"] },
        { ReasonCode.OverCeiling, Lab.Link("b", 1000, 860), ["a", "b", "c"] },
    };

    [Theory]
    [MemberData(nameof(Obstacles), DisableDiscoveryEnumeration = true)]
    public void Plan_pin_whose_link_cannot_take_it_waits_on_its_native_link_even_if_that_is_overloaded(ReasonCode reason, LinkState link, string[] paths)
    {
        PrefixDemand demand = Lab.Demand(1, 50, paths).By(Lab.Pin("b"));
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a", 1000, 940), link, Lab.Link("c")], [demand]);
        Plan plan = Lab.Plan(snapshot);
        Assert.Empty(plan.Moves);
        Assert.Equal(new WaitingPin(Lab.Prefix(1), "a", "b", 50 * Lab.M, reason), Assert.Single(plan.PinsWaiting!));
        Assert.Equal(reason, plan.Rejected.First(r => r.Prefix == Lab.Prefix(1)).Reason);

        PrefixExplanation explained = PlanExplainer.Explain(snapshot, plan, Lab.NoCaps, demand);
        Assert.Equal(reason, explained.Reason);
        Assert.Equal(ReasonCode.PinnedByPolicy, explained.Paths.Single(p => p.Link == "c").Reason);
        Assert.DoesNotContain(explained.Paths, p => p.Usable);
    }

    [Fact]
    public void Plan_pin_waits_until_its_link_had_room_for_some_minutes_unless_it_relieves()
    {
        LinkState peaked = Lab.Link("b", 1000, 500) with { NativePeakBps = 860 * Lab.M };
        PrefixDemand demand = Lab.Demand(1, 50, "a", "b").By(Lab.Pin("b"));
        Assert.Equal(ReasonCode.OverCeiling, Assert.Single(Lab.Plan(Lab.Snapshot([Lab.Link("a"), peaked], [demand])).PinsWaiting!).Reason);
        Assert.Equal(ReasonCode.PinnedByPolicy, Assert.Single(Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 940), peaked], [demand])).Moves).Reason);
    }

    [Fact]
    public void Plan_pin_in_quarantine_waits()
    {
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a"), Lab.Link("b")], [Lab.Demand(1, 50, "a", "b").By(Lab.Pin("b"))]) with { Quarantined = [Lab.Prefix(1)] });
        Assert.Equal(ReasonCode.Quarantined, Assert.Single(plan.PinsWaiting!).Reason);
    }

    [Theory]
    [InlineData("b", ReasonCode.PinnedByPolicy)]
    [InlineData("d", ReasonCode.PinnedByPolicy)]
    public void Plan_override_elsewhere_goes_to_the_link_of_the_pin_or_home_at_once(string pin, ReasonCode reason)
    {
        Plan plan = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 880), Lab.Link("b"), Lab.Link("c")], [Lab.Demand(1, 50, "a", "b", "c").By(Lab.Pin(pin))], Lab.Override(1, "c", 1)));
        if (pin == "b")
        {
            Assert.Equal((Lab.Prefix(1), "c", "b", reason), Shape(Assert.Single(plan.Moves)));
            Assert.Empty(plan.Releases);
        }
        else
        {
            Assert.Empty(plan.Moves);
            Assert.Equal(reason, Assert.Single(plan.Releases).Reason);
        }
    }

    [Fact]
    public void Plan_operators_override_goes_before_a_pin_and_a_denial()
    {
        Plan plan = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a"), Lab.Link("b"), Lab.Link("c")], [Lab.Demand(1, 50, "a", "b", "c").By(Lab.Pin("b")), Lab.Demand(2, 50, "a", "b", "c").By(Lab.Deny)],
            Lab.Override(1, "c", pinned: true), Lab.Override(2, "c", pinned: true)));
        Assert.Empty(plan.Moves);
        Assert.Null(plan.PinsWaiting);
        Assert.Equal([ReasonCode.Pinned, ReasonCode.Pinned], plan.Kept.Select(k => k.Reason));
    }

    [Fact]
    public void Plan_relief_goes_before_pins_when_caps_bind()
    {
        DecisionSnapshot snapshot = Lab.Snapshot(
            [Lab.Link("a", 1000, 760), Lab.Link("b"), Lab.Link("c")], [Lab.Demand(1, 200, "a", "b"), Lab.Demand(2, 300, "c", "b").By(Lab.Pin("b")), Lab.Demand(3, 20, "c", "b").By(Lab.Pin("b"))]);
        PlannerOptions options = new() { MaxMovesPerCycle = 2, MaxShare = 1, MaxSharePerCycle = 1 };
        Plan plan = Lab.Plan(snapshot, options);
        Assert.Equal([(Lab.Prefix(1), ReasonCode.RelieveOverload), (Lab.Prefix(2), ReasonCode.PinnedByPolicy)], plan.Moves.Select(m => (m.Prefix, m.Reason)));
        Assert.Equal((Lab.Prefix(3), ReasonCode.Capped), (plan.PinsWaiting![0].Prefix, plan.PinsWaiting[0].Reason));

        Plan one = Lab.Plan(snapshot, options with { MaxMovesPerCycle = 1 });
        Assert.Equal(Lab.Prefix(1), Assert.Single(one.Moves).Prefix);
        Assert.Equal(2, one.PinsWaiting!.Count);
    }

    [Theory]
    [InlineData(1, 1.0, 1.0)]
    [InlineData(1000, 0.06, 1.0)]
    [InlineData(1000, 1.0, 0.06)]
    public void Plan_pins_obey_each_cap(int overrides, double sharePerCycle, double share)
    {
        // 50 of 1000 Mbit/s each.
        PrefixDemand[] demands = [.. Enumerable.Range(1, 20).Select(i => Lab.Demand(i, 50, "a", "b").By(i <= 3 ? Lab.Pin("b") : null))];
        Plan plan = Lab.Plan(
            Lab.Snapshot([Lab.Link("a", 2000), Lab.Link("b")], demands), new() { MaxOverrides = overrides, MaxSharePerCycle = sharePerCycle, MaxShare = share });
        Assert.Single(plan.Moves);
        Assert.All(plan.PinsWaiting!, w => Assert.Equal(ReasonCode.Capped, w.Reason));
        Assert.Equal(2, plan.PinsWaiting!.Count);
    }

    [Fact]
    public void Plan_pin_off_an_overloaded_link_saves_another_move()
    {
        Plan plan = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 700), Lab.Link("b"), Lab.Link("c")], [Lab.Demand(1, 150, "a", "b", "c").By(Lab.Pin("c")), Lab.Demand(2, 140, "a", "b", "c")]));
        Assert.Equal((Lab.Prefix(1), "a", "c", ReasonCode.PinnedByPolicy), Shape(Assert.Single(plan.Moves)));
        Assert.Equal(Verdict.Relieved, plan.Verdict);
    }

    [Fact]
    public void Plan_pin_does_not_take_the_room_that_relief_needs()
    {
        // Both fit on b alone, not together, and only one of them relieves.
        Plan plan = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 700), Lab.Link("b", 1000, 500), Lab.Link("c")], [Lab.Demand(1, 300, "a", "b"), Lab.Demand(2, 350, "c", "b").By(Lab.Pin("b"))]));
        Assert.Equal(Lab.Prefix(1), Assert.Single(plan.Moves).Prefix);
        Assert.Equal((Lab.Prefix(2), ReasonCode.OverCeiling), (plan.PinsWaiting![0].Prefix, plan.PinsWaiting[0].Reason));
        Assert.Equal(0, plan.OverloadBps);
    }

    [Fact]
    public void Plan_overload_of_the_pins_link_that_nothing_else_relieves_ends_the_pin_for_now()
    {
        Plan plan = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 500), Lab.Link("b", 1000, 900), Lab.Link("c")], [Lab.Demand(1, 100, "a", "b", "c").By(Lab.Pin("b"))], Lab.Override(1, "b")));
        Assert.Empty(plan.Moves);
        Assert.Equal(ReasonCode.TargetOverloaded, Assert.Single(plan.Releases).Reason);
        Assert.Equal(ReasonCode.OverCeiling, Assert.Single(plan.PinsWaiting!).Reason);
    }

    [Fact]
    public void Plan_preferred_links_are_tried_first_in_their_order_and_others_only_without_room_there()
    {
        LinkState[] Links(long roomB, long roomC) => [Lab.Link("a", 1000, 900), Lab.Link("b", 1000, 900 - roomB), Lab.Link("c", 1000, 900 - roomC), Lab.Link("d")];
        PrefixDemand[] demands = [Lab.Demand(1, 100, "a", "d", "b", "c").By(Lab.Prefer("c", "b"))];
        Assert.Equal("c", Assert.Single(Lab.Plan(Lab.Snapshot(Links(100, 100), demands)).Moves).To);
        Assert.Equal("b", Assert.Single(Lab.Plan(Lab.Snapshot(Links(100, 99), demands)).Moves).To);
        Assert.Equal("d", Assert.Single(Lab.Plan(Lab.Snapshot(Links(99, 99), demands)).Moves).To);
        Assert.Equal("d", Assert.Single(Lab.Plan(Lab.Snapshot(Links(100, 100), [demands[0].By(Lab.Prefer("x"))])).Moves).To);
    }

    [Fact]
    public void Plan_preference_moves_nothing_by_itself() => Assert.Empty(
        Lab.Plan(Lab.Snapshot([Lab.Link("a"), Lab.Link("b")], [Lab.Demand(1, 100, "a", "b").By(Lab.Prefer("b"))])).Moves);

    [Fact]
    public void Plan_of_two_prefixes_that_compete_for_a_preferred_link_the_ranks_sum_to_the_least()
    {
        // By the router's preference, 1 would take the room on b that 2 prefers.
        Plan plan = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 900), Lab.Link("b", 1000, 800), Lab.Link("c")],
            [Lab.Demand(1, 100, "a", "b", "c"), Lab.Demand(2, 100, "a", "c", "b").By(Lab.Prefer("b"))]));
        Assert.Equal([(Lab.Prefix(1), "c"), (Lab.Prefix(2), "b")], plan.Moves.Select(m => (m.Prefix, m.To)));
    }

    [Fact]
    public void Plan_lower_classes_are_moved_first_of_as_many_changes()
    {
        PrefixDemand[] demands = [.. Enumerable.Range(1, 9).Select(i => Lab.Demand(i, 100 + i, "a", "b").By(i == 5 ? null : Lab.Class(10 - i)))];
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 2000, 1000), Lab.Link("b", 2000)], demands));
        Assert.Equal([Lab.Prefix(9)], plan.Moves.Select(m => m.Prefix));
    }

    [Fact]
    public void Plan_a_high_class_is_moved_when_that_saves_a_change_or_leaves_less_overload()
    {
        Plan fewer = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 700), Lab.Link("b")], [Lab.Demand(1, 120, "a", "b").By(Lab.Class(0)), Lab.Demand(2, 130, "a", "b").By(Lab.Class(0)), Lab.Demand(3, 250, "a", "b").By(Lab.Class(9))]));
        Assert.Equal([Lab.Prefix(3)], fewer.Moves.Select(m => m.Prefix));
        Plan less = Lab.Plan(Lab.Snapshot(
            [Lab.Link("a", 1000, 900), Lab.Link("b", 1000, 750)], [Lab.Demand(1, 100, "a", "b").By(Lab.Class(0)), Lab.Demand(2, 150, "a", "b").By(Lab.Class(9))]));
        Assert.Equal([Lab.Prefix(2)], less.Moves.Select(m => m.Prefix));
    }

    [Fact]
    public void Plan_two_of_a_middle_class_go_before_one_of_the_highest()
    {
        PrefixDemand[] demands =
        [
            Lab.Demand(1, 100, "a", "b").By(Lab.Class(0)), Lab.Demand(2, 200, "a", "b").By(Lab.Class(9)),
            Lab.Demand(3, 150, "a", "b"), Lab.Demand(4, 150, "a", "b"),
        ];
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 1000, 650), Lab.Link("b")], demands));
        Assert.Equal([Lab.Prefix(3), Lab.Prefix(4)], plan.Moves.Select(m => m.Prefix));
    }

    [Fact]
    public void Plan_one_of_thousands_that_would_do_is_of_the_lowest_class()
    {
        PrefixDemand[] demands = [.. Enumerable.Range(0, 3000).Select(i => Lab.Demand(i, 20, "a", "b").By(i == 2900 ? Lab.Class(4) : null))];
        Plan plan = Lab.Plan(Lab.Snapshot([Lab.Link("a", 63_150), Lab.Link("b", 10_000)], demands));
        Assert.Equal([Lab.Prefix(2900)], plan.Moves.Select(m => m.Prefix));
    }

    [Fact]
    public void Plan_any_small_instance_has_the_best_classes_of_the_fewest_moves()
    {
        int compared = 0;
        for (int seed = 0; compared < 200; seed++)
        {
            Random random = new(seed);
            PrefixDemand[] demands = [.. Enumerable.Range(0, random.Next(4, 10)).Select(i => Lab.Demand(i, random.Next(20, 120), "a", "b").By(Lab.Class(random.Next(10))))];
            DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a", 1000, random.Next(500, 900)), Lab.Link("b", 1000, random.Next(0, 800))], demands);
            Plan plan = Lab.Plan(snapshot);
            if (plan.Moves.Count == 0)
            {
                continue;
            }

            compared++;
            (long overload, int moves, string classes) = BestClasses(snapshot);
            string own = Ordered(plan.Moves.Select(m => snapshot.Prefixes.First(p => p.Prefix == m.Prefix).Policy!.Class));
            Assert.Equal((overload, moves, classes), (plan.OverloadBps, plan.Moves.Count, own));
        }
    }

    private static string Ordered(IEnumerable<int> classes) => string.Concat(classes.OrderDescending());

    /// <summary>By trying every set: least overload, fewest moves, then the highest class moved is the lowest, then the next.</summary>
    private static (long Overload, int Moves, string Classes) BestClasses(DecisionSnapshot snapshot)
    {
        (long Overload, int Moves, string Classes) best = (long.MaxValue, 0, "");
        for (int set = 0; set < 1 << snapshot.Prefixes.Count; set++)
        {
            PrefixDemand[] moved = [.. snapshot.Prefixes.Where((_, i) => (set >> i & 1) != 0)];
            long rate = moved.Sum(p => p.RateBps);
            long b = snapshot.Links[1].ResidualBps + rate;
            if (moved.Length > 0 && b > 900 * Lab.M)
            {
                continue;
            }

            long a = snapshot.Links[0].ResidualBps + snapshot.Prefixes.Sum(p => p.RateBps) - rate;
            (long, int, string) now = (Math.Max(0, a - (950 * Lab.M)), moved.Length, Ordered(moved.Select(p => p.Policy!.Class)));
            best = now.CompareTo(best) < 0 ? now : best;
        }

        return best;
    }

    private static (IpPrefix Prefix, string From, string To, ReasonCode Reason) Shape(PlannedMove move) => (move.Prefix, move.From, move.To, move.Reason);
}
