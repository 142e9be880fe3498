using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Http;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>One finished cycle: its published state and what questions about it need. Immutable.</summary>
/// <param name="State">What the page shows.</param>
/// <param name="Rates">The largest prefixes.</param>
/// <param name="Links">The links as the planner saw them.</param>
/// <param name="Plan">The plan, or null before the first.</param>
/// <param name="Denied">Prefixes that policy forbids to move.</param>
public sealed record CycleResult(
    StateEventDto State, RateView Rates, IReadOnlyList<LinkState> Links, Plan? Plan, IReadOnlyList<IpPrefix> Denied)
{
    /// <summary>The link plain BGP uses: the first of the prefix's paths whose link is up; null if there is none.</summary>
    public string? NativeLinkOf(IReadOnlyList<string> pathLinks)
    {
        foreach (string name in pathLinks)
        {
            if (Links.Count == 0 || Links.Any(l => l.Name == name && l.Up))
            {
                return name;
            }
        }

        return null;
    }
}
