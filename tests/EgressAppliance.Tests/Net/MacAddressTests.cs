using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

public class MacAddressTests
{
    [Theory]
    [InlineData("02:00:00:00:0a:02")]
    [InlineData("02-00-00-00-0A-02")]
    [InlineData("0200.0000.0a02")]
    public void TryParse_each_notation_gives_the_same_address(string text)
    {
        Assert.True(MacAddress.TryParse(text, out MacAddress mac));
        Assert.Equal(0x0200_0000_0A02ul, mac.Value);
        Assert.Equal("02:00:00:00:0a:02", mac.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("02:00:00:00:0a")]
    [InlineData("02:00:00:00:0a:0")]
    [InlineData("02:00:00:00:0a:0g")]
    [InlineData("02:00-00:00:0a:02")]
    [InlineData("02.00.00.00.0a.02")]
    [InlineData("0200:0000:0a02")]
    [InlineData("0200.0000-0a02")]
    [InlineData("020000000a02")]
    [InlineData("02:00:00:00:0a:02:")]
    [InlineData("0x:00:00:00:0a:02")]
    [InlineData("+2:00:00:00:0a:02")]
    [InlineData(" 2:00:00:00:0a:02")]
    public void TryParse_anything_else_is_refused(string text)
    {
        Assert.False(MacAddress.TryParse(text, out MacAddress mac));
        Assert.Equal(default, mac);
    }

    [Fact]
    public void WriteBytes_is_the_reverse_of_FromBytes()
    {
        byte[] bytes = [0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54];
        MacAddress mac = MacAddress.FromBytes(bytes);
        Assert.Equal(0xFEDC_BA98_7654ul, mac.Value);
        byte[] written = new byte[6];
        mac.WriteBytes(written);
        Assert.Equal(bytes, written);
        Assert.Equal("ff:ff:ff:ff:ff:ff", new MacAddress(0xFFFF_FFFF_FFFF).ToString());
    }
}
