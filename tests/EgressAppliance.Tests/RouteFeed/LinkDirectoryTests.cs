using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.RouteFeed;

public sealed class LinkDirectoryTests
{
    private readonly LinkDirectory _links = new([Bench.MakeLink(1, "a", "100.64.1.2", "2001:db8:1::2"), Bench.MakeLink(2, "b", "100.64.2.2", "100.64.2.3")]);

    [Fact]
    public void Lookup_by_number_name_and_next_hop()
    {
        Assert.Equal("b", _links[new LinkId(2)]!.Name);
        Assert.Null(_links[LinkId.None]);
        Assert.Null(_links[new LinkId(3)]);
        Assert.Equal(1, _links.ByName("a")!.Id.Value);
        Assert.Null(_links.ByName("c"));
        Assert.Equal("a", _links.Of(FakeSpeaker.Path("2001:db8:1::2"))!.Name);
        Assert.Null(_links.Of(FakeSpeaker.Path("10.0.0.1")));
        Assert.Equal(["a", "b"], _links.Names);
        Assert.Equal(4, _links.NextHops.Count);
    }

    [Fact]
    public void LinksOf_keeps_the_order_of_paths_names_each_link_once_and_leaves_unknown_next_hops_out()
    {
        Assert.Equal(["b", "a"], _links.LinksOf([.. new[] { "100.64.2.3", "10.0.0.1", "100.64.2.2", "100.64.1.2" }.Select(n => FakeSpeaker.Path(n))]));
        Assert.Empty(_links.LinksOf([]));
    }

    [Fact]
    public void PrefersConfigured_looks_at_the_first_path_only()
    {
        Assert.True(_links.PrefersConfigured([FakeSpeaker.Path("100.64.1.2"), FakeSpeaker.Path("10.0.0.1")]));
        Assert.False(_links.PrefersConfigured([FakeSpeaker.Path("10.0.0.1"), FakeSpeaker.Path("100.64.1.2")]));
        Assert.False(_links.PrefersConfigured([]));
    }

    [Fact]
    public void NextHopFor_is_the_first_learned_one_of_the_link()
    {
        Assert.Equal(IpAddr.Parse("100.64.2.3"), _links.NextHopFor("b", [FakeSpeaker.Path("100.64.1.2"), FakeSpeaker.Path("100.64.2.3"), FakeSpeaker.Path("100.64.2.2")]));
        Assert.Null(_links.NextHopFor("b", [FakeSpeaker.Path("100.64.1.2")]));
    }
}
