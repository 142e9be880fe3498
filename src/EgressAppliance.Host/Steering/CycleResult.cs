using EgressAppliance.Decision;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Steering;

/// <summary>One finished cycle: its published state and what questions about it need. Immutable.</summary>
/// <param name="State">What the page shows.</param>
/// <param name="Rates">The largest prefixes.</param>
/// <param name="Links">The links as the planner saw them; empty before the first cycle.</param>
/// <param name="Snapshot">What the plan was made from, or null before the first cycle.</param>
/// <param name="Plan">The plan, or null before the first cycle.</param>
/// <param name="Options">The options it was made with.</param>
public sealed record CycleResult(
    StateEventDto State, RateView Rates, IReadOnlyList<LinkState> Links, DecisionSnapshot? Snapshot, Plan? Plan, PlannerOptions Options);
