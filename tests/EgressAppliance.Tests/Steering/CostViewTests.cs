using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using EgressAppliance.Tests.Configuration;
using EgressAppliance.Tests.Decision;

namespace EgressAppliance.Tests.Steering;

public sealed class CostViewTests
{
    private static readonly ApplianceConfig Config = Load();
    private readonly CostView _view = new(
        Config, () => [new BillingStatus("isp-a", Lab.Start, Lab.Start.AddMonths(1), 8928, 100, 446, 3_000_000_000, 3_500_000_000)], null);

    [Fact]
    public void Describe_before_any_proposal_has_months_and_bill()
    {
        CostDto cost = _view.Describe();
        Assert.Equal(("off", 1050m, null), (cost.Verdict, cost.BillSoFar, cost.ExpectedBill));
        Assert.Equal((3_000_000_000, 2_000_000_000L, null), (cost.Links[0].StandingBps, cost.Links[0].CommitBps, cost.Links[0].LevelBps));
        Assert.Single(cost.Links);
    }

    [Fact]
    public void Describe_after_a_proposal_has_its_levels_moves_and_overrides_and_keeps_them_until_the_next()
    {
        CostPlan proposal = new()
        {
            Verdict = CostVerdict.Proposed,
            Moves = [new CostProposal(Lab.Prefix(1), "isp-b", "isp-a", 100, 42.126m, CostReason.OverLevel, GivesBack: false)],
            Links = [new CostLink("isp-a", 1, 3_000_000_000, 4_000_000_000, 3_900_000_000, 446, 440, Bursting: true)],
            ExpectedBill = 1400.004m,
        };
        _view.Note(Outcome(Verdict.SavingCost, ReasonCode.SaveCost, ReasonCode.RelieveOverload) with { Cost = proposal });
        _view.Note(Outcome(Verdict.Holding, ReasonCode.SaveCost));
        CostDto cost = _view.Describe();
        Assert.Equal(("proposed", 1400m, 1), (cost.Verdict, cost.ExpectedBill, cost.Overrides));
        Assert.Equal((4_000_000_000, 3_900_000_000, 440, true), (cost.Links[0].LevelBps, cost.Links[0].LimitBps, cost.Links[0].FreeLeft, cost.Links[0].Bursting));
        CostMoveDto move = Assert.Single(cost.Moves);
        Assert.Equal(("10.0.1.0/24", "isp-a", 42.13m), (move.Prefix, move.To, move.SavingPerMonth));
    }

    [Fact]
    public void Note_proposal_that_was_rejected_is_told_without_its_moves()
    {
        CostPlan proposal = new() { Verdict = CostVerdict.Proposed, Moves = [new CostProposal(Lab.Prefix(1), "isp-b", "isp-a", 100, 42, CostReason.OverLevel, GivesBack: false)] };
        _view.Note(Outcome(Verdict.NoOverload) with { Cost = proposal });
        CostDto cost = _view.Describe();
        Assert.Equal("proposed", cost.Verdict);
        Assert.Empty(cost.Moves);
    }

    [Fact]
    public void Note_bounds_the_moves_that_are_kept_newest_first()
    {
        for (int i = 0; i < 120; i++)
        {
            _view.Note(Outcome(Verdict.SavingCost) with
            {
                Cost = new CostPlan { Verdict = CostVerdict.Proposed, Moves = [new CostProposal(Lab.Prefix(i), "isp-b", "isp-a", i, 42, CostReason.OverLevel, GivesBack: false)] },
            });
        }

        IReadOnlyList<CostMoveDto> moves = _view.Describe().Moves;
        Assert.Equal(50, moves.Count);
        Assert.Equal(119, moves[0].RateBps);
    }

    private static CycleOutcome Outcome(Verdict verdict, params ReasonCode[] overrides) => new()
    {
        Id = 1,
        Time = Lab.Start,
        Mode = DecisionMode.Inject,
        Verdict = verdict,
        Overrides = [.. overrides.Select((reason, i) => new OverrideEntry { Prefix = Lab.Prefix(i), From = "isp-b", To = "isp-a", Since = Lab.Start, Reason = reason, LeaseExpires = Lab.Start })],
    };

    private static ApplianceConfig Load()
    {
        using ConfigFolder folder = ConfigFolder.Minimal(text => text.Replace("name: isp-a", "name: isp-a, cost: { price_per_mbit: 0.35, commit: 2Gbit/s }", StringComparison.Ordinal));
        ConfigResult result = ConfigLoader.Load(folder.File);
        Assert.Empty(result.Errors);
        return result.Config!;
    }
}
