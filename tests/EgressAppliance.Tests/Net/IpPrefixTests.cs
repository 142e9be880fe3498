using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Net;

public class IpPrefixTests
{
    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("192.0.2.0/24")]
    [InlineData("192.0.2.1/32")]
    [InlineData("::/0")]
    [InlineData("2001:db8::/32")]
    [InlineData("2001:db8:0:0:8000::/65")]
    [InlineData("2001:db8::1/128")]
    public void TryParse_prefix_comes_back_as_text(string text)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix));
        Assert.Equal(text, prefix.ToString());
        char[] room = new char[64];
        Assert.True(prefix.TryFormat(room, out int written, default, null));
        Assert.Equal(text, new string(room, 0, written));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/24")]
    [InlineData("192.0.2.0")]
    [InlineData("192.0.2.0/")]
    [InlineData("192.0.2.0/33")]
    [InlineData("192.0.2.0/-1")]
    [InlineData("192.0.2.0/+8")]
    [InlineData("192.0.2.0/ 24")]
    [InlineData("192.0.2.0/0024")]
    [InlineData("192.0.2.0/24/24")]
    [InlineData("192.0.2.1/24")]
    [InlineData("192.0.2/24")]
    [InlineData("2001:db8::/129")]
    [InlineData("2001:db8::1/64")]
    [InlineData("2001:db8::1/127")]
    [InlineData("2001:db8::/999")]
    public void TryParse_anything_else_is_refused(string text)
    {
        Assert.False(IpPrefix.TryParse(text, out IpPrefix prefix));
        Assert.True(prefix.IsDefault);
        Assert.Throws<FormatException>(() => IpPrefix.Parse(text));
    }

    [Fact]
    public void Create_every_length_clears_exactly_the_host_bits()
    {
        foreach (IpAddr address in (IpAddr[])[IpAddr.FromIPv4(uint.MaxValue), IpAddr.FromIPv6(ulong.MaxValue, ulong.MaxValue)])
        {
            for (int length = 0; length <= address.BitLength; length++)
            {
                IpPrefix prefix = IpPrefix.Create(address, length);
                Assert.Equal(length, prefix.Length);
                Assert.Equal(
                    Enumerable.Range(0, address.BitLength).Select(i => i < length),
                    Enumerable.Range(0, address.BitLength).Select(prefix.Address.Bit));
                Assert.True(prefix.Contains(address));
                Assert.Equal(prefix, IpPrefix.Parse(prefix.ToString()));
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => IpPrefix.Create(address, address.BitLength + 1));
            Assert.Throws<ArgumentOutOfRangeException>(() => IpPrefix.Create(address, -1));
        }
    }

    [Fact]
    public void Contains_random_prefixes_equals_comparing_bits()
    {
        Gen<IpPrefix> prefixes = PrefixGenerators.Family().SelectMany(PrefixGenerators.Prefix);
        Prop.ForAll(prefixes.ToArbitrary(), prefixes.ToArbitrary(), (a, b) =>
        {
            bool inside = a.Family == b.Family && b.Length >= a.Length
                && Enumerable.Range(0, a.Length).All(i => a.Address.Bit(i) == b.Address.Bit(i));
            Assert.Equal(inside, a.Contains(b));
            Assert.Equal(inside && a != b, a.Contains(b) && a < b);
            Assert.Equal(a == b, a.CompareTo(b) == 0);
            Assert.True(a != b || a.GetHashCode() == b.GetHashCode());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Default_value_is_no_prefix()
    {
        Assert.True(default(IpPrefix).IsDefault);
        Assert.Equal("-", default(IpPrefix).ToString());
        Assert.NotEqual(default, IpPrefix.Parse("::/0"));
    }
}
