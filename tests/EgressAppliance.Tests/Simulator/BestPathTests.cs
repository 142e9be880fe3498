using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using EgressAppliance.Simulator.Routing;
using FsCheck;
using FsCheck.Fluent;
using BestPath = EgressAppliance.Simulator.Routing.BestPath;

namespace EgressAppliance.Tests.Simulator;

public class BestPathTests
{
    public static TheoryData<string, string[], int> Table => new()
    {
        { "nothing to choose from", [], -1 },
        { "only one", ["lp=100 path=1,2,3"], 0 },
        { "local preference beats a shorter path", ["lp=100 path=1", "lp=200 path=2,3,4,5 origin=2 ibgp"], 1 },
        { "shorter path", ["path=1,2,3", "path=4,5"], 1 },
        { "a set counts as one", ["path=1,2,3", "path=4,5,6,7 len=2"], 1 },
        { "lower origin", ["path=1,2 origin=2", "path=3,4 origin=1", "path=5,6 origin=0"], 2 },
        { "lower MED of the same neighbour", ["path=1,2 med=20 id=1", "path=1,3 med=10 id=2"], 1 },
        { "absent MED is the lowest", ["path=1,2 med=10 id=1", "path=1,3 id=2"], 1 },
        { "MED of different neighbours is not compared", ["path=1,2 med=20 id=1", "path=4,3 med=10 id=2"], 0 },
        { "MED drops a path that would have won by router id", ["path=1,2 med=20 id=1", "path=4,3 med=30 id=3", "path=1,2 med=10 id=5"], 1 },
        { "external over internal", ["path=1,2 ibgp id=1", "path=3,4 id=9"], 1 },
        { "lowest router id", ["path=1,2 id=9", "path=3,4 id=3", "path=5,6 id=4"], 1 },
        { "lowest peer address", ["path=1,2 id=3 peer=10.0.0.2", "path=3,4 id=3 peer=10.0.0.1"], 1 },
        { "unset entries are skipped", ["-", "path=1,2", "-"], 1 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Select_follows_the_steps_of_rfc_4271(string because, string[] candidates, int expected)
    {
        SimulatedRoute?[] routes = [.. candidates.Select(Parse)];

        Assert.True(BestPath.Select(routes) == expected, because);
    }

    [Fact]
    public void Select_of_any_candidates_does_not_depend_on_their_order()
    {
        Gen<SimulatedRoute> route =
            from lp in Gen.Elements(100u, 200u)
            from neighbor in Gen.Choose(1, 3)
            from length in Gen.Choose(1, 2)
            from origin in Gen.Choose(0, 1)
            from med in Gen.Choose(0, 3)
            from external in Gen.Elements(true, false)
            select new SimulatedRoute
            {
                NextHop = IpAddr.Parse("100.64.1.2"),
                AsPath = [.. Enumerable.Repeat((uint)neighbor, length)],
                LocalPref = lp,
                Origin = (Origin)origin,
                Med = (uint)med,
                IsExternal = external,
            };

        // Peers have distinct addresses, so that there is always one winner.
        Gen<SimulatedRoute[]> sets = Gen.NonEmptyListOf(route).Select(
            l => l.Take(12).Select((r, i) => r with { RouterId = (uint)(i % 3), PeerAddress = IpAddr.FromIPv4((uint)i + 1) }).ToArray());
        Prop.ForAll(sets.ToArbitrary(), set =>
        {
            SimulatedRoute[] turned = [.. set.Reverse()];
            SimulatedRoute best = set[BestPath.Select(set)];
            return best == turned[BestPath.Select(turned)]
                && set.All(r => r.LocalPref <= best.LocalPref)
                && set.Where(r => r.LocalPref == best.LocalPref).All(r => r.SelectionLength >= best.SelectionLength);
        }).QuickCheckThrowOnFailure();
    }

    private static SimulatedRoute? Parse(string text)
    {
        if (text == "-")
        {
            return null;
        }

        SimulatedRoute route = new() { NextHop = IpAddr.Parse("100.64.1.2"), AsPath = [] };
        foreach (string word in text.Split(' '))
        {
            string[] kv = word.Split('=');
            route = kv[0] switch
            {
                "lp" => route with { LocalPref = uint.Parse(kv[1]) },
                "path" => route with { AsPath = [.. kv[1].Split(',').Select(uint.Parse)] },
                "len" => route with { AsPathLength = int.Parse(kv[1]) },
                "origin" => route with { Origin = (Origin)byte.Parse(kv[1]) },
                "med" => route with { Med = uint.Parse(kv[1]) },
                "ibgp" => route with { IsExternal = false },
                "id" => route with { RouterId = uint.Parse(kv[1]) },
                "peer" => route with { PeerAddress = IpAddr.Parse(kv[1]) },
                _ => throw new FormatException(word),
            };
        }

        return route;
    }
}
