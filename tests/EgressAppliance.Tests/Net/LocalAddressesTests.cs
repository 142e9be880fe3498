using System.Net.NetworkInformation;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

public class LocalAddressesTests
{
    [Fact]
    public void The_loopback_address_is_one_of_them() => Assert.Contains(IpAddr.Parse("127.0.0.1"), LocalAddresses.Read());

    [Fact]
    public void Reads_again_when_an_interface_vanishes_meanwhile()
    {
        int calls = 0;

        IReadOnlyList<IpAddr> read = LocalAddresses.Read(() => ++calls < 4 ? throw new NetworkInformationException() : [IpAddr.Parse("192.0.2.1")]);

        Assert.Equal("192.0.2.1", Assert.Single(read).ToString());
        Assert.Equal(4, calls);
    }

    [Fact]
    public void Gives_up_in_the_end()
    {
        int calls = 0;

        Assert.Throws<NetworkInformationException>(() => LocalAddresses.Read(() =>
        {
            calls++;
            throw new NetworkInformationException();
        }));
        Assert.Equal(10, calls);
    }
}
