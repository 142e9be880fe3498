using System.Text.Json;
using EgressAppliance.Decision.Control;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// The state of a controller as it is kept where another box reads it. A control loop goes by a clock of its own that nobody sets; what is kept has the time of day, and is brought to
/// the reader's clock when it is read.
/// </summary>
public static class SavedController
{
    /// <summary>Writes a state as JSON.</summary>
    /// <param name="state">The state.</param>
    /// <param name="offset">How far the time of day is ahead of the state's clock.</param>
    public static string Write(ControllerState state, TimeSpan offset) =>
        JsonSerializer.Serialize(Shift(state, offset), JournalJsonContext.Default.ControllerState);

    /// <summary>Reads one.</summary>
    /// <param name="text">As <see cref="Write"/> made it.</param>
    /// <param name="offset">How far the time of day is ahead of the reader's clock.</param>
    /// <returns>The state; null if the text is none that this version reads.</returns>
    public static ControllerState? Read(string text, TimeSpan offset)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            return JsonSerializer.Deserialize(text, JournalJsonContext.Default.ControllerState) is { } state ? Shift(state, -offset) : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>The state with all times of the loop's clock moved. What goes by the time of day already, as cost mode's does, stays.</summary>
    private static ControllerState Shift(ControllerState state, TimeSpan by) => by == TimeSpan.Zero ? state : state with
    {
        BadSince = state.BadSince + by,
        Overrides = [.. state.Overrides.Select(o => o with { Since = o.Since + by, LeaseExpires = o.LeaseExpires + by, LastConfirmed = o.LastConfirmed + by })],
        Quarantined = [.. state.Quarantined.Select(q => q with { Until = q.Until + by })],
        LinkHistories = [.. state.LinkHistories.Select(h => h with { Peaks = [.. h.Peaks.Select(p => p with { Time = p.Time + by })] })],
        LinkTrusts = [.. state.LinkTrusts.Select(t => t.Until == default ? t : t with { Until = t.Until + by })],
        Flaps = [.. state.Flaps.Select(f => f with { At = f.At + by })],
    };
}
