using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

public class ObjectIdentifierTests
{
    [Theory]
    [InlineData("1.3.6.1", "1.3.6.1")]
    [InlineData(".1.3.6.1.4294967295", "1.3.6.1.4294967295")]
    [InlineData("0.0", "0.0")]
    [InlineData("2.4294967215", "2.4294967215")]
    public void TryParse_valid_text_round_trips(string text, string shown)
    {
        Assert.True(ObjectIdentifier.TryParse(text, out ObjectIdentifier oid));
        Assert.Equal(shown, oid.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.")]
    [InlineData("1..3")]
    [InlineData("1.3.-1")]
    [InlineData("1.3.4294967296")]
    [InlineData("1.40")]
    [InlineData("3.1")]
    [InlineData("2.4294967216")]
    [InlineData("iso.3")]
    public void TryParse_invalid_text_is_refused(string text)
    {
        Assert.False(ObjectIdentifier.TryParse(text, out _));
        Assert.Throws<FormatException>(() => ObjectIdentifier.Parse(text));
    }

    [Fact]
    public void TryParse_more_than_128_arcs_is_refused()
    {
        Assert.True(ObjectIdentifier.TryParse("1.3" + string.Concat(Enumerable.Repeat(".1", 126)), out _));
        Assert.False(ObjectIdentifier.TryParse("1.3" + string.Concat(Enumerable.Repeat(".1", 127)), out _));
    }

    [Theory]
    [InlineData("1.3.6", "1.3.6.1", -1)]
    [InlineData("1.3.6.2", "1.3.6.10", -1)]
    [InlineData("1.3.6.10", "1.3.6.10", 0)]
    [InlineData("1.3.7", "1.3.6.10.1", 1)]
    public void CompareTo_orders_arc_by_arc(string left, string right, int sign)
    {
        Assert.Equal(sign, Math.Sign(ObjectIdentifier.Parse(left).CompareTo(ObjectIdentifier.Parse(right))));
    }

    [Fact]
    public void IsWithin_knows_the_subtree()
    {
        ObjectIdentifier root = ObjectIdentifier.Parse("1.3.6.1.2");
        Assert.True(root.Append(5, 0).IsWithin(root));
        Assert.True(root.IsWithin(root));
        Assert.False(ObjectIdentifier.Parse("1.3.6.1.20").IsWithin(root));
        Assert.Equal(0u, root.Append(5, 0).Last);
    }

    [Fact]
    public void Default_is_zeroDotZero()
    {
        Assert.Equal(ObjectIdentifier.Parse("0.0"), default);
        Assert.Equal(ObjectIdentifier.Parse("0.0").GetHashCode(), default(ObjectIdentifier).GetHashCode());
    }
}
