using EgressAppliance.Host.Config;

namespace EgressAppliance.Tests.Configuration;

public sealed class NearestNameTests
{
    [Theory]
    [InlineData("treshold", "threshold")]
    [InlineData("thershold", "threshold")]
    [InlineData("Ceiling", "ceiling")]
    [InlineData("next-hops", "next_hops")]
    [InlineData("community", "community_file")]
    [InlineData("xyzzy", null)]
    public void Find_gives_what_was_meant(string name, string? expected) =>
        Assert.Equal(expected, NearestName.Find(name, ["threshold", "ceiling", "release", "next_hops", "community_file"]));

    [Theory]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "acb", 1)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ABC", "abc", 0)]
    public void Distance_counts_edits(string left, string right, int expected)
    {
        Assert.Equal(expected, NearestName.Distance(left, right));
        Assert.Equal(expected, NearestName.Distance(right, left));
    }
}
