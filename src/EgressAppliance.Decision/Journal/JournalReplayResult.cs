using EgressAppliance.Decision.Control;

namespace EgressAppliance.Decision.Journal;

/// <summary>Something that came out differently in a replay.</summary>
/// <param name="Line">Line of the call.</param>
/// <param name="Call">The call.</param>
/// <param name="Cycle">Number of the outcome, or of the one before it for calls that have none.</param>
/// <param name="What">Where in the answer: <c>outcome.plan.moves[0].to</c>; empty if only the way of writing it differs.</param>
/// <param name="Expected">As recorded, JSON, perhaps cut; null if it was not there.</param>
/// <param name="Got">As replayed.</param>
public sealed record JournalDifference(long Line, string Call, long Cycle, string What, string? Expected, string? Got)
{
    /// <summary><c>cycle 7 (line 9, cycle): outcome.verdict: expected "relieved", got "capped"</c></summary>
    public override string ToString() =>
        $"cycle {Cycle} (line {Line}, {Call}): {(What.Length == 0 ? "written differently" : What)}: expected {Expected ?? "nothing"}, got {Got ?? "nothing"}";
}

/// <summary>What the replay of one file came to.</summary>
public sealed record JournalReplayResult
{
    /// <summary>The file.</summary>
    public required string File { get; init; }

    /// <summary>The header; null if there is none that can be used.</summary>
    public JournalHeader? Header { get; init; }

    /// <summary>Cycles replayed.</summary>
    public long Cycles { get; init; }

    /// <summary>Commands of operators replayed.</summary>
    public long Commands { get; init; }

    /// <summary>Replayed reports of how announcements went and which overrides were lost.</summary>
    public long Reports { get; init; }

    /// <summary>Moves in the plans of the cycles replayed.</summary>
    public long Moves { get; init; }

    /// <summary>Calls whose answer differs, octet for octet.</summary>
    public long Differences { get; init; }

    /// <summary>The first differences, and of each call the first of its own.</summary>
    public IReadOnlyList<JournalDifference> First { get; init; } = [];

    /// <summary>What is wrong with the file; null if nothing. What comes before it was replayed.</summary>
    public JournalFault? Fault { get; init; }

    /// <summary>The file was closed in order. If it was not, it was cut short or is being written, and all that is whole was replayed.</summary>
    public bool IsComplete { get; init; }

    /// <summary>The controller after the last call; null without a header.</summary>
    public ControllerState? EndState { get; init; }
}
