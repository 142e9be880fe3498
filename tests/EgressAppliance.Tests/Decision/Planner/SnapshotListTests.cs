using System.Collections.Immutable;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Decision;

/// <summary>The lists of a snapshot: of whatever type they are, and with whatever in them.</summary>
public class SnapshotListTests
{
    private static readonly FsCheck.Config Thorough = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(20260101, 1);

    private static Arbitrary<int> Seeds => Gen.Choose(0, int.MaxValue).ToArbitrary();

    [Fact]
    public void Plan_lists_of_any_type_give_the_same_bytes()
    {
        Prop.ForAll(Seeds, seed =>
        {
            (DecisionSnapshot snapshot, PlannerOptions options) = RandomSnapshots.Any(seed);
            byte[] arrays = DecisionJson.Write(Planner.Plan(With(snapshot, Enumerable.ToArray, Enumerable.ToArray), options));
            byte[] lists = DecisionJson.Write(Planner.Plan(With(snapshot, Enumerable.ToList, Enumerable.ToList), options));
            byte[] others = DecisionJson.Write(Planner.Plan(With(snapshot, d => d.ToImmutableList(), p => p.ToImmutableList()), options));
            return arrays.AsSpan().SequenceEqual(lists) && arrays.AsSpan().SequenceEqual(others);
        }).Check(Thorough);
    }

    [Fact]
    public void Problems_any_list_names_each_prefix_that_is_listed_before()
    {
        Prop.ForAll(Seeds, seed =>
        {
            Random random = new(seed);
            IpPrefix[] prefixes = [.. Enumerable.Range(0, random.Next(0, 3000)).Select(_ => Some(random, random.Next(10_000, 200_000)))];
            DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("link-a")], [.. prefixes.Select(p => new PrefixDemand(p, 1, ["link-a"]))]);
            HashSet<IpPrefix> seen = [];
            string[] expected = [.. prefixes.Where(p => !seen.Add(p)).Take(20).Select(p => $"prefix {p}: empty or listed twice")];
            return SnapshotCheck.Problems(snapshot).SequenceEqual(expected);
        }).Check(Thorough);
    }

    [Fact]
    public void Validate_override_kept_twice_is_named_not_thrown()
    {
        DecisionSnapshot snapshot = Lab.Snapshot([Lab.Link("link-a"), Lab.Link("link-b")], [Lab.Demand(0, 100, "link-a", "link-b")], Lab.Override(0, "link-b", age: 1));
        Plan plan = Planner.Plan(snapshot, Lab.NoCaps);
        KeptOverride kept = Assert.Single(plan.Kept);
        PlanViolation violation = Assert.Single(PlanValidator.Validate(snapshot, plan with { Kept = [kept, kept] }, Lab.NoCaps));
        Assert.Equal("listed_twice", violation.Rule);
    }

    private static DecisionSnapshot With(
        DecisionSnapshot snapshot, Func<IEnumerable<PrefixDemand>, IReadOnlyList<PrefixDemand>> demands, Func<IEnumerable<string>, IReadOnlyList<string>> paths) =>
        snapshot with { Prefixes = demands(snapshot.Prefixes.Select(d => d with { Paths = paths(d.Paths) })) };

    /// <summary>Of both families, and one inside another now and then.</summary>
    private static IpPrefix Some(Random random, int range)
    {
        int number = random.Next(range);
        return (number % 5) switch
        {
            0 => IpPrefix.Create(IpAddr.FromIPv6(0x2001_0db8_0000_0000UL + ((ulong)number << 16), 0), 48),
            1 => IpPrefix.Create(Lab.Prefix(number).Address, 20),
            _ => Lab.Prefix(number),
        };
    }
}
