using System.Net;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Net;

public class IpAddrTests
{
    [Theory]
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("255.255.255.255", "255.255.255.255")]
    [InlineData("::", "::")]
    [InlineData("2001:DB8:0:0:0:0:0:1", "2001:db8::1")]
    [InlineData("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1")]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
    public void TryParse_address_gives_canonical_text(string text, string canonical)
    {
        Assert.True(IpAddr.TryParse(text, out IpAddr address));
        Assert.Equal(canonical, address.ToString());
        Assert.Equal(address, IpAddr.Parse(canonical));
        Assert.Equal(canonical.Contains(':', StringComparison.Ordinal) ? IpFamily.IPv6 : IpFamily.IPv4, address.Family);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.")]
    [InlineData("1..2.3")]
    [InlineData("0x1.2.3.4")]
    [InlineData("010.0.0.1")]
    [InlineData("1.2.3.00")]
    [InlineData(" 1.2.3.4")]
    [InlineData("1.2.3.4 ")]
    [InlineData("1.2.3.4:80")]
    [InlineData("fe80::1%eth0")]
    [InlineData("[::1]")]
    [InlineData("[::1]:80")]
    [InlineData("::1/64")]
    [InlineData(":::")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("::12345")]
    [InlineData("::ffff:192.0.2")]
    [InlineData(" ::1")]
    [InlineData("::1 ")]
    [InlineData("example.net")]
    public void TryParse_anything_else_is_refused(string text)
    {
        Assert.False(IpAddr.TryParse(text, out IpAddr address));
        Assert.True(address.IsDefault);
        Assert.Throws<FormatException>(() => IpAddr.Parse(text));
    }

    [Fact]
    public void Conversions_random_address_comes_back()
    {
        Prop.ForAll(Addresses(), address =>
        {
            byte[] bytes = new byte[16];
            int written = address.WriteBytes(bytes);
            Assert.Equal(address.BitLength / 8, written);
            Assert.Equal(address, IpAddr.FromBytes(bytes.AsSpan(0, written)));
            Assert.Equal(address, IpAddr.Parse(address.ToString()));
            Assert.Equal(new IPAddress(bytes.AsSpan(0, written)), address.ToIPAddress());
            Assert.Equal(address, IpAddr.FromBits(address.Family, address.High, address.Low));
            for (int bit = 0; bit < address.BitLength; bit++)
            {
                Assert.Equal((bytes[bit / 8] >> (7 - (bit % 8)) & 1) != 0, address.Bit(bit));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void CompareTo_orders_by_family_then_bytes()
    {
        Prop.ForAll(Addresses(), Addresses(), (a, b) =>
        {
            byte[] x = [(byte)a.Family, .. a.ToIPAddress().GetAddressBytes()];
            byte[] y = [(byte)b.Family, .. b.ToIPAddress().GetAddressBytes()];
            Assert.Equal(Math.Sign(x.AsSpan().SequenceCompareTo(y)), Math.Sign(a.CompareTo(b)));
            Assert.Equal(a == b, a.CompareTo(b) == 0);
            Assert.Equal((a < b, a <= b, a > b, a >= b), (b > a, b >= a, b < a, b <= a));
            Assert.True(a != b || a.GetHashCode() == b.GetHashCode());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void FromBytes_of_another_size_is_refused()
    {
        Assert.Throws<ArgumentException>(() => IpAddr.FromBytes(new byte[5]));
        Assert.Throws<ArgumentException>(() => IpAddr.FromBytes([]));
    }

    [Fact]
    public void From_mapped_and_scoped_framework_addresses_are_plain()
    {
        Assert.Equal(IpAddr.Parse("192.0.2.1"), IpAddr.From(IPAddress.Parse("::ffff:192.0.2.1")));
        Assert.Equal(IpAddr.Parse("fe80::1"), IpAddr.From(IPAddress.Parse("fe80::1%3")));
    }

    [Fact]
    public void Default_value_is_no_address()
    {
        Assert.True(default(IpAddr).IsDefault);
        Assert.Equal("-", default(IpAddr).ToString());
        Assert.NotEqual(default, IpAddr.Parse("::"));
        Assert.NotEqual(IpAddr.Parse("0.0.0.0"), IpAddr.Parse("::"));
    }

    [Fact]
    public void TryFormat_without_room_writes_nothing()
    {
        Assert.False(IpAddr.Parse("192.0.2.1").TryFormat(new char[8], out int written, default, null));
        Assert.Equal(0, written);
        char[] room = new char[9];
        Assert.True(IpAddr.Parse("192.0.2.1").TryFormat(room, out written, default, null));
        Assert.Equal("192.0.2.1", new string(room, 0, written));
    }

    private static Arbitrary<IpAddr> Addresses() => (
        from family in PrefixGenerators.Family()
        from bits in Gen.Choose(int.MinValue, int.MaxValue).ArrayOf(4)
        from near in PrefixGenerators.Address(family)
        from which in Gen.Choose(0, 1)
        select which == 0 ? near : IpAddr.FromBits(
            family,
            (ulong)(uint)bits[0] << 32 | (uint)bits[1],
            (ulong)(uint)bits[2] << 32 | (uint)bits[3])).ToArbitrary();
}
