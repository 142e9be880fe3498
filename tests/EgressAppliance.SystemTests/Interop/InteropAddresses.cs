using System.Globalization;
using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// The addresses of one bed: a /28 of 198.18.0.0/15 (RFC 2544, used nowhere else) and a /64, with host 1 for the router, 2 for the speaker, 3 and 4
/// for providers A and B.
/// </summary>
/// <param name="Block">Which /28, 0 to 8191.</param>
internal sealed record InteropAddresses(int Block)
{
    /// <summary>Length of the IPv4 network.</summary>
    public const int Length4 = 28;

    /// <summary>Length of the IPv6 network.</summary>
    public const int Length6 = 64;

    private const int Blocks = 8192;
    private const uint Base = (198u << 24) | (18u << 16);

    /// <summary>The router's IPv4 address.</summary>
    public string Router4 => Host4(1);

    /// <summary>The router's IPv6 address.</summary>
    public string Router6 => Host6(1);

    /// <summary>Our IPv4 address.</summary>
    public string Speaker4 => Host4(2);

    /// <summary>Our IPv6 address.</summary>
    public string Speaker6 => Host6(2);

    /// <summary>The router's address of the session with us.</summary>
    public string Router(InteropOptions options) => options.OverIPv6 ? Router6 : Router4;

    /// <summary>Our address of the session.</summary>
    public string Speaker(InteropOptions options) => options.OverIPv6 ? Speaker6 : Speaker4;

    /// <summary>A provider's IPv4 address.</summary>
    public string Provider4(int provider) => Host4(2 + provider);

    /// <summary>A provider's IPv6 address.</summary>
    public string Provider6(int provider) => Host6(2 + provider);

    /// <summary>A provider's address of a family.</summary>
    public IpAddr Provider(int provider, IpFamily family) =>
        IpAddr.Parse(family == IpFamily.IPv4 ? Provider4(provider) : Provider6(provider));

    /// <summary>A block that no interface of this machine has an address of; other runs may be going on beside this one.</summary>
    public static InteropAddresses Allocate(int number)
    {
        uint[] used = [.. LocalAddresses.All().Select(IpAddr.From).Where(address => address.Family == IpFamily.IPv4).Select(address => address.IPv4Value)];
        for (int i = 0; i < Blocks; i++)
        {
            int block = (int)(((Environment.ProcessId * 64L) + number + i) % Blocks);
            uint first = Base + ((uint)block << (32 - Length4));
            if (!used.Any(address => address >> (32 - Length4) == first >> (32 - Length4)))
            {
                return new InteropAddresses(block);
            }
        }

        throw new InvalidOperationException("no free network in 198.18.0.0/15");
    }

    private string Host4(int host) => IpAddr.FromIPv4(Base + ((uint)Block << (32 - Length4)) + (uint)host).ToString();

    private string Host6(int host) => IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"2001:db8:1800:{Block:x}::{host:x}")).ToString();
}
