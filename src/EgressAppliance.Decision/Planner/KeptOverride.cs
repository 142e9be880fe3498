using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>An override that stays.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="From">The native link; empty when none of the snapshot's links.</param>
/// <param name="To">The link of the override.</param>
/// <param name="RateBps">Its rate, bit/s; 0 when unknown.</param>
/// <param name="Reason">Why it stays.</param>
public sealed record KeptOverride(IpPrefix Prefix, string From, string To, long RateBps, ReasonCode Reason);
