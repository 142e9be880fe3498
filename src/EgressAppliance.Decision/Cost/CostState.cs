using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Cost;

/// <summary>The inputs in numbers. Links are all of the snapshot's, by name; priced links are those that take part, with an index of their own.</summary>
internal sealed class CostState
{
    // Keeps all sums of money far from overflow.
    private const double MaxPrice = 1e9;

    private readonly int[] _priced;
    private readonly decimal _leastSaving;
    private readonly BillingMonth[] _months;
    private readonly DateTimeOffset _time;

    private CostState(DecisionSnapshot snapshot, Projection projection, int[] priced, BillingMonth[] months, CostOptions options)
    {
        _time = snapshot.Time;
        _priced = priced;
        _leastSaving = Math.Clamp(options.MinSavingPerMonth, 0, 1_000_000_000m);
        _months = months;
        Snapshot = snapshot;
        Projection = projection;
        Own = [.. snapshot.Overrides.Where(o => o.ForCost).Select(o => o.Prefix)];
        PricedIndex = new int[projection.Links.Length];
        Array.Fill(PricedIndex, -1);
        for (int i = 0; i < priced.Length; i++)
        {
            PricedIndex[priced[i]] = i;
        }

        Load = (long[])projection.Native.Clone();
        At = (int[])projection.NativeLink.Clone();
        foreach (OverrideCase over in projection.Overrides.Where(o => o.Lost == ReasonCode.None && o.Demand >= 0))
        {
            At[over.Demand] = over.Link;
            Load[over.Link] += over.RateBps;
            if (over.Native >= 0)
            {
                Load[over.Native] -= over.RateBps;
            }
        }

        Movable = [.. Enumerable.Range(0, At.Length).Select(i => IsMovable(i, options))];
        Mix = BuildMix();
        Forecast = new(months, _time);
        Remaining = months.Min(m => m.Remaining(_time));
        LevelLinks = [.. priced.Select((link, i) => BuildLevelLink(projection.Links[link], projection.Limits[link], Load[link], months[i]))];
    }

    public DecisionSnapshot Snapshot { get; }

    public Projection Projection { get; }

    /// <summary>Prefixes whose override is cost mode's.</summary>
    public HashSet<IpPrefix> Own { get; }

    /// <summary>Index among the priced links of each link, or −1.</summary>
    public int[] PricedIndex { get; }

    /// <summary>Load of each link with the overrides in force.</summary>
    public long[] Load { get; }

    /// <summary>The link that each demand leaves by, or −1.</summary>
    public int[] At { get; }

    /// <summary>Whether each demand is on a priced link, large enough and free to move.</summary>
    public bool[] Movable { get; }

    /// <summary>What is on priced links, by where it can go.</summary>
    public TrafficMix Mix { get; }

    public DemandForecast Forecast { get; }

    /// <summary>Samples until the first month ends, the present one included.</summary>
    public int Remaining { get; }

    public LevelLink[] LevelLinks { get; }

    public long[] Floors => [.. LevelLinks.Select(l => l.FloorBps)];

    /// <summary>Reads the inputs.</summary>
    /// <returns>Null, or why nothing can be proposed.</returns>
    public static CostVerdict? TryRead(DecisionSnapshot snapshot, IReadOnlyList<BillingMonth> months, CostOptions options, out CostState? state)
    {
        state = null;
        // To cost mode its own overrides are as free as others.
        Projection projection = Projection.Of(snapshot with { Overrides = [.. snapshot.Overrides.Select(o => o with { ForCost = false })] }, options.ForRelief());
        int[] priced = [.. Enumerable.Range(0, projection.Links.Length).Where(l => projection.Links[l] is { Up: true, PricePerMbps: >= 0 and <= MaxPrice })];
        if (priced.Length < 2)
        {
            return CostVerdict.NoPricedLinks;
        }

        if (priced.Length > TrafficMix.MaxLinks)
        {
            return CostVerdict.TooManyLinks;
        }

        List<BillingMonth> used = [];
        foreach (int link in priced)
        {
            BillingMonth[] its = [.. months.Where(m => m.Link == projection.Links[link].Name)];
            if (its.Length != 1 || snapshot.Time < its[0].Start || snapshot.Time >= its[0].End || its[0].Options.Interval != months[0].Options.Interval)
            {
                return CostVerdict.MonthsUnusable;
            }

            used.Add(its[0]);
        }

        state = new(snapshot, projection, priced, [.. used], options);
        for (int l = 0; l < state.Load.Length; l++)
        {
            if (projection.Links[l].Up && state.Load[l] > projection.Limits[l].TriggerBps)
            {
                return CostVerdict.OverloadFirst;
            }
        }

        return state.Forecast.HasDay ? null : CostVerdict.Learning;
    }

    /// <summary>Whether the last sample that is over was above a level.</summary>
    public bool BurstLast(int priced, long level) => _months[priced].SampleAt(_time - _months[priced].Options.Interval) > level;

    /// <summary>What a priced link may be filled to now.</summary>
    public long Limit(int priced, long[] level, int bursting) => (bursting >> priced & 1) != 0 ? LevelLinks[priced].CeilingBps : LevelLinks[priced].Usable(level[priced]);

    /// <summary>The plan to hand out.</summary>
    public CostPlan Report(CostVerdict verdict, long[] level, int bursting, IEnumerable<CostProposal> moves) => new()
    {
        Verdict = verdict,
        Moves = [.. moves.OrderBy(m => m.Prefix)],
        Keeps = [.. Keeps(level, bursting)],
        Links = [.. _priced.Select((link, i) => new CostLink(Projection.Links[link].Name, Load[link], _months[i].StandingBps, level[i], Limit(i, level, bursting),
            _months[i].FreeSamples, Math.Max(0, _months[i].FreeLeft(level[i])), (bursting >> i & 1) != 0))],
        ExpectedBill = LevelLinks.Select((l, i) => Money(l.Price, Math.Max(level[i], _months[i].StandingBps))).Sum(),
    };

    /// <summary>The relief's overrides without each of which the native link would be over its limit.</summary>
    private IEnumerable<IpPrefix> Keeps(long[] level, int bursting) => Projection.Overrides
        .Where(o => o is { Lost: ReasonCode.None, Demand: >= 0, Native: >= 0, RateBps: > 0, Active.Pinned: false } && !Own.Contains(o.Active.Prefix)
            && Projection.Demands[o.Demand].Policy is not { Action: PolicyAction.Pin }
            && PricedIndex[o.Native] >= 0 && Load[o.Native] + o.RateBps > Limit(PricedIndex[o.Native], level, bursting))
        .Select(o => o.Active.Prefix);

    /// <summary>Price × rate.</summary>
    public static decimal Money(double pricePerMbps, long bps) => (decimal)pricePerMbps * bps / 1_000_000m;

    private bool IsMovable(int demand, CostOptions options)
    {
        int link = At[demand];
        if (link < 0 || PricedIndex[link] < 0 || Projection.Demands[demand].Policy is { Action: PolicyAction.Pin } || Projection.Immovable(Projection.Demands[demand], link) != ReasonCode.None)
        {
            return false;
        }

        OverrideCase? over = Projection.OverrideOf(demand);
        long rate = Projection.Demands[demand].RateBps;

        // What could not save enough if all of it were above the level would never be moved, and no level may count on it.
        return over is not { Fixed: ReasonCode.Pinned } && rate >= Math.Max(1, LinkLimits.Part(Projection.Links[link].CapacityBps, options.MinPrefixShare))
            && (over is not null || Money(Projection.Links[link].PricePerMbps!.Value, rate) > options.MinSavingPerMonth);
    }

    private TrafficMix BuildMix()
    {
        List<(int, long)> demands = [];
        long[] rest = [.. _priced.Select(l => Load[l])];
        for (int i = 0; i < At.Length; i++)
        {
            if (!Movable[i])
            {
                continue;
            }

            int own = PricedIndex[At[i]];
            int usable = 1 << own;
            foreach (string path in Projection.Demands[i].Paths)
            {
                int link = Projection.IndexOf(path);
                usable |= link >= 0 && PricedIndex[link] >= 0 && Projection.Links[link] is { Drain: false, Distrusted: false } ? 1 << PricedIndex[link] : 0;
            }

            demands.Add((usable, Projection.Demands[i].RateBps));
            rest[own] -= Projection.Demands[i].RateBps;
        }

        demands.AddRange(rest.Select((bps, i) => (1 << i, bps)));
        return new(_priced.Length, demands);
    }

    /// <remarks>A drained link stays as full as it is: what is on it has to fit there.</remarks>
    private LevelLink BuildLevelLink(LinkState link, LinkLimits limits, long load, BillingMonth month)
    {
        long ceiling = link.Drain ? load : limits.EnterBps;
        long paid = Math.Max(link.CommitBps ?? 0, month.StandingBps);
        decimal slackBps = link.PricePerMbps > 0 ? _leastSaving * 1_000_000m / Math.Max(0.000001m, (decimal)link.PricePerMbps.Value) : 0;
        long slack = (long)Math.Min(slackBps, SnapshotCheck.MaxBps);
        long floor = link.PricePerMbps == 0 ? ceiling : Math.Clamp(paid, 0, ceiling);
        return new(link.Name, link.PricePerMbps!.Value, floor, ceiling, month, (double)Remaining / month.Remaining(_time), slack);
    }
}
