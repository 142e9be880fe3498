using System.Globalization;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Cost;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision.Cost;

public class CostMonthTests(ITestOutputHelper output)
{
    private static readonly CostOptions Options = new() { Enabled = true, MaxShare = 1, MaxShareAtOnce = 1, MinSavingPerMonth = 100 };

    [Fact]
    public void Propose_a_full_month_costs_less_than_plain_bgp_with_bounded_moves_and_no_link_over_its_ceiling()
    {
        SyntheticMonth month = FullMonth.Make(1, 100);
        int[] moves = new int[31];
        int over = 0;
        int bursts = 0;
        long[][] carried = month.Carry(Options, (t, snapshot, plan, load) =>
        {
            moves[t / 288] += plan.Moves.Count;
            bursts += plan.Links.Count(l => l.Bursting && l.LoadBps > l.LevelBps) > 1 ? 1 : 0;
            over += plan.Moves.Select(m => m.To).Distinct().Count(to => load[Array.FindIndex(month.Links, l => l.Name == to)] > Ceiling(month, to));
        });
        decimal plain = month.Bill(month.Native(month.Rates));
        decimal cost = month.Bill(carried);
        int beyond = carried.Zip(month.Native(month.Rates)).Sum(s => month.Links.Where((l, i) => s.First[i] > Ceiling(month, l.Name) && s.First[i] > s.Second[i]).Count());
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"bill under plain BGP {plain:F0}, with cost mode {cost:F0}: {1 - (cost / plain):P1} less; moves a day {moves.Average():F1}, at most {moves.Max()}; bound {Bound(month):F0}; samples over a ceiling {beyond}, with two links bursting {bursts}"));
        Assert.InRange(cost, 0, plain * 0.95m);
        Assert.Equal(0, over);
        Assert.Equal(0, beyond);
        Assert.InRange(bursts, 0, month.Rates.Length / 100);
        Assert.InRange(moves.Max(), 1, Options.MaxMovesPerDay);
        Assert.InRange(moves.Average(), 0.1, 60);
    }

    private static long Ceiling(SyntheticMonth month, string link) => month.Links.Single(l => l.Name == link).CapacityBps / 100 * 90;

    /// <summary>
    /// No way to carry the month costs less: if every link bursts in samples of its own, the total that is left is at least the largest one after all free samples, and it is
    /// carried by the cheapest links up to their ceilings. It knows the future, splits prefixes at will and sends them anywhere.
    /// </summary>
    private static decimal Bound(SyntheticMonth month)
    {
        long left = month.Rates.Select(r => r.Sum()).OrderDescending().ElementAt(month.FreeSamples * month.Links.Length) - month.Links.Sum(l => l.CommitBps ?? 0);
        decimal sum = month.Links.Sum(l => (decimal)l.PricePerMbps!.Value * (l.CommitBps ?? 0) / 1_000_000m);
        foreach (LinkState link in month.Links.OrderBy(l => l.PricePerMbps))
        {
            long more = Math.Clamp(left, 0, Ceiling(month, link.Name) - (link.CommitBps ?? 0));
            sum += (decimal)link.PricePerMbps!.Value * more / 1_000_000m;
            left -= more;
        }

        return sum;
    }
}
