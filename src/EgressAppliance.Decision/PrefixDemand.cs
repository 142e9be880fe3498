using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision;

/// <summary>The demand of one prefix and where it can go.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="Paths">Names of the links that have a path for exactly this prefix, in the router's order of preference; the first is native.</param>
/// <param name="ErrorRatio">Relative error of the rate, 0–1, if known.</param>
/// <param name="MeanBps">Mean of the last two minutes, bit/s, for prefixes under an override: what has to fit where it is given back. 0: not known, the rate stands for it.</param>
public sealed record PrefixDemand(IpPrefix Prefix, long RateBps, IReadOnlyList<string> Paths, double? ErrorRatio = null, long MeanBps = 0)
{
    /// <summary>What the first matching policy says about it; null if none matches.</summary>
    public PrefixPolicy? Policy { get; init; }
}
