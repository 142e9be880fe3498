using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

public class PackedPrefixTests
{
    [Theory]
    [InlineData("0.0.0.0/0", true)]
    [InlineData("255.255.255.255/32", true)]
    [InlineData("192.0.2.0/24", true)]
    [InlineData("::/0", true)]
    [InlineData("ffff:ffff:ffff:ff00::/56", true)]
    [InlineData("2001:db8::/56", true)]
    [InlineData("2001:db8::/57", false)]
    [InlineData("::/128", false)]
    public void TryPack_then_Unpack_gives_the_prefix_unless_it_is_too_long(string text, bool fits)
    {
        IpPrefix prefix = IpPrefix.Parse(text);
        Assert.Equal(fits, PackedPrefix.TryPack(prefix, out ulong word));
        Assert.Equal(fits ? prefix : PackedPrefix.Unpack(word), PackedPrefix.Unpack(word));
        Assert.False(fits && PackedPrefix.IsUnpacked(word));
    }

    [Fact]
    public void Unpack_of_no_prefix_is_default()
    {
        Assert.True(PackedPrefix.Unpack(0).IsDefault);
        Assert.True(PackedPrefix.Unpack(PackedPrefix.Unpacked | (77 << 2)).IsDefault);
    }

    [Fact]
    public void Words_of_a_family_are_ordered_as_its_prefixes()
    {
        Random random = new(5);
        foreach (IpFamily family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            int longest = family == IpFamily.IPv4 ? 32 : 56;
            IpPrefix[] prefixes = [.. Enumerable.Range(0, 500).Select(_ => IpPrefix.Create(IpAddr.FromBits(family, (ulong)random.NextInt64() << random.Next(60), 0), random.Next(longest + 1)))];
            Assert.Equal(prefixes.Order(), prefixes.OrderBy(p => PackedPrefix.TryPack(p, out ulong word) ? word : 0));
        }
    }
}
