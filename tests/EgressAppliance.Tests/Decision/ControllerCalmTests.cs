using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>What keeps the controller from acting on blips, on prefixes that go to and fro, on links that take nothing, and on a picture that is wrong.</summary>
public class ControllerCalmTests
{
    private static readonly PlannerOptions NoHold = new() { NoCaps = true, Hold = TimeSpan.Zero };

    private int _seconds;

    [Fact]
    public void Overload_within_the_capacity_is_acted_on_when_it_lasts_and_one_beyond_at_once()
    {
        DecisionController controller = new(new() { ConfirmCycles = 2, ConfirmOf = 3, Planner = NoHold }, DecisionMode.Inject);
        Assert.Equal(Verdict.NoOverload, Cycle(controller, 900).Verdict);
        CycleOutcome first = Cycle(controller, 970);
        Assert.Equal((Verdict.Confirming, 0), (first.Verdict, first.Announce.Count));
        Assert.Equal(20 * Lab.M, first.Plan!.OverloadBps);
        Assert.Equal(Verdict.NoOverload, Cycle(controller, 900).Verdict);
        Assert.Equal(Verdict.Relieved, Cycle(controller, 970).Verdict);

        DecisionController other = new(new() { ConfirmCycles = 2, ConfirmOf = 3, Planner = NoHold }, DecisionMode.Inject);
        Assert.Equal(Verdict.Relieved, Cycle(other, 1010).Verdict);
    }

    [Fact]
    public void Override_is_given_back_when_its_link_had_room_throughout_the_window()
    {
        DecisionController controller = new(new() { PeakWindow = TimeSpan.FromSeconds(60), Planner = NoHold }, DecisionMode.Inject);
        Assert.Equal(Verdict.Relieved, Cycle(controller, 1000).Verdict);
        for (int i = 0; i < 11; i++)
        {
            CycleOutcome low = Cycle(controller, 500);
            Assert.True(low.Verdict == Verdict.Holding, $"cycle {i}: {low.Verdict}");
            Assert.All(low.Plan!.Kept, k => Assert.Equal(ReasonCode.StillNeeded, k.Reason));
        }

        Assert.Equal(Verdict.Released, AfterWindow().Verdict);

        CycleOutcome AfterWindow()
        {
            CycleOutcome outcome = Cycle(controller, 500);
            return outcome.Verdict == Verdict.Holding ? Cycle(controller, 500) : outcome;
        }
    }

    [Fact]
    public void Relief_aims_below_the_threshold_by_the_margin_if_that_costs_no_overload()
    {
        PrefixDemand[] demands = [.. Enumerable.Range(1, 30).Select(i => Lab.Demand(i, 10, "a", "b"))];
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("a", 1000, 660), Lab.Link("b", 1000, 500)], demands);
        Assert.Single(Lab.Plan(snapshot).Moves);
        Assert.Equal(4, Lab.Plan(snapshot, Lab.NoCaps with { ReliefMargin = 0.03 }).Moves.Count);

        // Where the margin is out of reach, it must not keep the threshold from being reached with the fewest moves.
        DecisionSnapshot tight = snapshot with { Links = [Lab.Link("a", 1000, 660), Lab.Link("b", 1000, 888)] };
        Assert.Single(Lab.Plan(tight, Lab.NoCaps with { ReliefMargin = 0.03 }).Moves);
        Assert.Equal(Verdict.Relieved, Lab.Plan(tight, Lab.NoCaps with { ReliefMargin = 0.03 }).Verdict);
    }

    [Fact]
    public void Prefix_that_changed_too_often_keeps_its_override_until_the_penalty_has_decayed()
    {
        DecisionController controller = new(
            new() { FlapSuppress = 1.5, FlapReuse = 0.75, FlapHalfLife = TimeSpan.FromMinutes(10), Planner = NoHold }, DecisionMode.Inject);
        Assert.Equal(Verdict.Relieved, Cycle(controller, 1000).Verdict);
        Assert.Equal(Verdict.Released, Cycle(controller, 500).Verdict);
        Assert.Equal(Verdict.Relieved, Cycle(controller, 1000).Verdict);

        // Three changes within seconds: nearly 3, which is 0.75 after two half-lives.
        Assert.Equal(ReasonCode.Damped, Assert.Single(Cycle(controller, 500).Plan!.Kept).Reason);
        int until = _seconds + (19 * 60);
        while (_seconds < until)
        {
            Assert.Equal(ReasonCode.Damped, Assert.Single(Cycle(controller, 500).Plan!.Kept).Reason);
        }

        until = _seconds + 120;
        CycleOutcome outcome = Cycle(controller, 500);
        while (outcome.Verdict != Verdict.Released && _seconds < until)
        {
            outcome = Cycle(controller, 500);
        }

        Assert.Equal(Verdict.Released, outcome.Verdict);
    }

    [Fact]
    public void Damped_override_is_moved_on_when_its_link_fills_up_and_makes_no_room_for_others()
    {
        ActiveOverride damped = Lab.Override(1, "b") with { Damped = true };
        LinkState[] links = [Lab.Link("a", 1000, 900), Lab.Link("b", 1000, 900), Lab.Link("c")];
        PrefixDemand prefix = Lab.Demand(1, 100, "a", "b", "c");
        PlannedMove move = Assert.Single(Lab.Plan(Lab.Snapshot(links, [prefix], damped)).Moves);
        Assert.Equal(("b", "c", ReasonCode.TargetOverloaded), (move.From, move.To, move.Reason));
        LinkState[] roomy = [Lab.Link("a"), Lab.Link("b"), Lab.Link("c")];
        Assert.Equal(ReasonCode.Damped, Assert.Single(Lab.Plan(Lab.Snapshot(roomy, [prefix], damped)).Kept).Reason);
    }

    [Fact]
    public void Link_by_which_nothing_is_confirmed_is_left_alone_for_longer_and_longer()
    {
        ControllerOptions options = new()
        {
            ConfirmWithin = TimeSpan.FromSeconds(10),
            Quarantine = TimeSpan.FromSeconds(1),
            DistrustAfter = 3,
            DistrustFor = TimeSpan.FromMinutes(5),
            DistrustAtMost = TimeSpan.FromMinutes(15),
            Planner = NoHold,
            MaxMisprojection = 1,
        };
        DecisionController controller = new(options, DecisionMode.Inject);
        List<int> pauses = [];
        int? since = null;
        for (int i = 0; i < 2000; i++)
        {
            CycleOutcome outcome = Cycle(controller, 1000, seenBy: "a");
            bool left = outcome.Overrides.Count == 0 && outcome.Plan!.Rejected.Any(r => r.Reason == ReasonCode.NotTaken);
            if (left && since is null)
            {
                Assert.Equal(Verdict.NoCapacityAnywhere, outcome.Verdict);
                since = _seconds;
            }
            else if (!left && since is { } start)
            {
                pauses.Add(_seconds - start);
                since = null;
            }
        }

        Assert.True(pauses.Count >= 4, $"{pauses.Count} pauses");
        Assert.Equal([300, 600, 900, 900], pauses.Take(4).Select(p => (int)Math.Round(p / 300.0) * 300));

        // One that lands restores the trust at once.
        while (Cycle(controller, 1000, seenBy: "a").Overrides.Count == 0)
        {
        }

        Cycle(controller, 1000, seenBy: "b");
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(OverrideState.Confirmed, Assert.Single(Cycle(controller, 1000, seenBy: "b").Overrides).State);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Difference_that_lasts_freezes_and_its_end_that_lasts_ends_it(bool byCounter)
    {
        DecisionController controller = new(new() { MisprojectionCycles = 4, Planner = NoHold, Grace = TimeSpan.FromHours(1) }, DecisionMode.Inject);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(Verdict.NoOverload, Wrong().Verdict);
        }

        CycleOutcome frozen = Wrong();
        Assert.Equal((Verdict.FrozenMisprojection, false), (frozen.Verdict, frozen.Healthy));
        Assert.Contains(frozen.Problems, p => p.Contains(byCounter ? "its counter says 400 Mbit/s" : "leave by other links, most of it to 10.0.1.0/24", StringComparison.Ordinal));
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(Verdict.FrozenMisprojection, Right().Verdict);
        }

        CycleOutcome thawed = Right();
        Assert.Equal((Verdict.NoOverload, true), (thawed.Verdict, thawed.Healthy));

        // Now and then proves nothing.
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(Verdict.NoOverload, (i % 4 == 3 ? Right() : Wrong()).Verdict);
        }

        CycleOutcome Wrong() => byCounter ? Cycle(controller, 500, counted: 400) : Cycle(controller, 500, seenBy: "b");
        CycleOutcome Right() => byCounter ? Cycle(controller, 500, counted: 520) : Cycle(controller, 500, seenBy: "a");
    }

    [Fact]
    public void Override_on_its_way_is_no_difference_and_one_that_never_lands_is_rolled_back_even_if_frozen()
    {
        DecisionController controller = new(
            new() { MisprojectionCycles = 4, ConfirmWithin = TimeSpan.FromSeconds(30), Planner = NoHold, Grace = TimeSpan.FromHours(1) }, DecisionMode.Inject);
        Assert.Equal(Verdict.Relieved, Cycle(controller, 1000, counted: 1000, seenBy: "a").Verdict);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(Verdict.Holding, Cycle(controller, 1000, counted: 1000, seenBy: "a").Verdict);
        }

        // Half a minute old and not seen on its link.
        Assert.Equal(ReasonCode.NotConfirmed, Assert.Single(Cycle(controller, 1000, counted: 1000, seenBy: "a").Withdraw).Reason);

        // With a counter that lies by far the alarm is raised first.
        controller = new(new() { MisprojectionCycles = 2, ConfirmWithin = TimeSpan.FromSeconds(30), Planner = NoHold, Grace = TimeSpan.FromHours(1) }, DecisionMode.Inject);
        Cycle(controller, 1000, counted: 0, seenBy: "a");
        Cycle(controller, 1000, counted: 0, seenBy: "a");
        for (int i = 0; i < 4; i++)
        {
            CycleOutcome frozen = Cycle(controller, 1000, counted: 0, seenBy: "a");
            Assert.Equal((Verdict.FrozenMisprojection, 1), (frozen.Verdict, frozen.Overrides.Count));
        }

        Assert.Equal(ReasonCode.NotConfirmed, Assert.Single(Cycle(controller, 1000, counted: 0, seenBy: "a").Withdraw).Reason);
    }

    [Fact]
    public void What_is_seen_while_another_input_is_bad_does_not_end_a_difference()
    {
        DecisionController controller = new(new() { MisprojectionCycles = 3, Planner = NoHold, Grace = TimeSpan.FromHours(1) }, DecisionMode.Inject);
        for (int i = 0; i < 4; i++)
        {
            Cycle(controller, 500, counted: 400);
        }

        for (int i = 0; i < 10; i++)
        {
            CycleInput input = Input(500);
            Assert.Equal(Verdict.FrozenCaptureStale, controller.Cycle(input with
            {
                Links = [input.Links[0] with { MeasuredBps = 500 * Lab.M }, input.Links[1]],
                Health = new() { CaptureAge = TimeSpan.FromMinutes(1) },
            }).Verdict);
        }

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(Verdict.FrozenMisprojection, Cycle(controller, 500, counted: 500).Verdict);
        }

        Assert.Equal(Verdict.NoOverload, Cycle(controller, 500, counted: 500).Verdict);
    }

    [Fact]
    public void Proposals_of_observe_mode_are_not_expected_on_the_links()
    {
        DecisionController controller = new(new() { MisprojectionCycles = 2, Planner = NoHold });
        for (int i = 0; i < 10; i++)
        {
            Assert.NotEqual(Verdict.FrozenMisprojection, Cycle(controller, 1000, counted: 1000, seenBy: "a").Verdict);
        }
    }

    [Fact]
    public void Traffic_that_the_mirror_does_not_show_freezes_beyond_its_limit()
    {
        DecisionController controller = new(new() { Planner = NoHold }, DecisionMode.Inject);
        CycleInput input = Input(500);
        Assert.Equal(Verdict.NoOverload, controller.Cycle(input with { Health = new() { UnseenRatio = 0.2 } }).Verdict);
        Assert.Equal(Verdict.FrozenAttribution, controller.Cycle(input with { Health = new() { UnseenRatio = 0.21 } }).Verdict);
        Assert.Equal(Verdict.FrozenAttribution, controller.Cycle(input with { Health = new() { UnseenRatio = double.NaN } }).Verdict);
    }

    [Theory]
    [InlineData(RateCause.Duplicated, Verdict.FrozenAttribution, "every frame comes 2 times")]
    [InlineData(RateCause.Sampling, Verdict.FrozenAttribution, "one frame in 2")]
    [InlineData(RateCause.MirrorSilent, Verdict.FrozenAttribution, "shows nothing")]
    [InlineData(RateCause.Sudden, Verdict.FrozenAttribution, "jumped")]
    [InlineData(RateCause.CounterStalled, Verdict.FrozenCountersStale, "stands still")]
    public void Link_whose_rates_are_in_doubt_freezes_with_the_cause(RateCause cause, Verdict verdict, string words)
    {
        DecisionController controller = new(new() { Planner = NoHold }, DecisionMode.Inject);
        CycleOutcome outcome = controller.Cycle(Input(1000) with { Health = new() { Doubts = [new RateDoubt("isp-a", cause, 2, 2)] } });
        Assert.Equal((verdict, false), (outcome.Verdict, outcome.Healthy));
        Assert.Contains(words, Assert.Single(outcome.Problems), StringComparison.Ordinal);
        Assert.Contains("isp-a", outcome.Problems[0], StringComparison.Ordinal);
        Assert.Empty(outcome.Announce);
    }

    [Fact]
    public void Counter_at_the_capacity_of_a_link_that_is_offered_more_is_no_contradiction()
    {
        DecisionController controller = new(new() { MisprojectionCycles = 2, Planner = NoHold }, DecisionMode.Inject);
        CycleInput input = new()
        {
            Now = Lab.Start,
            Links = [Lab.Link("a", 1000, 1300) with { MeasuredBps = 990 * Lab.M }, Lab.Link("b", 1000, 800) with { MeasuredBps = 800 * Lab.M }],
            Prefixes = [],
        };
        for (int i = 0; i < 6; i++)
        {
            Assert.NotEqual(Verdict.FrozenMisprojection, controller.Cycle(input with { Now = Lab.Start.AddSeconds(5 * i) }).Verdict);
        }

        // Beyond what it may differ by, it still is.
        input = input with { Links = [input.Links[0] with { MeasuredBps = 900 * Lab.M }, input.Links[1]] };
        Assert.Contains(Verdict.FrozenMisprojection, Enumerable.Range(6, 4).Select(i => controller.Cycle(input with { Now = Lab.Start.AddSeconds(5 * i) }).Verdict));
    }

    [Fact]
    public void TimersOf_a_prefix_tells_what_holds_it_and_until_when()
    {
        ControllerOptions options = new()
        {
            FlapSuppress = 1.5,
            FlapReuse = 0.75,
            FlapHalfLife = TimeSpan.FromMinutes(10),
            Lease = TimeSpan.FromSeconds(30),
            Quarantine = TimeSpan.FromSeconds(60),
            Planner = new PlannerOptions { NoCaps = true, Hold = TimeSpan.FromSeconds(5) },
        };
        DecisionController controller = new(options, DecisionMode.Inject);
        Assert.Equal(new PrefixTimers(null, null, null, null), controller.TimersOf(Lab.Prefix(1), Lab.Start));
        Cycle(controller, 1000);
        Assert.Equal(new PrefixTimers(Now().AddSeconds(5), null, null, Now().AddSeconds(30)), controller.TimersOf(Lab.Prefix(1), Now()));
        Assert.Equal(Verdict.Released, Cycle(controller, 500).Verdict);
        Assert.Equal(Verdict.Relieved, Cycle(controller, 1000).Verdict);

        // Not quite three, 0.75 after not quite two half-lives: and no longer damped right after that.
        DateTimeOffset damped = controller.TimersOf(Lab.Prefix(1), Now()).DampedUntil!.Value;
        Assert.InRange(damped - Now(), TimeSpan.FromMinutes(19.5), TimeSpan.FromMinutes(20));
        Assert.Null(controller.TimersOf(Lab.Prefix(1), damped.AddSeconds(1)).DampedUntil);
        Assert.NotNull(controller.TimersOf(Lab.Prefix(1), damped.AddSeconds(-1)).DampedUntil);

        controller.ReleaseOverride(Lab.Prefix(1), Now());
        PrefixTimers after = controller.TimersOf(Lab.Prefix(1), Now());
        Assert.Equal((null, Now().AddSeconds(60), null), (after.HoldUntil, after.QuarantinedUntil, after.LeaseExpires));
        Assert.Null(controller.TimersOf(Lab.Prefix(1), Now().AddSeconds(60)).QuarantinedUntil);

        DateTimeOffset Now() => Lab.Start.AddSeconds(_seconds);
    }

    [Fact]
    public void Plan_that_breaks_a_rule_is_not_carried_out()
    {
        DecisionController controller = new(new(), DecisionMode.Inject, (snapshot, options) => Planner.Plan(snapshot, options) with
        {
            Moves = [new PlannedMove(Lab.Prefix(1), "a", "nowhere", 100 * Lab.M, ReasonCode.RelieveOverload)],
        });
        CycleOutcome outcome = Cycle(controller, 500);
        Assert.Equal((Verdict.PlanRejected, false, 0, 0), (outcome.Verdict, outcome.Healthy, outcome.Announce.Count, outcome.Overrides.Count));
        Assert.Contains(outcome.Problems, p => p.StartsWith("plan rejected: ", StringComparison.Ordinal));
    }

    private CycleOutcome Cycle(DecisionController controller, long native, long? counted = null, string? seenBy = null)
    {
        CycleInput input = Input(native);
        CycleOutcome outcome = controller.Cycle(input with
        {
            Links = [input.Links[0] with { MeasuredBps = counted * Lab.M }, input.Links[1]],
            ObservedLinks = seenBy is null ? new Dictionary<IpPrefix, string>() : new Dictionary<IpPrefix, string> { [Lab.Prefix(1)] = seenBy },
        });
        foreach (OverrideEntry entry in outcome.Announce)
        {
            controller.Announced(entry.Prefix, true, input.Now);
        }

        return outcome;
    }

    /// <summary>Link a natively carries so many Mbit/s, 100 of them to one prefix that could go by b.</summary>
    private CycleInput Input(long native) => new()
    {
        Now = Lab.Start.AddSeconds(_seconds += 5),
        Links = [Lab.Link("a", 1000, native - 100), Lab.Link("b")],
        Prefixes = [Lab.Demand(1, 100, "a", "b")],
    };
}
