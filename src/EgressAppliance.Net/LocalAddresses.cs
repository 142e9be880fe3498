using System.Net;
using System.Net.NetworkInformation;

namespace EgressAppliance.Net;

/// <summary>The addresses of this machine's interfaces.</summary>
public static class LocalAddresses
{
    private const int Attempts = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// The unicast addresses of all interfaces, up or down, as they are at this moment. Blocks for a tenth of a second at most.
    /// </summary>
    /// <remarks>
    /// .NET lists the interfaces first and then asks for each by its name. One that is removed in between (a container that ends, a tunnel that goes down)
    /// fails the whole call, by <see cref="NetworkInformationException"/> or, when the interface has lost its addresses but is still there, by
    /// <see cref="ArgumentException"/> ("an invalid IP address"). So the call is made again: an interface of somebody else's must not keep this process from starting.
    /// </remarks>
    /// <exception cref="IOException">Every attempt failed; the message says how the last one did.</exception>
    public static IReadOnlyList<IPAddress> All() => All(Read);

    /// <summary>The same with the reading given, which fails as .NET's does.</summary>
    internal static IReadOnlyList<IPAddress> All(Func<IReadOnlyList<IPAddress>> read)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return read();
            }
            catch (Exception e) when (IsRace(e) && attempt == Attempts)
            {
                throw new IOException($"the addresses of this machine's interfaces cannot be read, {Attempts} attempts failed: {e.Message}", e);
            }
            catch (Exception e) when (IsRace(e))
            {
                // Interfaces come and go in groups: the next attempt finds the group gone rather than going.
                Thread.Sleep(Pause);
            }
        }
    }

    private static bool IsRace(Exception e) => e is NetworkInformationException or ArgumentException;

    private static IReadOnlyList<IPAddress> Read() =>
        [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)];
}
