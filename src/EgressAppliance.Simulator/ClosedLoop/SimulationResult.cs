using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>How a contestant did.</summary>
/// <param name="OverloadSeconds">Σ over links of the seconds above threshold.</param>
/// <param name="OverloadGbit">Σ over links and time of what exceeded the threshold, Gbit.</param>
/// <param name="LostGbit">Σ over links and time of what exceeded the capacity, Gbit: dropped, at a router with small buffers.</param>
/// <param name="Moves">Announcements that put a prefix on another link.</param>
/// <param name="Releases">Overrides that ended.</param>
/// <param name="MostChangesPerHour">Most moves and releases of one prefix within any hour.</param>
/// <param name="PeakRatios">Highest load of each link as a ratio of its capacity.</param>
public sealed record ContestantScore(
    int OverloadSeconds, double OverloadGbit, double LostGbit, int Moves, int Releases, int MostChangesPerHour, IReadOnlyList<double> PeakRatios)
{
    /// <summary>Moves and releases: each is a route that changed in the network.</summary>
    public int Changes => Moves + Releases;

    internal static ContestantScore Of(EdgeRouter router, Scenario scenario) => new(
        router.OverloadSeconds, router.OverloadBits / 1e9, router.LostBits / 1e9, router.Moves, router.Releases, router.MostChangesPerHour,
        [.. router.Peak.Select((peak, l) => peak / scenario.Links[l].CapacityBps)]);
}

/// <summary>The appliances at a moment.</summary>
/// <param name="Second">Since when it is so.</param>
/// <param name="Overrides">Overrides at the router.</param>
/// <param name="Verdicts">Latest verdict of each appliance.</param>
public sealed record SimulationMoment(int Second, int Overrides, IReadOnlyList<Verdict> Verdicts);

/// <summary>What an appliance took its links' rates for.</summary>
/// <param name="Second">Since when it is so.</param>
/// <param name="Causes">For each link what its mirror rate and its counter were taken to say of each other.</param>
/// <param name="Covered">The true rates of all links were within the error bars of their mirror rates.</param>
public sealed record SimulationBelief(int Second, IReadOnlyList<RateCause> Causes, bool Covered);

/// <summary>Outcome of a run.</summary>
public sealed record SimulationResult
{
    /// <summary>The scenario.</summary>
    public required Scenario Scenario { get; init; }

    /// <summary>Nobody steers.</summary>
    public required ContestantScore Plain { get; init; }

    /// <summary>The greedy threshold controller.</summary>
    public required ContestantScore Greedy { get; init; }

    /// <summary>The appliance or appliances.</summary>
    public required ContestantScore Appliance { get; init; }

    /// <summary>Overload that no assignment of prefixes to paths avoids, even one that knows the truth and moves at once, Gbit.</summary>
    public required double UnavoidableGbit { get; init; }

    /// <summary>The appliances' course: one entry for each change of a verdict or of the number of overrides.</summary>
    public required IReadOnlyList<SimulationMoment> Course { get; init; }

    /// <summary>Where the prefixes that expectations name left at their moments; null for by no link.</summary>
    public IReadOnlyDictionary<(TimeSpan At, IpPrefix Prefix), string?> Places { get; init; } = new Dictionary<(TimeSpan At, IpPrefix Prefix), string?>();

    /// <summary>What each appliance took its links' rates for: one entry for each change.</summary>
    public required IReadOnlyList<IReadOnlyList<SimulationBelief>> Beliefs { get; init; }

    /// <summary>What became of each expectation.</summary>
    public IReadOnlyList<ExpectationOutcome> Expectations => [.. Scenario.Expectations.SelectMany(e => e.Judge(this))];

    /// <summary>The appliances at a time from the beginning.</summary>
    public SimulationMoment MomentAt(TimeSpan time) => Course.Last(m => m.Second <= time.TotalSeconds);

    /// <summary>What each appliance took its links' rates for at a time from the beginning.</summary>
    public IReadOnlyList<SimulationBelief> BeliefsAt(TimeSpan time) => [.. Beliefs.Select(b => b.LastOrDefault(x => x.Second <= time.TotalSeconds)).OfType<SimulationBelief>()];
}
