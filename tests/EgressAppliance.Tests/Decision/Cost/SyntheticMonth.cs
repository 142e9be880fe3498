using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision.Cost;

/// <summary>A billing month made up: what each prefix sends in each sample, and what its links carried the month before under plain BGP.</summary>
internal sealed class SyntheticMonth
{
    /// <summary>Begin, UTC.</summary>
    public required DateTimeOffset Start { get; init; }

    public required BillingOptions Billing { get; init; }

    public required LinkState[] Links { get; init; }

    /// <summary>The links each prefix has a path by, the native one first.</summary>
    public required string[][] Paths { get; init; }

    /// <summary>bit/s by sample and prefix.</summary>
    public required long[][] Rates { get; init; }

    /// <summary>The same of the month before; empty if nothing is known of it.</summary>
    public required long[][] RatesBefore { get; init; }

    public int FreeSamples => (int)decimal.Floor(Rates.Length * (decimal)Billing.FreeRatio);

    /// <summary>Load of each link under plain BGP, by sample.</summary>
    public long[][] Native(long[][] rates) => [.. rates.Select(sample =>
    {
        long[] load = new long[Links.Length];
        for (int p = 0; p < sample.Length; p++)
        {
            load[IndexOf(Paths[p][0])] += sample[p];
        }

        return load;
    })];

    /// <summary>The bill for what the links carried, straight from the definition.</summary>
    public decimal Bill(IEnumerable<long[]> loads)
    {
        long[][] samples = [.. loads];
        decimal sum = 0;
        for (int l = 0; l < Links.Length; l++)
        {
            long billed = samples.Select(s => s[l]).OrderDescending().ElementAt(FreeSamples);
            sum += (decimal)Links[l].PricePerMbps!.Value * Math.Max(Links[l].CommitBps ?? 0, billed) / 1_000_000m;
        }

        return sum;
    }

    /// <summary>Carries the month with cost mode: one proposal a sample, carried out at once, before what the sample sends.</summary>
    /// <param name="options">For cost mode.</param>
    /// <param name="seen">Called with each sample's number, snapshot, proposal and the load after it.</param>
    public long[][] Carry(CostOptions options, Action<int, DecisionSnapshot, CostPlan, long[]>? seen = null)
    {
        TimeSpan interval = Billing.Interval;
        BillingMonth[] months = [.. Links.Select(l => new BillingMonth(l.Name, Billing, RatesBefore.Length > 0 ? Start - TimeSpan.FromDays(1) : Start))];
        long[][] before = Native(RatesBefore);
        for (int t = 0; t < before.Length; t++)
        {
            Record(months, Start + ((t - before.Length) * interval), before[t]);
        }

        Dictionary<IpPrefix, (string Link, DateTimeOffset Since)> overrides = [];
        CostMemory? memory = null;
        long[][] carried = new long[Rates.Length][];
        for (int t = 0; t < Rates.Length; t++)
        {
            DateTimeOffset now = Start + (t * interval);
            Array.ForEach(months, m => m.AdvanceTo(now));
            DecisionSnapshot snapshot = Snapshot(t, now, overrides);
            CostPlan plan = CostPlanner.Propose(snapshot, months, options, memory);
            if (plan.Verdict == CostVerdict.OverloadFirst)
            {
                // What the appliance does: relieves first, and thinks of money in the next cycle. Overrides that spare money are not for the relief to give back.
                LinkState[] keeping = [.. Links.Select(l => l with { Release = 0 })];
                Relieve(Planner.Plan(snapshot with { Links = keeping }, Lab.NoCaps), overrides, now);
                snapshot = Snapshot(t, now, overrides);
                plan = CostPlanner.Propose(snapshot, months, options, memory);
            }

            foreach (CostProposal move in plan.Moves)
            {
                if (move.GivesBack)
                {
                    Assert.True(overrides.Remove(move.Prefix, out (string Link, DateTimeOffset) was) && was.Link == move.From);
                }
                else
                {
                    overrides[move.Prefix] = (move.To, now);
                }
            }

            memory = plan.Memory;
            carried[t] = Load(t, overrides);
            seen?.Invoke(t, snapshot, plan, carried[t]);
            Record(months, now, carried[t]);
        }

        return carried;
    }

    /// <summary>
    /// Carries the month with the controller: a cycle at the begin of each sample, and one at its end that sees what the first one did and measures what the links carried.
    /// </summary>
    /// <param name="options">For the controller; its months are those of this one.</param>
    /// <param name="seen">Called with each sample's number and the outcomes of its two cycles.</param>
    public long[][] CarryBy(ControllerOptions options, Action<int, CycleOutcome[]>? seen = null)
    {
        TimeSpan interval = Billing.Interval;
        options = options with { Billing = Links.ToDictionary(l => l.Name, _ => Billing), Lease = 3 * interval };
        DecisionController controller = new(options, DecisionMode.Inject, cost: new CostModeState { Months = [.. Links.Select(Restored)] });
        long[][] carried = new long[Rates.Length][];
        for (int t = 0; t < Rates.Length; t++)
        {
            DateTimeOffset now = Start + (t * interval);
            CycleOutcome begin = controller.Cycle(Input(t, now, measured: null));
            carried[t] = Load(t, controller.Overrides.ToDictionary(o => o.Prefix, o => (o.To, o.Since)));
            CycleOutcome end = controller.Cycle(Input(t, now + (interval * 0.9), carried[t]));
            seen?.Invoke(t, [begin, end]);
        }

        return carried;
    }

    private BillingRecord Restored(LinkState link, int l) => new()
    {
        Link = link.Name,
        Start = Start,
        Samples = [],
        Previous = [.. Native(RatesBefore).Select(sample => sample[l])],
    };

    private CycleInput Input(int t, DateTimeOffset now, long[]? measured) => new()
    {
        Now = now,
        Links = [.. Links.Select((link, l) => link with { MeasuredBps = measured?[l] })],
        Prefixes = [.. Rates[t].Select((rate, p) => new PrefixDemand(Lab.Prefix(p), rate, Paths[p]))],
    };

    private DecisionSnapshot Snapshot(int t, DateTimeOffset now, Dictionary<IpPrefix, (string Link, DateTimeOffset Since)> overrides) => new()
    {
        Time = now,
        Links = Links,
        Prefixes = [.. Rates[t].Select((rate, p) => new PrefixDemand(Lab.Prefix(p), rate, Paths[p]))],
        Overrides = [.. overrides.Select(o => new ActiveOverride(o.Key, o.Value.Link, (now - o.Value.Since).TotalSeconds, ForCost: true))],
    };

    private static void Relieve(Plan plan, Dictionary<IpPrefix, (string Link, DateTimeOffset Since)> overrides, DateTimeOffset now)
    {
        foreach (PlannedRelease release in plan.Releases)
        {
            overrides.Remove(release.Prefix);
        }

        foreach (PlannedMove move in plan.Moves)
        {
            overrides[move.Prefix] = (move.To, now);
        }
    }

    private long[] Load(int t, Dictionary<IpPrefix, (string Link, DateTimeOffset)> overrides)
    {
        long[] load = new long[Links.Length];
        for (int p = 0; p < Rates[t].Length; p++)
        {
            load[IndexOf(overrides.TryGetValue(Lab.Prefix(p), out (string Link, DateTimeOffset) over) ? over.Link : Paths[p][0])] += Rates[t][p];
        }

        return load;
    }

    private static void Record(BillingMonth[] months, DateTimeOffset at, long[] load)
    {
        for (int l = 0; l < months.Length; l++)
        {
            Assert.True(months[l].Add(at, load[l]) is BillingAddResult.Added or BillingAddResult.RolledOver);
        }
    }

    private int IndexOf(string name) => Array.FindIndex(Links, l => l.Name == name);
}
