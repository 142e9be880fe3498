using EgressAppliance.Net;

namespace EgressAppliance.Decision.Policies;

/// <summary>What policies look at of a prefix: its native path, the one that plain BGP prefers.</summary>
/// <param name="prefix">The prefix.</param>
/// <param name="link">The link of the native path; null if none is known.</param>
public readonly ref struct RouteFacts(IpPrefix prefix, string? link)
{
    /// <summary>The prefix.</summary>
    public IpPrefix Prefix { get; } = prefix;

    /// <summary>The link of the native path, or null.</summary>
    public string? Link { get; } = link;

    /// <summary>The last AS of AS_PATH; 0 if there is none, or if the path ends in a set.</summary>
    public uint OriginAs { get; init; }

    /// <summary>Its standard communities (RFC 1997).</summary>
    public ReadOnlySpan<uint> Communities { get; init; }

    /// <summary>Its large communities (RFC 8092), three numbers each.</summary>
    public ReadOnlySpan<uint> LargeCommunities { get; init; }

    /// <summary>True if a community is among them.</summary>
    public bool Has(CommunityMatch community)
    {
        if (community.Third is not { } third)
        {
            return Communities.Contains(community.Standard);
        }

        for (int i = 0; i + 2 < LargeCommunities.Length; i += 3)
        {
            if (LargeCommunities[i] == community.First && LargeCommunities[i + 1] == community.Second && LargeCommunities[i + 2] == third)
            {
                return true;
            }
        }

        return false;
    }
}
