using EgressAppliance.Net;

namespace EgressAppliance.Decision;

/// <summary>An override in force.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it goes by because of us.</param>
/// <param name="AgeSeconds">Seconds since it was announced.</param>
/// <param name="Pinned">Made by an operator: the planner neither moves nor releases it while its path is usable.</param>
/// <param name="Damped">Its prefix changed links too often of late: not given back or moved on for convenience, whatever its age.</param>
/// <param name="ForCost">Cost mode has it: not given back because its native link has room, but moved as others are where a link is overloaded.</param>
public sealed record ActiveOverride(IpPrefix Prefix, string Link, double AgeSeconds, bool Pinned = false, bool Damped = false, bool ForCost = false);
