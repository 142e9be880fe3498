using System.Collections.Immutable;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Bgp.Feed;

/// <summary>
/// Attribute sets as a router of a transit network sends them: AS paths of three to seven hops over a few large carriers, many networks below them and
/// some ten thousand origins, a good part of the paths seen before; communities of the carrier on most, MED on some.
/// </summary>
internal sealed class RouteAttributes
{
    private const int Carriers = 12;
    private const int Networks = 400;
    private const int Regionals = 6000;
    private const int Origins = 75_000;

    /// <summary>Of how many sets in a hundred the AS path was used before.</summary>
    private const int RepeatedPercent = 40;

    // Hops between the sender's neighbour and the origin, so that paths have 3 to 7 hops.
    private static readonly int[] HopsBetween = [0, 1, 1, 1, 1, 2, 2, 2, 3, 4];

    private readonly FeedOptions _options;
    private readonly Random _random;
    private readonly uint[] _numbers;
    private readonly List<AsPath>[] _used;

    public RouteAttributes(FeedOptions options, Random random)
    {
        _options = options;
        _random = random;
        HashSet<uint> numbers = [];
        while (numbers.Count < Carriers + Networks + Regionals + Origins)
        {
            // Public numbers only; six in ten of two octets, as in the table of today.
            uint number = random.Next(10) < 6 ? (uint)random.Next(100, 64_000) : (uint)random.Next(131_072, 402_000);
            if (number != BgpConstants.AsTrans)
            {
                numbers.Add(number);
            }
        }

        _numbers = [.. numbers];
        random.Shuffle(_numbers);
        _used = [.. Enumerable.Range(0, options.Paths).Select(_ => new List<AsPath>())];
    }

    /// <summary>Different AS paths made.</summary>
    public int AsPathCount => _used.Sum(used => used.Distinct().Count());

    /// <summary>The next hop of the n-th path of a family: an address in the sender's subnet.</summary>
    public static NextHop NextHopOf(IpFamily family, int path) => family == IpFamily.IPv4
        ? new(IpAddr.FromIPv4(0xC633_6402 + (uint)path)) // 198.51.100.2, .3, …
        : new(IpAddr.FromIPv6(0x2001_0DB8_00FF_0000, 2 + (ulong)path)); // 2001:db8:ff::2, ::3, …

    /// <summary>Another set, for the n-th path of some prefixes.</summary>
    public PathAttributes Next(IpFamily family, int path)
    {
        AsPath asPath = NextAsPath(path);
        uint carrier = asPath.NeighborAs & 0xFFFF;
        return new()
        {
            Origin = _random.Next(100) < 92 ? Origin.Igp : Origin.Incomplete,
            AsPath = asPath,
            NextHop = NextHopOf(family, path),
            Med = _random.Next(100) < 12 ? (uint)_random.Next(1, 200) : null,
            LocalPref = _options.Internal ? 100 : null,
            AtomicAggregate = _random.Next(100) < 3,
            Aggregator = _random.Next(100) < 4 ? new(asPath.OriginAs, IpAddr.FromIPv4((uint)_random.Next(0x0B00_0000, 0x7F00_0000))) : null,
            Communities = NextCommunities(carrier),
            LargeCommunities = _random.Next(100) < 8 ? [new(asPath.NeighborAs, (uint)_random.Next(1, 50), (uint)_random.Next(1, 100))] : [],
        };
    }

    private AsPath NextAsPath(int path)
    {
        List<AsPath> used = _used[path];
        if (used.Count > 0 && _random.Next(100) < RepeatedPercent)
        {
            return used[Skewed(used.Count)];
        }

        // The n-th path goes by a carrier of its own, as one that was learned from another provider does.
        List<uint> hops = _options.Internal ? [] : [FeedOptions.ExternalAs];
        hops.Add(_numbers[path % Carriers]);
        int between = HopsBetween[_random.Next(HopsBetween.Length)] + (_options.Internal ? 1 : 0);
        for (int i = 0; i < between; i++)
        {
            uint next = i == 0 ? _numbers[Carriers + Skewed(Networks)] : _numbers[Carriers + Networks + Skewed(Regionals)];
            if (!hops.Contains(next))
            {
                hops.Add(next);
            }
        }

        uint origin = _numbers[Carriers + Networks + Regionals + Skewed(Origins)];
        hops.Add(origin);
        if (hops.Count < 6 && _random.Next(100) < 8)
        {
            hops.Add(origin);
        }

        AsPath made = AsPath.Sequence([.. hops]);
        used.Add(made);
        return made;
    }

    private ImmutableArray<uint> NextCommunities(uint carrier)
    {
        if (_random.Next(100) < 25)
        {
            return [];
        }

        SortedSet<uint> communities = [];
        for (int i = _random.Next(1, 8); i > 0; i--)
        {
            communities.Add((carrier << 16) | (uint)(1000 + Skewed(400)));
        }

        return [.. communities];
    }

    /// <summary>Small numbers more often than large ones.</summary>
    private int Skewed(int count)
    {
        double share = _random.NextDouble();
        return (int)(count * share * share);
    }
}
