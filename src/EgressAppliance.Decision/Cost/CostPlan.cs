using EgressAppliance.Net;

namespace EgressAppliance.Decision.Cost;

/// <summary>What cost mode proposes. Lists are sorted, by prefix and by name.</summary>
public sealed record CostPlan
{
    /// <summary>What it comes to.</summary>
    public required CostVerdict Verdict { get; init; }

    /// <summary>The moves. They belong together: carrying out only some of them may fill a link beyond its limit.</summary>
    public IReadOnlyList<CostProposal> Moves { get; init; } = [];

    /// <summary>
    /// Overrides of the relief of overload, sorted, that cost mode wants kept: without one, its native link would be over its limit. Its caller hands them over as
    /// <see cref="ActiveOverride.ForCost"/> from then on, or the relief would give back what the next proposal moves again.
    /// </summary>
    public IReadOnlyList<IpPrefix> Keeps { get; init; } = [];

    /// <summary>The priced links that are up.</summary>
    public IReadOnlyList<CostLink> Links { get; init; } = [];

    /// <summary>The sum of the moves' savings, in the currency of the prices.</summary>
    public decimal SavingPerMonth => Moves.Sum(m => m.SavingPerMonth);

    /// <summary>The bill of all priced links that are up at their levels, in the currency of the prices.</summary>
    public decimal ExpectedBill { get; init; }

    /// <summary>For the next proposal; null if there was none to hand on.</summary>
    public CostMemory? Memory { get; init; }
}
