using System.Globalization;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Policies;

/// <summary>Which prefixes a policy is for: those for which all that is given holds. With nothing given it is for none.</summary>
public sealed record PolicyMatch
{
    /// <summary>This prefix and everything more specific.</summary>
    public IpPrefix? Prefix { get; init; }

    /// <summary>The AS in which the native path began, not 0.</summary>
    public uint? OriginAs { get; init; }

    /// <summary>A community of the native path.</summary>
    public CommunityMatch? Community { get; init; }

    /// <summary>The link of the native path.</summary>
    public string? Link { get; init; }

    /// <summary>True if nothing is given.</summary>
    public bool IsEmpty => Prefix is null && OriginAs is null && Community is null && Link is null;

    /// <summary>True if all that is given holds, and something is given.</summary>
    public bool Holds(in RouteFacts route) => !IsEmpty
        && (Prefix is not { } prefix || prefix.Contains(route.Prefix))
        && (OriginAs is not { } origin || origin == route.OriginAs)
        && (Community is not { } community || route.Has(community))
        && (Link is null || Link == route.Link);

    /// <summary>As the configuration has it.</summary>
    public override string ToString()
    {
        string?[] parts =
        [
            Prefix is { } prefix ? $"prefix: {prefix}" : null,
            OriginAs is { } origin ? string.Create(CultureInfo.InvariantCulture, $"origin_as: {origin}") : null,
            Community is { } community ? $"community: {community}" : null,
            Link is null ? null : $"link: {Link}",
        ];
        return $"match: {{ {string.Join(", ", parts.Where(p => p is not null))} }}";
    }
}
