using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>A prefix on a link that stays over its threshold, and why it stays there.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it is on.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="Reason">Why it is not moved.</param>
public sealed record RejectedPrefix(IpPrefix Prefix, string Link, long RateBps, ReasonCode Reason);
