using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision;

/// <summary>The demand of one prefix and where it can go.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="Paths">Names of the links that have a path for exactly this prefix, in the router's order of preference; the first is native.</param>
/// <param name="ErrorRatio">Relative error of the rate, if known.</param>
public sealed record PrefixDemand(IpPrefix Prefix, long RateBps, IReadOnlyList<string> Paths, double? ErrorRatio = null)
{
    /// <summary>What the first matching policy says about it; null if none matches.</summary>
    public PrefixPolicy? Policy { get; init; }
}
