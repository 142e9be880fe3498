using EgressAppliance.Net;

namespace EgressAppliance.Decision.Policies;

/// <summary>
/// Finds the first policy that matches a route, in the order of the configuration. Each policy is filed under its most telling key (prefix, origin, community, link), so that a look-up
/// costs a few hashes however many policies there are; what else the policy asks for is looked at only then. Nothing is allocated. Immutable; any thread.
/// </summary>
public sealed class PolicyTable
{
    private readonly RoutingPolicy[] _policies;

    // Positions in _policies, ascending, by key.
    private readonly Dictionary<IpPrefix, int[]> _byPrefix;
    private readonly Dictionary<uint, int[]> _byOrigin;
    private readonly Dictionary<uint, int[]> _byCommunity;
    private readonly Dictionary<(uint First, uint Second, uint Third), int[]> _byLarge;
    private readonly Dictionary<string, int[]> _byLink;
    private readonly int[] _lengths;

    /// <summary>Files the policies.</summary>
    /// <param name="policies">In the order in which they are tried.</param>
    public PolicyTable(IReadOnlyList<RoutingPolicy> policies)
    {
        ArgumentNullException.ThrowIfNull(policies);
        _policies = [.. policies];
        _byPrefix = File(m => m.Prefix is not null, m => m.Prefix!.Value);
        _byOrigin = File(m => m is { Prefix: null, OriginAs: not null }, m => m.OriginAs!.Value);
        _byCommunity = File(m => m is { Prefix: null, OriginAs: null, Community.Third: null, Community: not null }, m => m.Community!.Value.Standard);
        _byLarge = File(m => m is { Prefix: null, OriginAs: null, Community.Third: not null }, m => (m.Community!.Value.First, m.Community.Value.Second, m.Community.Value.Third!.Value));
        _byLink = File(m => m is { Prefix: null, OriginAs: null, Community: null, Link: not null }, m => m.Link!);
        _lengths = [.. _byPrefix.Keys.Select(p => (int)p.Length).Distinct().Order()];
    }

    /// <summary>No policy.</summary>
    public static PolicyTable Empty { get; } = new([]);

    /// <summary>The policies, in the order in which they are tried.</summary>
    public IReadOnlyList<RoutingPolicy> Policies => _policies;

    /// <summary>What the first matching policy says; null if none matches.</summary>
    public PrefixPolicy? Match(in RouteFacts route) => First(route)?.Policy;

    /// <summary>The first policy that matches; null if none does.</summary>
    public RoutingPolicy? First(in RouteFacts route)
    {
        if (_policies.Length == 0)
        {
            return null;
        }

        int best = _policies.Length;
        foreach (int length in _lengths)
        {
            if (length > route.Prefix.Length)
            {
                break;
            }

            Try(_byPrefix, IpPrefix.Create(route.Prefix.Address, length), route, ref best);
        }

        if (route.OriginAs != 0)
        {
            Try(_byOrigin, route.OriginAs, route, ref best);
        }

        if (_byCommunity.Count > 0)
        {
            foreach (uint community in route.Communities)
            {
                Try(_byCommunity, community, route, ref best);
            }
        }

        for (int i = 0; _byLarge.Count > 0 && i + 2 < route.LargeCommunities.Length; i += 3)
        {
            Try(_byLarge, (route.LargeCommunities[i], route.LargeCommunities[i + 1], route.LargeCommunities[i + 2]), route, ref best);
        }

        if (route.Link is not null)
        {
            Try(_byLink, route.Link, route, ref best);
        }

        return best < _policies.Length ? _policies[best] : null;
    }

    private void Try<TKey>(Dictionary<TKey, int[]> filed, TKey key, in RouteFacts route, ref int best)
        where TKey : notnull
    {
        if (filed.Count == 0 || !filed.TryGetValue(key, out int[]? positions))
        {
            return;
        }

        foreach (int position in positions)
        {
            if (position >= best)
            {
                return;
            }

            if (_policies[position].Match.Holds(route))
            {
                best = position;
                return;
            }
        }
    }

    private Dictionary<TKey, int[]> File<TKey>(Func<PolicyMatch, bool> goesHere, Func<PolicyMatch, TKey> keyOf)
        where TKey : notnull =>
        _policies.Select((policy, position) => (policy.Match, position)).Where(p => goesHere(p.Match))
            .GroupBy(p => keyOf(p.Match), p => p.position).ToDictionary(g => g.Key, g => g.ToArray());
}
