using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Cost;

/// <summary>
/// The moves that bring every link to its limit. That is the relief of overload with other numbers, and the same planner does it: on a snapshot whose links have their limit for a
/// capacity, all of which may be used, and in which links without a price and prefixes that may not be moved are fixed.
/// </summary>
internal static class CostMoves
{
    // How much larger than now demand is taken to be at most when moves are sized.
    private const double MaxGrowth = 1.5;

    // A native link takes an override back only to this part of what is paid for, or noise would move it again.
    private const double GiveBackPart = 0.95;

    public static CostPlan Propose(CostState state, long[] level, int bursting, CostOptions options)
    {
        long[] limit = [.. level.Select((_, i) => state.Limit(i, level, bursting))];
        if (!Over(state, state.Load, limit).Any())
        {
            CostProposal[] back = bursting == 0 ? [.. GiveBacks(state, options)] : [];
            return state.Report(back.Length > 0 ? CostVerdict.GiveBack : CostVerdict.NothingToSave, level, bursting, back);
        }

        TimeSpan interval = state.LevelLinks[0].Month.Options.Interval;
        double growth = Math.Min(MaxGrowth, state.Forecast.Growth((int)Math.Clamp(options.LookAhead / interval, 0, TimeSpan.FromDays(1) / interval)));
        CostVerdict verdict = CostVerdict.NothingToSave;
        foreach (double sized in growth > 1 ? [growth, 1.0] : new[] { 1.0 })
        {
            List<CostProposal> moves = Relieve(state, limit, sized, options);
            if (moves.Count == 0)
            {
                continue;
            }

            moves = Worthwhile(moves, options);
            verdict = CostVerdict.BelowLimit;
            if (moves.Count > 0)
            {
                return state.Report(CostVerdict.Proposed, level, bursting, moves);
            }
        }

        return state.Report(verdict, level, bursting, []);
    }

    private static IEnumerable<int> Over(CostState state, long[] load, long[] limit) =>
        Enumerable.Range(0, load.Length).Where(l => state.PricedIndex[l] >= 0 && load[l] > limit[state.PricedIndex[l]]);

    /// <summary>The relief for a demand that is grown: limits are divided rather than rates multiplied, which comes to the same.</summary>
    private static List<CostProposal> Relieve(CostState state, long[] limit, double growth, CostOptions options)
    {
        Projection projection = state.Projection;
        DecisionSnapshot fixedUp = Narrow(state, [.. limit.Select(l => (long)(l / growth))]);
        Plan plan = Planner.Planner.Plan(fixedUp, Left(state, options));
        Dictionary<IpPrefix, int> demands = [];
        for (int i = 0; i < projection.Demands.Length; i++)
        {
            demands[projection.Demands[i].Prefix] = i;
        }

        List<(int Demand, int To, bool Back, ReasonCode Reason)> changes = [];
        changes.AddRange(plan.Moves.Select(m => (demands[m.Prefix], projection.IndexOf(m.To), false, m.Reason)));
        changes.AddRange(plan.Releases.Where(r => r.Reason is ReasonCode.TargetOverloaded or ReasonCode.MakeRoom)
            .Select(r => (demands[r.Prefix], projection.NativeLink[demands[r.Prefix]], true, r.Reason)));
        return Keeps(state, limit, changes) ? Price(state, limit, changes) : [];
    }

    /// <summary>What the limits leave beside the overrides that are not in the narrowed snapshot.</summary>
    private static PlannerOptions Left(CostState state, CostOptions options)
    {
        OverrideCase[] others = [.. state.Projection.Overrides.Where(o => o.Lost == ReasonCode.None && (o.Demand < 0 || !state.Movable[o.Demand]))];
        double share = (double)others.Sum(o => o.RateBps) / Math.Max(1, state.Projection.TotalBps);
        return options.ForRelief() with
        {
            MaxOverrides = Math.Max(0, options.MaxOverrides - others.Length),
            MaxShare = Math.Max(0, options.MaxShare - share),
        };
    }

    /// <summary>Whether all links that something goes to end within their limits. And against overload the relief ends overrides in hold, which money is no reason for.</summary>
    private static bool Keeps(CostState state, long[] limit, List<(int Demand, int To, bool Back, ReasonCode Reason)> changes)
    {
        long[] load = (long[])state.Load.Clone();
        foreach ((int demand, int to, _, _) in changes)
        {
            bool held = state.Projection.OverrideOf(demand) is { Lost: ReasonCode.None, Fixed: not ReasonCode.None };
            if (held || to < 0 || state.PricedIndex[to] < 0)
            {
                return false;
            }

            load[state.At[demand]] -= state.Projection.Demands[demand].RateBps;
            load[to] += state.Projection.Demands[demand].RateBps;
        }

        return !Over(state, load, limit).Intersect(changes.Select(c => c.To)).Any();
    }

    /// <summary>Each move's saving: the part of its link's excess that it takes away, the largest move first.</summary>
    private static List<CostProposal> Price(CostState state, long[] limit, List<(int Demand, int To, bool Back, ReasonCode Reason)> changes)
    {
        Projection projection = state.Projection;
        long[] excess = new long[state.Load.Length];
        foreach (int l in Over(state, state.Load, limit))
        {
            excess[l] = state.Load[l] - limit[state.PricedIndex[l]];
        }

        List<CostProposal> moves = [];
        foreach ((int demand, int to, bool back, ReasonCode reason) in changes.OrderByDescending(c => projection.Demands[c.Demand].RateBps).ThenBy(c => projection.Demands[c.Demand].Prefix))
        {
            int from = state.At[demand];
            long rate = projection.Demands[demand].RateBps;
            long saved = Math.Min(rate, excess[from]);
            excess[from] -= saved;
            CostReason why = reason == ReasonCode.MakeRoom ? CostReason.MakeRoom : CostReason.OverLevel;
            moves.Add(new(projection.Demands[demand].Prefix, projection.Links[from].Name, projection.Links[to].Name, rate,
                CostState.Money(projection.Links[from].PricePerMbps ?? 0, saved), why, back));
        }

        return moves;
    }

    /// <summary>
    /// What is worth it, as many as are allowed. A move that another one makes room for stands or falls with all of them; otherwise each stands for itself.
    /// </summary>
    private static List<CostProposal> Worthwhile(List<CostProposal> moves, CostOptions options)
    {
        decimal least = options.MinSavingPerMonth;
        HashSet<string> left = [.. moves.Select(m => m.From)];
        if (moves.Exists(m => left.Contains(m.To)))
        {
            return moves.Count <= options.MaxMoves && moves.Sum(m => m.SavingPerMonth) > least * moves.Count ? moves : [];
        }

        return [.. moves.Where(m => m.SavingPerMonth > least).OrderByDescending(m => m.SavingPerMonth).ThenBy(m => m.Prefix).Take(options.MaxMoves)];
    }

    /// <summary>Cost mode's overrides, the smallest first, without which the native link stays under what is paid for already by what is forecast for a day.</summary>
    private static IEnumerable<CostProposal> GiveBacks(CostState state, CostOptions options)
    {
        Projection projection = state.Projection;
        OverrideCase[] free = [.. projection.Overrides
            .Where(o => state.Own.Contains(o.Active.Prefix) && o.Lost == ReasonCode.None && o.Fixed == ReasonCode.None && o.Demand >= 0 && o.RateBps > 0 && o.Native >= 0 && state.PricedIndex[o.Native] >= 0 && state.Movable[o.Demand])
            .OrderBy(o => o.RateBps).ThenBy(o => o.Active.Prefix)];
        if (free.Length == 0)
        {
            yield break;
        }

        TimeSpan interval = state.LevelLinks[0].Month.Options.Interval;
        double growth = state.Forecast.Growth((int)(TimeSpan.FromDays(1) / interval));
        long[] load = (long[])state.Load.Clone();
        int left = options.MaxMoves;
        foreach (OverrideCase over in free)
        {
            int native = state.PricedIndex[over.Native];
            long room = LinkLimits.Part(state.LevelLinks[native].FloorBps, GiveBackPart / growth);
            if (load[over.Native] + over.RateBps <= room && left-- > 0)
            {
                load[over.Native] += over.RateBps;
                load[over.Link] -= over.RateBps;
                yield return new(over.Active.Prefix, over.Active.Link, projection.Links[over.Native].Name, over.RateBps, 0, CostReason.NotNeeded, GivesBack: true);
            }
        }
    }

    /// <summary>The snapshot in which overload is what exceeds a limit.</summary>
    private static DecisionSnapshot Narrow(CostState state, long[] limit)
    {
        Projection projection = state.Projection;
        long[] residual = (long[])state.Load.Clone();
        List<PrefixDemand> demands = [];
        List<ActiveOverride> overrides = [];
        for (int i = 0; i < state.At.Length; i++)
        {
            if (!state.Movable[i])
            {
                continue;
            }

            residual[state.At[i]] -= projection.Demands[i].RateBps;
            demands.Add(projection.Demands[i]);
            if (projection.OverrideOf(i) is { Lost: ReasonCode.None } over)
            {
                overrides.Add(over.Active with { ForCost = false });
            }
        }

        LinkState[] links = new LinkState[residual.Length];
        for (int l = 0; l < links.Length; l++)
        {
            int priced = state.PricedIndex[l];
            LinkState narrow = projection.Links[l] with { ResidualBps = Math.Max(0, residual[l]), ErrorRatio = null, Release = 0 };
            links[l] = priced >= 0
                ? narrow with { CapacityBps = Math.Max(1, limit[priced]), Threshold = 1, Ceiling = 1 }
                : narrow with { Threshold = 2, Ceiling = 0 };
        }

        return state.Snapshot with { Links = links, Prefixes = demands, Overrides = overrides };
    }
}
