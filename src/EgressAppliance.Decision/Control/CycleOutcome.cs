using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Control;

/// <summary>
/// What to do after a cycle or an operator's command: carry out <see cref="Announce"/>, then <see cref="Withdraw"/>, and tell the controller
/// how each announcement went (<see cref="DecisionController.Announced"/>).
/// </summary>
public sealed record CycleOutcome
{
    /// <summary>Number since start, from 1.</summary>
    public required long Id { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The mode in force.</summary>
    public required DecisionMode Mode { get; init; }

    /// <summary>What it came to.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>The verdict in words.</summary>
    public string Reason => Reasons.Text(Verdict);

    /// <summary>The plan behind it; null when nothing was planned (a command).</summary>
    public Plan? Plan { get; init; }

    /// <summary>What the plan was made from; null when nothing was planned.</summary>
    public DecisionSnapshot? Snapshot { get; init; }

    /// <summary>What cost mode proposed in this cycle; null in most, in which it is not asked.</summary>
    public CostPlan? Cost { get; init; }

    /// <summary>Overrides to announce; always empty in observe mode.</summary>
    public IReadOnlyList<OverrideEntry> Announce { get; init; } = [];

    /// <summary>Overrides to withdraw; in observe mode only those left over from inject.</summary>
    public IReadOnlyList<OverrideWithdrawal> Withdraw { get; init; } = [];

    /// <summary>Overrides after this: in force (inject) or proposed (observe), sorted by prefix.</summary>
    public IReadOnlyList<OverrideEntry> Overrides { get; init; } = [];

    /// <summary>True when every input is good.</summary>
    public bool Healthy { get; init; } = true;

    /// <summary>What is wrong, in words; empty when healthy.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}
