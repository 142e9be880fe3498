namespace EgressAppliance.Decision.Planner;

/// <summary>A link's projected load.</summary>
/// <param name="Name">The link.</param>
/// <param name="NativeBps">Load without our overrides, bit/s; 0 when the link is down.</param>
/// <param name="PlannedBps">Load with the plan in force, bit/s.</param>
public sealed record PlannedLink(string Name, long NativeBps, long PlannedBps)
{
    /// <summary>Load with the overrides in force before the plan that can go on, bit/s.</summary>
    public long CurrentBps { get; init; }
}
