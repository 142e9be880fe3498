using EgressAppliance.Decision.Control;

namespace EgressAppliance.Decision.Journal;

/// <summary>What the controller answered to a call.</summary>
public sealed record JournalReturn
{
    /// <summary>The outcome; null for calls that have none.</summary>
    public CycleOutcome? Outcome { get; init; }

    /// <summary>What became of an operator's command; null for other calls.</summary>
    public OperatorResult? Result { get; init; }

    /// <summary>Whether the override was known; null for calls that do not tell.</summary>
    public bool? Known { get; init; }

    /// <summary>Type of the exception the call ended with, which is a bug; else null.</summary>
    public string? Threw { get; init; }

    /// <summary>
    /// What is written and compared: without the time that planning took, which is no decision, and without the snapshot, which repeats the
    /// inputs and what the ledger held.
    /// </summary>
    internal JournalReturn Comparable() => Outcome is not { } outcome ? this : this with
    {
        Outcome = outcome with { Snapshot = null, Plan = outcome.Plan is { } plan ? plan with { ElapsedMs = 0 } : null },
    };
}
