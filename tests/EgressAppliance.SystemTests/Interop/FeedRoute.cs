using System.Collections.Immutable;
using System.Globalization;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>A route as a provider announces it to the router.</summary>
/// <param name="Prefix">Its prefix.</param>
/// <param name="Provider">1 for A, 2 for B.</param>
/// <param name="AsPath">AS_PATH, the provider first.</param>
/// <param name="Med">MED, or null.</param>
/// <param name="Communities">Communities.</param>
/// <param name="LargeCommunities">Large communities.</param>
internal sealed record FeedRoute(
    IpPrefix Prefix, int Provider, ImmutableArray<uint> AsPath, uint? Med, ImmutableArray<uint> Communities, ImmutableArray<LargeCommunity> LargeCommunities)
{
    /// <summary>AS of provider A.</summary>
    public const uint ProviderA = 64501;

    /// <summary>AS of provider B.</summary>
    public const uint ProviderB = 64502;

    // An AS that does not fit two octets: whoever mishandles 4-octet numbers shows AS_TRANS here.
    private const uint Transit = 4_200_000_900;
    private const uint FirstOrigin = 4_200_001_000;

    /// <summary>AS number of a provider.</summary>
    public static uint ProviderAs(int provider) => provider == 1 ? ProviderA : ProviderB;

    /// <summary>The test prefix of that number: 20.1.N.0/24 and so on, or 2a00:N::/48. (ExaBGP 4.2.21 refuses an IPv4 peer beside an IPv6 route of length 32.)</summary>
    public static IpPrefix PrefixOf(IpFamily family, int number) => IpPrefix.Parse(
        family == IpFamily.IPv4
            ? string.Create(CultureInfo.InvariantCulture, $"20.{1 + (number >> 8)}.{number & 255}.0/24")
            : string.Create(CultureInfo.InvariantCulture, $"2a00:{1 + number:x}::/48"),
        CultureInfo.InvariantCulture);

    /// <summary>The route of a provider to a test prefix. A's path is one AS shorter, so that A is best everywhere; origins differ from prefix to prefix.</summary>
    public static FeedRoute Of(int provider, IpFamily family, int number)
    {
        uint origin = FirstOrigin + (uint)number;
        return provider == 1
            ? new FeedRoute(
                PrefixOf(family, number), 1, [ProviderA, Transit, origin], 70, [(ProviderA << 16) | 100, (ProviderA << 16) | 4000],
                [new(Transit, 1, 4_000_000_000), new(ProviderA, 2, 3)])
            : new FeedRoute(PrefixOf(family, number), 2, [ProviderB, 64800, Transit, origin], null, [(ProviderB << 16) | 200], []);
    }

    /// <summary>The same as path attributes, with the provider's address as next hop.</summary>
    public PathAttributes Attributes(InteropAddresses addresses) => new()
    {
        AsPath = Bgp.Rib.AsPath.Sequence(AsPath.AsSpan()),
        Med = Med,
        Communities = Communities,
        LargeCommunities = LargeCommunities,
        NextHop = new NextHop(
            addresses.Provider(Provider, Prefix.Family),
            Prefix.Family == IpFamily.IPv6 ? IpAddr.Parse($"fe80::{Provider + 2}", CultureInfo.InvariantCulture) : default),
    };
}
