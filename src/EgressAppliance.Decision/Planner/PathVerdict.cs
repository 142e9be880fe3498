namespace EgressAppliance.Decision.Planner;

/// <summary>Whether one path of a prefix can be used to relieve, with the plan in force.</summary>
/// <param name="Link">The path's link.</param>
/// <param name="Usable">An override could use it now.</param>
/// <param name="Reason">Why not; <see cref="ReasonCode.None"/> if usable.</param>
public sealed record PathVerdict(string Link, bool Usable, ReasonCode Reason);
