using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>Why a prefix goes where it goes.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="NativeLink">The link plain BGP uses, or null if none of ours.</param>
/// <param name="Link">The link it goes by with the plan in force, or null.</param>
/// <param name="Reason">Why it is moved, kept, given back, or left where it is.</param>
/// <param name="Paths">Its paths, the router's preference first.</param>
/// <param name="Summary">The answer in words.</param>
public sealed record PrefixExplanation(
    IpPrefix Prefix, long RateBps, string? NativeLink, string? Link, ReasonCode Reason, IReadOnlyList<PathVerdict> Paths, string Summary);
