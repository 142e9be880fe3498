using System.Globalization;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Planner;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision.Cost;

/// <summary>Cost mode and the relief of overload side by side for a month.</summary>
public class ControllerMonthTests(ITestOutputHelper output)
{
    [Fact]
    public void Cycle_a_full_month_beside_the_relief_of_overload_costs_less_than_plain_bgp()
    {
        SyntheticMonth month = FullMonth.Make(1, 300);
        ControllerOptions options = new() { Planner = new PlannerOptions { MaxShare = 0.8, MaxSharePerCycle = 0.2 }, Cost = new CostOptions { Enabled = true, MinSavingPerMonth = 100, MaxShare = 0.6, MaxShareAtOnce = 0.2 } };
        int moves = 0;
        int givenBack = 0;
        int rejected = 0;
        int byRelief = 0;
        long[][] carried = month.CarryBy(options, (_, cycles) =>
        {
            moves += cycles.Sum(c => c.Verdict == Verdict.SavingCost ? c.Plan!.Moves.Count : 0);
            givenBack += cycles.Sum(c => c.Withdraw.Count(w => w.Reason == ReasonCode.CostFits));
            byRelief += cycles.Sum(c => c.Withdraw.Count(w => w.Reason != ReasonCode.CostFits) + c.Announce.Count(a => a.Reason != ReasonCode.SaveCost));
            rejected += cycles.Count(c => c.Problems.Count > 0);
        });
        decimal plain = month.Bill(month.Native(month.Rates));
        decimal cost = month.Bill(carried);
        int beyond = carried.Zip(month.Native(month.Rates)).Sum(s => month.Links.Where((l, i) => s.First[i] > Ceiling(month, l.Name) && s.First[i] > s.Second[i]).Count());
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bill under plain BGP {plain:F0}, with the controller {cost:F0}: {1 - (cost / plain):P1} less; {moves} moves and {givenBack} given back for money, {byRelief} changes by the relief; samples over a ceiling {beyond}"));
        Assert.InRange(cost, 0, plain * 0.8m);
        Assert.Equal(0, rejected);
        Assert.Equal(0, beyond);
        Assert.InRange(moves, 1, 31 * 60);

        // What is moved for money is not fought over: the relief has next to nothing to do where no link is over its threshold under plain BGP.
        Assert.InRange(byRelief, 0, moves / 20);
    }

    private static long Ceiling(SyntheticMonth month, string link) => month.Links.Single(l => l.Name == link).CapacityBps / 100 * 90;
}
