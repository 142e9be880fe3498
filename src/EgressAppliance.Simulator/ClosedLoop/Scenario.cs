using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Simulator.ClosedLoop;

// What happens to an egress site in the course of a day, in virtual time: traffic over links, a router that forwards by its best path, and
// whoever steers it. It answers, in seconds and without a router, what the decision maker would do with a traffic pattern or a failure, and what
// plain BGP and a plain threshold controller would have done with the same traffic.
//
//   Scenario        the story: links, traffic, events, what is expected. Read from a text file by the host.
//   TrafficWorld    the truth: the rate of each prefix in each second, which links are up, which paths are offered. The same for all contestants.
//   EdgeRouter      one contestant's router: where each prefix goes, by native paths and the overrides it was given. Keeps the score.
//   Contestants     nobody (plain BGP), GreedyController, and ApplianceModel: DecisionController with estimated demands, as the appliance runs it.
//   Simulation      steps all of it by seconds.
//   Expectation     what a scenario says of the outcome; the suite of the tests is nothing but scenario files.
//
// All randomness comes from the scenario's seed, so a run is exact; and contestants only see what their instruments show them, which events falsify.

/// <summary>A story for the closed loop.</summary>
public sealed record Scenario
{
    /// <summary>What it shows, one line.</summary>
    public required string Title { get; init; }

    /// <summary>Seed of all randomness.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Length, whole seconds of virtual time.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Time of day at which it begins; day patterns go by it.</summary>
    public TimeSpan StartsAt { get; init; }

    /// <summary>The provider links.</summary>
    public required IReadOnlyList<ScenarioLink> Links { get; init; }

    /// <summary>The traffic before events.</summary>
    public required ScenarioTraffic Traffic { get; init; }

    /// <summary>The appliance.</summary>
    public ScenarioAppliance Appliance { get; init; } = new();

    /// <summary>Policies of the appliance, tried in this order. The prefixes of a scenario have neither origin nor communities.</summary>
    public IReadOnlyList<RoutingPolicy> Policies { get; init; } = [];

    /// <summary>What happens, in any order.</summary>
    public IReadOnlyList<ScenarioEvent> Events { get; init; } = [];

    /// <summary>What must come of it.</summary>
    public IReadOnlyList<Expectation> Expectations { get; init; } = [];
}

/// <summary>A provider link of a scenario. Ratios are of capacity.</summary>
/// <param name="Name">Its name.</param>
/// <param name="CapacityBps">Capacity, bit/s.</param>
public sealed record ScenarioLink(string Name, long CapacityBps)
{
    /// <summary>Relieve above; also what overload is measured against for all contestants.</summary>
    public double Threshold { get; init; } = 0.95;

    /// <summary>Never filled beyond by our own moves.</summary>
    public double Ceiling { get; init; } = 0.90;

    /// <summary>Give back below.</summary>
    public double Release { get; init; } = 0.85;
}

/// <summary>The traffic of a scenario.</summary>
public sealed record ScenarioTraffic
{
    /// <summary>Prefixes with traffic, at most 65,536.</summary>
    public int Prefixes { get; init; } = 2000;

    /// <summary>Exponent of the power law that their rates follow; real egress traffic has about 1.</summary>
    public double Popularity { get; init; } = 1.0;

    /// <summary>All traffic together at the peak of the day, bit/s.</summary>
    public required long TotalBps { get; init; }

    /// <summary>Share of the traffic whose native path is each link, by name; scaled to a sum of 1.</summary>
    public required IReadOnlyDictionary<string, double> NativeShares { get; init; }

    /// <summary>Share of prefixes that have a path by each link that is not their native one, 0–1.</summary>
    public double Reach { get; init; } = 0.9;

    /// <summary>Standard deviation of each prefix's rate relative to its mean.</summary>
    public double PrefixNoise { get; init; } = 0.10;

    /// <summary>All traffic of a native link wanders within plus or minus this ratio.</summary>
    public double LinkNoise { get; init; }

    /// <summary>Time in which noise forgets itself.</summary>
    public TimeSpan NoiseTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Rate in the deepest night relative to the peak, 1 for no day at all.</summary>
    public double Night { get; init; } = 1;

    /// <summary>Time of day of the peak.</summary>
    public TimeSpan PeakAt { get; init; } = TimeSpan.FromHours(20.5);
}

/// <summary>The appliances of a scenario.</summary>
public sealed record ScenarioAppliance
{
    /// <summary>How many stand side by side at the same router, 1 or 2.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Decision cycle.</summary>
    public TimeSpan Cycle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Averaging window of demands.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Period at which interface counters are polled.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(10);
}
