using System.Net.NetworkInformation;

namespace EgressAppliance.Net;

/// <summary>The addresses of this machine's interfaces.</summary>
public static class LocalAddresses
{
    /// <summary>An interface that comes or goes takes milliseconds; one more than a few in a row would be a storm of them.</summary>
    private const int Tries = 10;

    /// <summary>Reads them as they are now.</summary>
    /// <exception cref="NetworkInformationException">The system does not tell, ten times in a row.</exception>
    public static IReadOnlyList<IpAddr> Read() => Read(
        () => [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => IpAddr.From(a.Address))]);

    /// <summary>
    /// Reads by <paramref name="read"/>, and again if it fails: the framework lists the interfaces and then asks for each, so one that vanishes in between (a
    /// tunnel, a container's veth) makes it throw although nothing is wrong.
    /// </summary>
    internal static IReadOnlyList<IpAddr> Read(Func<IReadOnlyList<IpAddr>> read)
    {
        for (int left = Tries - 1; ; left--)
        {
            try
            {
                return read();
            }
            catch (NetworkInformationException) when (left > 0)
            {
                // At the end the last failure is the caller's.
            }
        }
    }
}
