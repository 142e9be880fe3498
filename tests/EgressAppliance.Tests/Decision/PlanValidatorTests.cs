using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

public class PlanValidatorTests
{
    private static readonly DecisionSnapshot Snapshot = Lab.Snapshot(
        [Lab.Link("a", 1000, 750), Lab.Link("b"), Lab.Link("c") with { Drain = true }, Lab.Link("d") with { Up = false }, Lab.Link("e", 1000, 850)],
        [Lab.Demand(1, 200, "a", "b", "c", "d", "e"), Lab.Demand(2, 100, "a", "b"), Lab.Demand(3, 50, "a", "b")],
        Lab.Override(2, "b", 10), Lab.Override(3, "b"));

    private static readonly PlannerOptions Options = new() { MaxSharePerCycle = 1, MaxShare = 1 };

    public static TheoryData<string, Func<Plan, Plan>> Breaks => new()
    {
        { "no_path", p => p with { Moves = [Move(1, "a", "f")] } },
        { "link_unusable", p => p with { Moves = [Move(1, "a", "c")] } },
        { "link_unusable", p => p with { Moves = [Move(1, "a", "d")] } },
        { "same_link", p => p with { Moves = [Move(1, "a", "a")] } },
        { "wrong_rate", p => p with { Moves = [Move(1, "a", "b") with { RateBps = 1 }] } },
        { "wrong_link", p => p with { Moves = [Move(1, "b", "b")] } },
        { "unknown_prefix", p => p with { Moves = [Move(7, "a", "b")] } },
        { "over_ceiling", p => p with { Moves = [Move(1, "a", "e")] } },
        { "listed_twice", p => p with { Moves = [.. p.Moves, .. p.Moves] } },
        { "in_hold", p => p with { Moves = [.. p.Moves, new(Lab.Prefix(2), "b", "e", 100 * Lab.M, ReasonCode.TargetOverloaded)], Kept = [p.Kept[1]] } },
        { "in_hold", p => p with { Releases = [new(Lab.Prefix(2), "b", "a", 100 * Lab.M, ReasonCode.NativeFits)], Kept = [p.Kept[1]] } },
        { "no_such_override", p => p with { Kept = [.. p.Kept, new(Lab.Prefix(1), "a", "b", 0, ReasonCode.StillNeeded)], Moves = [] } },
        { "override_forgotten", p => p with { Kept = [p.Kept[1]] } },
        { "wrong_link", p => p with { Kept = [p.Kept[0] with { To = "e" }, p.Kept[1]] } },
        { "wrong_load", p => p with { Links = [p.Links[0] with { PlannedBps = 0 }, .. p.Links.Skip(1)] } },
        { "wrong_load", p => p with { Links = [new("nowhere", 0, 0)] } },
    };

    [Fact]
    public void Validate_sound_plan_finds_nothing() => Assert.Empty(PlanValidator.Validate(Snapshot, Good(), Options));

    [Theory]
    [MemberData(nameof(Breaks), DisableDiscoveryEnumeration = true)]
    public void Validate_broken_plan_names_the_rule(string rule, Func<Plan, Plan> breakIt)
    {
        IReadOnlyList<PlanViolation> found = PlanValidator.Validate(Snapshot, breakIt(Good()), Options);
        Assert.Contains(found, v => v.Rule == rule);
    }

    [Fact]
    public void Validate_denied_quarantined_or_pinned_prefix_moved_is_found()
    {
        DecisionSnapshot denied = Snapshot with { Prefixes = [.. Snapshot.Prefixes.Select(p => p.By(Lab.Deny))] };
        Assert.Contains(PlanValidator.Validate(denied, Good(), Options), v => v.Rule == "denied");
        Assert.Contains(PlanValidator.Validate(Snapshot with { Quarantined = [Lab.Prefix(1)] }, Good(), Options), v => v.Rule == "quarantined");
        DecisionSnapshot pinned = Snapshot with { Overrides = [Lab.Override(2, "b", 10), Lab.Override(3, "b"), Lab.Override(1, "e", pinned: true)] };
        Assert.Contains(PlanValidator.Validate(pinned, Good(), Options), v => v.Rule == "pinned");
    }

    [Fact]
    public void Validate_plan_against_a_policy_is_found()
    {
        void Finds(string rule, IpPrefix prefix, PrefixPolicy policy, Plan plan) => Assert.Contains(
            PlanValidator.Validate(Snapshot with { Prefixes = [.. Snapshot.Prefixes.Select(p => p.Prefix == prefix ? p.By(policy) : p)] }, plan, Options),
            v => v.Rule == rule && v.Subject == prefix.ToString());
        Plan good = Good();
        PlannedMove move = good.Moves[0];
        KeptOverride kept = good.Kept[0];
        Finds("pinned_by_policy", move.Prefix, Lab.Pin("x"), good);
        Finds("pinned_by_policy", kept.Prefix, Lab.Pin("x"), good);
        Finds("denied", kept.Prefix, Lab.Deny, good);
        Finds("pinned_by_policy", kept.Prefix, Lab.Pin(kept.To), good with
        {
            Kept = [.. good.Kept.Skip(1)],
            Releases = [.. good.Releases, new(kept.Prefix, kept.To, kept.From, kept.RateBps, ReasonCode.NativeFits)],
        });
        Finds("pinned_by_policy", move.Prefix, Lab.Class(3), good with { Moves = [move with { Reason = ReasonCode.PinnedByPolicy }, .. good.Moves.Skip(1)] });
    }

    [Theory]
    [InlineData("max_moves_per_cycle")]
    [InlineData("max_overrides")]
    [InlineData("max_share_per_cycle")]
    [InlineData("max_share")]
    public void Validate_cap_exceeded_is_found_unless_caps_are_lifted(string rule)
    {
        PlannerOptions tight = rule switch
        {
            "max_moves_per_cycle" => Options with { MaxMovesPerCycle = 0 },
            "max_overrides" => Options with { MaxOverrides = 2 },
            "max_share_per_cycle" => Options with { MaxSharePerCycle = 0.01 },
            _ => Options with { MaxShare = 0.1 },
        };
        Assert.Contains(PlanValidator.Validate(Snapshot, Good(), tight), v => v.Rule == rule);
        Assert.Empty(PlanValidator.Validate(Snapshot, Good(), tight with { NoCaps = true }));
    }

    private static PlannedMove Move(int prefix, string from, string to) => new(Lab.Prefix(prefix), from, to, 200 * Lab.M, ReasonCode.RelieveOverload);

    /// <summary>A plan written by hand, with loads that add up.</summary>
    private static Plan Good() => new()
    {
        Verdict = Verdict.Relieved,
        Moves = [Move(1, "a", "b")],
        Kept =
        [
            new(Lab.Prefix(2), "a", "b", 100 * Lab.M, ReasonCode.InHold),
            new(Lab.Prefix(3), "a", "b", 50 * Lab.M, ReasonCode.StillNeeded),
        ],
        Links =
        [
            new("a", 1100 * Lab.M, 750 * Lab.M), new("b", 0, 350 * Lab.M), new("c", 0, 0), new("d", 0, 0), new("e", 850 * Lab.M, 850 * Lab.M),
        ],
    };
}
