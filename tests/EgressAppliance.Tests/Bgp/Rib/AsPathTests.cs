using EgressAppliance.Bgp.Rib;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class AsPathTests
{
    [Fact]
    public void Path_knows_its_length_ends_and_text()
    {
        var path = AsPath.FromSegments([
            new(AsSegmentType.ConfedSequence, [65100]), new(AsSegmentType.Sequence, [64501, 4200000000]), new(AsSegmentType.Set, [7, 8])]);

        Assert.Equal(3, path.Length);
        Assert.Equal(64501u, path.NeighborAs);
        Assert.Equal(0u, path.OriginAs);
        Assert.Equal("(65100) 64501 4200000000 {7,8}", path.ToString());
        Assert.True(path.Contains(8));
        Assert.False(path.Contains(9));
        Assert.True(path.HasConfedSegment);
        Assert.Equal(64999u, AsPath.Sequence(64501, 64999).OriginAs);
        Assert.True(AsPath.Empty.IsEmpty);
        Assert.Equal(0u, AsPath.Empty.OriginAs);
    }

    [Fact]
    public void Sequence_longer_than_a_segment_is_split()
    {
        var path = AsPath.Sequence([.. Enumerable.Range(1, 300).Select(i => (uint)i)]);

        Assert.Equal([255, 45], path.Segments.Select(s => s.Numbers.Count));
        Assert.Equal(300, path.Length);
        Assert.Equal(300u, path.OriginAs);
    }

    [Theory]
    [InlineData("0201")] // truncated
    [InlineData("0200")] // empty segment
    [InlineData("05010000fde9")] // unknown kind
    [InlineData("02010000000002")] // octet left over
    [InlineData("020100000000")] // AS 0
    public void TryDecode_refuses_malformed_paths(string hex) => Assert.False(AsPath.TryDecode(Convert.FromHexString(hex), fourOctet: true, out _));

    [Theory]
    [InlineData("23456 64500", "4200000001 64500", "4200000001 64500")]
    [InlineData("65001 23456 64500", "4200000001 64500", "65001 4200000001 64500")]
    [InlineData("64500", "4200000001 64500", "64500")]
    public void Merge_puts_the_four_octet_tail_behind_the_head(string narrow, string wide, string expected) =>
        Assert.Equal(expected, AsPath.Merge(Parse(narrow), Parse(wide)).ToString());

    private static AsPath Parse(string text) => AsPath.Sequence([.. text.Split(' ').Select(uint.Parse)]);
}
