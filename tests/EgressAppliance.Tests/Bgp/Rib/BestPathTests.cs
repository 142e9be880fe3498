using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class BestPathTests
{
    private static readonly PathAttributes Plain = new() { AsPath = AsPath.Sequence(64501, 64999), NextHop = new(IpAddr.Parse("100.64.1.2")) };

    [Fact]
    public void Highest_local_pref_wins_and_none_counts_100() =>
        AssertOrder(Set(Plain, localPref: 101), Set(Plain), Set(Plain, localPref: 99, path: AsPath.Sequence(64501)));

    [Fact]
    public void Shortest_as_path_wins_with_a_set_counted_once_and_confederations_not_at_all()
    {
        var set = AsPath.FromSegments([new(AsSegmentType.Set, [1, 2, 3, 4])]);
        var confederation = AsPath.FromSegments([new(AsSegmentType.ConfedSequence, [65100, 65101, 65102]), new(AsSegmentType.Sequence, [64501, 64999])]);

        AssertOrder(Set(Plain, path: set), Set(Plain, path: confederation), Set(Plain, path: AsPath.Sequence(64501, 64501, 64999)));
    }

    [Fact]
    public void Lowest_origin_wins() => AssertOrder(Set(Plain, origin: Origin.Igp), Set(Plain, origin: Origin.Egp), Set(Plain, origin: Origin.Incomplete));

    [Fact]
    public void Med_compares_only_between_paths_of_one_neighbour_as()
    {
        PathAttributes lowFromOne = Set(Plain, med: 10);
        PathAttributes highFromOne = Set(Plain, med: 20, nextHop: "100.64.0.1");
        PathAttributes fromOther = Set(Plain, med: 30, path: AsPath.Sequence(64502, 64999), nextHop: "100.64.0.9");

        // 20 loses to 10 of the same neighbour; 30 of another neighbour is then chosen by its lower next hop.
        AssertOrder(fromOther, lowFromOne, highFromOne);
        AssertOrder(Set(Plain), Set(Plain, med: 1, nextHop: "100.64.0.1"));
    }

    [Fact]
    public void Path_the_router_learned_itself_goes_before_a_reflected_one() =>
        AssertOrder(Set(Plain, nextHop: "100.64.9.9"), Set(Plain, originator: 1));

    [Fact]
    public void Lowest_next_hop_settles_what_is_left() => AssertOrder(Set(Plain, nextHop: "100.64.0.1"), Plain, Set(Plain, nextHop: "100.64.2.1"));

    [Fact]
    public void Order_does_not_depend_on_the_order_of_arrival() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            List<RibPath> paths = [.. Enumerable.Range(0, 6).Select(i => new RibPath(0, (uint)i, Set(
                Plain, localPref: (uint)random.Next(100, 102), med: (uint)random.Next(3), path: AsPath.Sequence((uint)random.Next(1, 3), 9),
                nextHop: $"100.64.{random.Next(3)}.1")))];
            List<RibPath> first = [.. paths];
            BestPath.Order(first);
            RibPath[] shuffled = [.. paths];
            random.Shuffle(shuffled);
            List<RibPath> second = [.. shuffled];
            BestPath.Order(second);

            Assert.Equal(first, second);
            Assert.Equal(first[0], paths[BestPath.Select(paths)]);
        }).QuickCheckThrowOnFailure();

    private static void AssertOrder(params PathAttributes[] expected)
    {
        for (int turn = 0; turn < expected.Length; turn++)
        {
            // Arrival order must not matter: every rotation gives the same result.
            List<RibPath> paths = [.. expected.Select((a, i) => new RibPath(0, (uint)i, a))];
            paths = [.. paths[turn..], .. paths[..turn]];
            BestPath.Order(paths);
            Assert.Equal(expected, paths.Select(p => p.Attributes));
        }
    }

    private static PathAttributes Set(
        PathAttributes from, uint? localPref = null, AsPath? path = null, Origin? origin = null, uint? med = null, uint? originator = null, string? nextHop = null) => new()
        {
            LocalPref = localPref ?? from.LocalPref,
            AsPath = path ?? from.AsPath,
            Origin = origin ?? from.Origin,
            Med = med ?? from.Med,
            OriginatorId = originator ?? from.OriginatorId,
            NextHop = nextHop is null ? from.NextHop : new(IpAddr.Parse(nextHop)),
        };
}
