using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>An override to withdraw.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="From">The link of the override.</param>
/// <param name="To">The native link it falls back to; empty when none of the snapshot's links.</param>
/// <param name="RateBps">Its rate, bit/s; 0 when unknown.</param>
/// <param name="Reason">Why.</param>
public sealed record PlannedRelease(IpPrefix Prefix, string From, string To, long RateBps, ReasonCode Reason);
