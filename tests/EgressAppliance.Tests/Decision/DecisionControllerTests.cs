using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>What scenario files cannot say; the stories themselves are in tests/data/decision.</summary>
public class DecisionControllerTests
{
    private static readonly CycleInput Overload = new()
    {
        Now = Lab.Start,
        Links = [Lab.Link("a", 1000, 900), Lab.Link("b"), Lab.Link("c") with { Up = false }],
        Prefixes = [Lab.Demand(1, 100, "a", "b", "c")],
    };

    [Fact]
    public void Cycle_before_any_there_is_nothing_to_tell()
    {
        DecisionController controller = new(new());
        Assert.Equal(Verdict.Starting, controller.SetMode(DecisionMode.Observe, Lab.Start).Verdict);
        Assert.Equal(OperatorResult.NotReady, controller.AddOverride(Lab.Prefix(1), "b", ["a", "b"], Lab.Start).Result);
        Assert.Empty(controller.Overrides);
    }

    [Fact]
    public void Cycle_same_journal_replays_to_the_same_outcomes()
    {
        static List<string> Run()
        {
            DecisionController controller = new(new() { Planner = new() { Hold = TimeSpan.FromSeconds(30) } }, DecisionMode.Inject);
            List<string> outcomes = [];
            for (int i = 0; i < 300; i++)
            {
                (DecisionSnapshot s, _) = RandomSnapshots.Any(i / 3);
                CycleOutcome outcome = controller.Cycle(new()
                {
                    Now = Lab.Start.AddSeconds(5 * i),
                    Links = s.Links,
                    Prefixes = s.Prefixes,
                    Health = new() { CaptureLoss = i % 50 == 0 ? 0.5 : 0 },
                });
                outcomes.Add(System.Text.Encoding.UTF8.GetString(DecisionJson.Write(outcome)));
                foreach (OverrideEntry entry in outcome.Announce)
                {
                    controller.Announced(entry.Prefix, entry.RateBps % 5 != 0, outcome.Time);
                }
            }

            return outcomes;
        }

        Assert.Equal(Run(), Run());
    }

    [Fact]
    public void Cycle_any_sequence_the_router_ends_with_what_the_ledger_holds()
    {
        // A router that does as it is told: what is announced and not withdrawn is what it has.
        for (int seed = 0; seed < 20; seed++)
        {
            Random random = new(seed);
            DecisionController controller = new(new() { Planner = new() { Hold = TimeSpan.FromSeconds(10) } }, DecisionMode.Inject);
            SortedDictionary<IpPrefix, string> router = [];
            void Carry(CycleOutcome outcome)
            {
                foreach (OverrideEntry entry in outcome.Announce)
                {
                    bool ok = random.Next(10) > 0;
                    router[entry.Prefix] = ok ? entry.To : router.GetValueOrDefault(entry.Prefix, "");
                    if (router[entry.Prefix].Length == 0)
                    {
                        router.Remove(entry.Prefix);
                    }

                    controller.Announced(entry.Prefix, ok, outcome.Time);
                }

                foreach (OverrideWithdrawal withdrawal in outcome.Withdraw)
                {
                    router.Remove(withdrawal.Prefix);
                }
            }

            for (int i = 0; i < 100; i++)
            {
                DateTimeOffset now = Lab.Start.AddSeconds(5 * i);
                (DecisionSnapshot s, _) = RandomSnapshots.Any((seed * 1000) + (i / 10));
                Carry(controller.Cycle(new() { Now = now, Links = s.Links, Prefixes = s.Prefixes, Health = new() { RouteFeedUp = i % 40 != 39 } }));
                if (random.Next(20) == 0)
                {
                    Carry(controller.SetMode((DecisionMode)random.Next(2), now));
                }
            }

            // One more cycle without announcements settles what failed in the last.
            Carry(controller.SetMode(DecisionMode.Observe, Lab.Start.AddSeconds(500)));
            Assert.Empty(router);
            Assert.Equal(DecisionMode.Observe, controller.Mode);
        }
    }

    [Fact]
    public void Announced_failure_of_what_stands_in_for_a_withdrawal_withdraws_after_all()
    {
        DecisionController controller = new(new(), DecisionMode.Inject);
        CycleInput input = Overload with { Links = [Lab.Link("a", 1000, 900), Lab.Link("b"), Lab.Link("c")] };
        controller.Cycle(input);
        Assert.True(controller.Announced(Lab.Prefix(1), ok: true, Lab.Start));
        string[] paths = ["a", "b", "c"];
        Assert.Equal(OperatorResult.Done, controller.AddOverride(Lab.Prefix(1), "c", paths, Lab.Start.AddSeconds(1)).Result);
        Assert.True(controller.Announced(Lab.Prefix(1), ok: false, Lab.Start.AddSeconds(1)));

        // The router still has the first route. Its withdrawal is due, and another announcement comes in its place.
        (_, CycleOutcome again) = controller.AddOverride(Lab.Prefix(1), "c", paths, Lab.Start.AddSeconds(2));
        Assert.True(Assert.Single(again.Announce).Replaces);
        Assert.Empty(again.Withdraw);
        Assert.True(controller.Announced(Lab.Prefix(1), ok: false, Lab.Start.AddSeconds(2)));
        Assert.Equal(ReasonCode.AnnouncementFailed, Assert.Single(controller.Cycle(input with { Now = Lab.Start.AddSeconds(5) }).Withdraw).Reason);
    }

    [Fact]
    public void Announced_failure_of_a_redirect_withdraws_what_may_still_stand()
    {
        DecisionController controller = new(new(), DecisionMode.Inject);
        controller.Cycle(Overload);
        Assert.True(controller.Announced(Lab.Prefix(1), ok: true, Lab.Start));
        CycleOutcome second = controller.Cycle(Overload with
        {
            Now = Lab.Start.AddSeconds(5),
            Links = [Lab.Link("a", 1000, 900), Lab.Link("b"), Lab.Link("c")],
            Prefixes = [Lab.Demand(1, 100, "a", "c")],
        });
        Assert.Equal("c", Assert.Single(second.Announce).To);
        Assert.True(controller.Announced(Lab.Prefix(1), ok: false, Lab.Start.AddSeconds(5)));
        Assert.Empty(controller.Overrides);
        CycleOutcome third = controller.Cycle(Overload with { Now = Lab.Start.AddSeconds(10) });
        Assert.Equal(ReasonCode.AnnouncementFailed, Assert.Single(third.Withdraw).Reason);
        Assert.Empty(third.Announce);
        Assert.False(controller.Announced(Lab.Prefix(1), ok: true, Lab.Start));
    }

    [Fact]
    public void Lost_override_is_planned_anew_without_a_withdrawal()
    {
        DecisionController controller = new(new(), DecisionMode.Inject);
        controller.Cycle(Overload);
        Assert.True(controller.Lost(Lab.Prefix(1)));
        Assert.False(controller.Lost(Lab.Prefix(1)));
        CycleOutcome next = controller.Cycle(Overload with { Now = Lab.Start.AddSeconds(5) });
        Assert.Empty(next.Withdraw);
        Assert.Single(next.Announce);
    }

    [Fact]
    public void Overrides_expired_leases_are_found_without_the_controller()
    {
        DecisionController controller = new(new() { Lease = TimeSpan.FromSeconds(30) }, DecisionMode.Inject);
        controller.Cycle(Overload);
        controller.Cycle(Overload with { Now = Lab.Start.AddSeconds(20) });
        Assert.Empty(OverrideLedger.Expired(controller.Overrides, Lab.Start.AddSeconds(49)));
        Assert.Equal(Lab.Prefix(1), Assert.Single(OverrideLedger.Expired(controller.Overrides, Lab.Start.AddSeconds(50))).Prefix);
    }

    [Theory]
    [InlineData("nowhere", "a,b", OperatorResult.UnknownLink)]
    [InlineData("c", "a,c", OperatorResult.LinkDown)]
    [InlineData("b", "a", OperatorResult.NoPath)]
    [InlineData("b", "", OperatorResult.NoPath)]
    [InlineData("a", "a,b", OperatorResult.AlreadyNative)]
    [InlineData("b", "a,b", OperatorResult.TooManyOverrides)]
    public void AddOverride_that_cannot_be_is_refused_with_the_reason(string link, string paths, OperatorResult expected)
    {
        DecisionController controller = new(new() { Planner = new() { MaxOverrides = 0 } }, DecisionMode.Inject);
        controller.Cycle(Overload);
        (OperatorResult result, CycleOutcome outcome) =
            controller.AddOverride(Lab.Prefix(5), link, paths.Split(',', StringSplitOptions.RemoveEmptyEntries), Lab.Start);
        Assert.Equal(expected, result);
        Assert.Empty(outcome.Announce);
    }

    [Fact]
    public void ReleaseOverride_leaves_the_prefix_alone_for_the_quarantine_time()
    {
        DecisionController controller = new(new(), DecisionMode.Inject);
        Assert.Equal(OperatorResult.NoOverride, controller.ReleaseOverride(Lab.Prefix(1), Lab.Start).Result);
        controller.Cycle(Overload);
        (OperatorResult result, CycleOutcome outcome) = controller.ReleaseOverride(Lab.Prefix(1), Lab.Start.AddSeconds(1));
        Assert.Equal((OperatorResult.Done, ReasonCode.WithdrawnByOperator), (result, Assert.Single(outcome.Withdraw).Reason));
        Assert.Empty(controller.Cycle(Overload with { Now = Lab.Start.AddSeconds(60) }).Announce);
        Assert.Single(controller.Cycle(Overload with { Now = Lab.Start.AddSeconds(61) }).Announce);
    }

    [Fact]
    public void Cycle_bad_input_says_what_is_wrong()
    {
        DecisionController controller = new(new(), DecisionMode.Inject);
        CycleOutcome outcome = controller.Cycle(Overload with { Health = new() { CaptureLoss = double.NaN, AllPathsKnown = false } });
        Assert.False(outcome.Healthy);
        Assert.Equal(Verdict.FrozenCaptureLoss, outcome.Verdict);
        Assert.Equal(2, outcome.Problems.Count);
        Assert.Equal(50 * Lab.M, outcome.Plan!.OverloadBps);
        outcome = controller.Cycle(Overload with { Links = [Lab.Link("a"), Lab.Link("a")] });
        Assert.Equal((Verdict.InvalidSnapshot, false), (outcome.Verdict, outcome.Healthy));
        Assert.NotEmpty(outcome.Problems);
        Assert.True(controller.Cycle(Overload).Healthy);
    }

    [Fact]
    public void Cycle_noise_of_ten_percent_around_the_threshold_gives_few_changes()
    {
        // An hour at 95 % of the link on average, each prefix jittering by 10 % each second, cycles of 5 s: estimator, planner and hold together.
        Random random = new(3);
        DemandEstimator<IpPrefix> estimator = new(new(), TimeProvider.System);
        DecisionController controller = new(new(), DecisionMode.Inject);
        estimator.EndTick(0);
        int changes = 0;
        for (int second = 1; second <= 3600; second++)
        {
            for (int i = 0; i < 40; i++)
            {
                estimator.Add(Lab.Prefix(i), new LinkId(1), (long)(23.75 * Lab.M / 8 * (0.9 + (random.NextDouble() * 0.2))));
            }

            estimator.EndTick(second * TimeProvider.System.TimestampFrequency);
            if (second % 5 == 0)
            {
                CycleOutcome outcome = controller.Cycle(new()
                {
                    Now = Lab.Start.AddSeconds(second),
                    Links = [Lab.Link("a"), Lab.Link("b")],
                    Prefixes = [.. estimator.Picture(100).Top.Select(d => new PrefixDemand(d.Key, d.RateBps, ["a", "b"]))],
                });
                changes += outcome.Announce.Count + outcome.Withdraw.Count;
            }
        }

        Assert.InRange(changes, 0, 4);
    }

    [Fact]
    public void Cycle_with_estimator_at_one_second_relieves_a_step_within_ten()
    {
        DemandEstimator<IpPrefix> estimator = new(new() { Window = TimeSpan.FromSeconds(10) }, TimeProvider.System);
        DecisionController controller = new(new() { Planner = new() { MaxSharePerCycle = 1, MaxShare = 1 } }, DecisionMode.Inject);
        estimator.EndTick(0);
        int relieved = 0;
        for (int second = 1; second <= 120 && relieved == 0; second++)
        {
            for (int i = 0; i < 10; i++)
            {
                estimator.Add(Lab.Prefix(i), new LinkId(1), (second > 60 ? 98 : 80) * Lab.M / 8);
            }

            estimator.EndTick(second * TimeProvider.System.TimestampFrequency);
            CycleOutcome outcome = controller.Cycle(new()
            {
                Now = Lab.Start.AddSeconds(second),
                Links = [Lab.Link("a"), Lab.Link("b")],
                Prefixes = [.. estimator.Picture(100).Top.Select(d => new PrefixDemand(d.Key, d.RateBps, ["a", "b"]))],
            });
            relieved = outcome.Announce.Count > 0 ? second : 0;
        }

        Assert.InRange(relieved, 61, 66);
    }
}
