using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>A prefix that a policy pins to a link that it is not on.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it is on.</param>
/// <param name="To">The link of the policy.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
/// <param name="Reason">What it waits for.</param>
public sealed record WaitingPin(IpPrefix Prefix, string Link, string To, long RateBps, ReasonCode Reason);
