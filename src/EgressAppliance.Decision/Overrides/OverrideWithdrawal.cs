using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Overrides;

/// <summary>An override to withdraw.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it went by.</param>
/// <param name="Reason">Why.</param>
public sealed record OverrideWithdrawal(IpPrefix Prefix, string Link, ReasonCode Reason);
