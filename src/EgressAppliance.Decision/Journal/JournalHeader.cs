using EgressAppliance.Decision.Control;

namespace EgressAppliance.Decision.Journal;

/// <summary>First line of a journal file: all that is needed to replay the calls after it.</summary>
public sealed record JournalHeader
{
    /// <summary>The format that this program writes and reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Version of the format.</summary>
    public int Journal { get; init; } = CurrentVersion;

    /// <summary>Version of the program that wrote it.</summary>
    public string Program { get; init; } = "";

    /// <summary>Time of day when the file was begun. The times of calls are those of the control loop's own clock, which nobody sets.</summary>
    public DateTimeOffset Written { get; init; }

    /// <summary>Name of the file whose last call came right before the first of this one; null after a start or a gap.</summary>
    public string? Follows { get; init; }

    /// <summary>The controller's options.</summary>
    public ControllerOptions Options { get; init; } = new();

    /// <summary>The controller before the first call, its mode included.</summary>
    public ControllerState State { get; init; } = new();
}
