using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Decision;

/// <summary>Short ways to write snapshots. Rates are in Mbit/s, capacities too.</summary>
internal static class Lab
{
    public const long M = 1_000_000;

    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static PlannerOptions NoCaps { get; } = new() { NoCaps = true };

    public static LinkState Link(string name, long capacity = 1000, long residual = 0) =>
        new() { Name = name, CapacityBps = capacity * M, ResidualBps = residual * M };

    public static PrefixDemand Demand(int number, long rate, params string[] paths) => new(Prefix(number), rate * M, paths);

    public static PrefixPolicy Deny { get; } = new() { Number = 1, Action = PolicyAction.Deny };

    public static PrefixPolicy Pin(string link) => new() { Number = 2, Action = PolicyAction.Pin, Links = [link] };

    public static PrefixPolicy Prefer(params string[] links) => new() { Number = 3, Action = PolicyAction.Prefer, Links = links };

    public static PrefixPolicy Class(int ofClass) => new() { Number = 4, Action = PolicyAction.Class, Class = ofClass };

    public static PrefixDemand By(this PrefixDemand demand, PrefixPolicy? policy) => demand with { Policy = policy };

    public static IpPrefix Prefix(int number) =>
        IpPrefix.Create(IpAddr.FromIPv4(0x0A000000u + ((uint)number << 8)), 24);

    public static ActiveOverride Override(int number, string link, double age = 1000, bool pinned = false) => new(Prefix(number), link, age, pinned);

    public static DecisionSnapshot Snapshot(LinkState[] links, PrefixDemand[] demands, params ActiveOverride[] overrides) =>
        new() { Time = Start, Links = links, Prefixes = demands, Overrides = overrides };

    /// <summary>Plans, and holds the plan against the validator on the way.</summary>
    public static Plan Plan(DecisionSnapshot snapshot, PlannerOptions? options = null)
    {
        PlannerOptions used = options ?? NoCaps;
        Plan plan = Planner.Plan(snapshot, used);
        Assert.Empty(PlanValidator.Validate(snapshot, plan, used));
        return plan;
    }
}
