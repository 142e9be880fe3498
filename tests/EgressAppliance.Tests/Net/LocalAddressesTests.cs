using System.Net;
using System.Net.NetworkInformation;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Net;

public sealed class LocalAddressesTests
{
    private static readonly IPAddress[] Some = [IPAddress.Parse("192.0.2.1")];

    [Fact]
    public void All_are_those_of_this_machine() => Assert.Contains(IPAddress.Loopback, LocalAddresses.All());

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    public void All_reads_again_when_an_interface_vanishes_meanwhile(int failures)
    {
        int reads = 0;

        IReadOnlyList<IPAddress> all = LocalAddresses.All(() => reads++ >= failures ? Some
            : throw (reads % 2 == 0 ? new NetworkInformationException(19) : new ArgumentException("An invalid IP address was specified.")));

        Assert.Equal(Some, all);
        Assert.Equal(failures + 1, reads);
    }

    [Fact]
    public void All_gives_up_with_words_when_no_attempt_succeeds()
    {
        int reads = 0;

        IOException e = Assert.Throws<IOException>(() => LocalAddresses.All(() =>
        {
            reads++;
            throw new NetworkInformationException(19);
        }));

        Assert.Equal(10, reads);
        Assert.Contains("10 attempts failed: " + new NetworkInformationException(19).Message, e.Message, StringComparison.Ordinal);
        Assert.IsType<NetworkInformationException>(e.InnerException);
    }

    [Fact]
    public void All_hides_no_other_failure()
    {
        int reads = 0;

        Assert.Throws<InvalidOperationException>(() => LocalAddresses.All(() =>
        {
            reads++;
            throw new InvalidOperationException();
        }));

        Assert.Equal(1, reads);
    }
}
