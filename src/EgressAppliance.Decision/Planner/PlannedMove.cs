using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>A prefix to announce by another link.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="From">The link it leaves: the native one, or the one of the override that moves on.</param>
/// <param name="To">The link it goes to.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="Reason">Why.</param>
public sealed record PlannedMove(IpPrefix Prefix, string From, string To, long RateBps, ReasonCode Reason);
