using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class BestPathExplanationTests
{
    [Fact]
    public void Explain_names_the_step_at_which_each_path_lost()
    {
        RibPath best = Path(0, 1);
        (RibPath Path, BestPathStep Step)[] cases =
        [
            (best, BestPathStep.Best),
            (Path(0, 2, localPref: 99), BestPathStep.LocalPref),
            (Path(0, 3, path: AsPath.Sequence(64501, 64500, 64999)), BestPathStep.AsPathLength),
            (Path(0, 4, origin: Origin.Egp), BestPathStep.Origin),
            (Path(0, 5, med: 1), BestPathStep.Med),
            (Path(0, 6, originator: 9), BestPathStep.Reflected),
            (Path(0, 7, clusters: 1), BestPathStep.ClusterListLength),
            (Path(0, 8, nextHop: "100.64.1.3"), BestPathStep.NextHop),
            (Path(1, 1), BestPathStep.Peer),
            (Path(0, 9), BestPathStep.PathId),
        ];
        Assert.Equal(cases.Select(c => c.Step), BestPathExplanation.Explain([.. cases.Select(c => c.Path)]));
    }

    [Fact]
    public void Explain_among_reflected_paths_names_the_originator() =>
        Assert.Equal(
            [BestPathStep.OriginatorId, BestPathStep.Best],
            BestPathExplanation.Explain([Path(0, 1, originator: 9), Path(0, 2, originator: 8)]));

    [Fact]
    public void Explain_of_no_paths_is_empty() => Assert.Empty(BestPathExplanation.Explain([]));

    [Fact]
    public void Explain_and_the_selection_agree_on_the_best() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            RibPath[] paths = [.. Enumerable.Range(0, random.Next(1, 9)).Select(i => Path(
                random.Next(3), (uint)i, localPref: random.Next(4) == 0 ? null : (uint)random.Next(99, 102), path: AsPath.Sequence([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => (uint)random.Next(1, 3))]),
                origin: (Origin)random.Next(3), med: random.Next(3) == 0 ? null : (uint)random.Next(3), originator: random.Next(2) == 0 ? null : (uint)random.Next(3),
                clusters: random.Next(2), nextHop: $"100.64.{random.Next(3)}.1"))];
            IReadOnlyList<BestPathStep> steps = BestPathExplanation.Explain(paths);
            Assert.Equal(BestPath.Select(paths), Assert.Single(Enumerable.Range(0, paths.Length), i => steps[i] == BestPathStep.Best));
        }).QuickCheckThrowOnFailure();

    private static RibPath Path(
        int peer, uint pathId, uint? localPref = null, AsPath? path = null, Origin origin = Origin.Igp, uint? med = null, uint? originator = null, int clusters = 0,
        string nextHop = "100.64.1.2") => new(peer, pathId, new PathAttributes
        {
            LocalPref = localPref,
            AsPath = path ?? AsPath.Sequence(64501, 64999),
            Origin = origin,
            Med = med,
            OriginatorId = originator,
            ClusterList = [.. new uint[clusters]],
            NextHop = new(IpAddr.Parse(nextHop)),
        });
}
