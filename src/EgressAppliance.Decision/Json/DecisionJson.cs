using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Json;

/// <summary>
/// The decision maker's documents as JSON (RFC 8259, UTF-8), the same bytes for the same values: snapshots and plans for the <c>plan</c>
/// command, cycle inputs and outcomes for the journal. Unknown members of a snapshot are ignored, so that a newer one can be read.
/// </summary>
public static class DecisionJson
{
    /// <summary>Reads a snapshot.</summary>
    /// <param name="utf8">The document.</param>
    /// <param name="snapshot">The snapshot, or null.</param>
    /// <param name="problems">What is wrong, each with its place; at most 20.</param>
    /// <returns>False if it is no JSON, something is missing, or it contradicts itself.</returns>
    public static bool TryReadSnapshot(ReadOnlySpan<byte> utf8, out DecisionSnapshot? snapshot, out IReadOnlyList<string> problems)
    {
        snapshot = null;
        SnapshotDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(utf8, DecisionJsonContext.Default.SnapshotDocument);
        }
        catch (JsonException e)
        {
            problems = [e.Message];
            return false;
        }

        if (document is null)
        {
            problems = ["the document is null"];
            return false;
        }

        SnapshotReader reader = new();
        DecisionSnapshot read = reader.Read(document);
        problems = reader.Problems;
        if (problems.Count > 0)
        {
            return false;
        }

        snapshot = read;
        return true;
    }

    /// <summary>Writes a snapshot.</summary>
    public static byte[] Write(DecisionSnapshot snapshot, bool indented = false) => Write(snapshot, DecisionJsonContext.Default.DecisionSnapshot, indented);

    /// <summary>Writes a plan.</summary>
    public static byte[] Write(Plan plan, bool indented = false) => Write(plan, DecisionJsonContext.Default.Plan, indented);

    /// <summary>Writes a cycle's input, for a journal.</summary>
    public static byte[] Write(CycleInput input, bool indented = false) => Write(input, DecisionJsonContext.Default.CycleInput, indented);

    /// <summary>Writes a cycle's outcome, for a journal.</summary>
    public static byte[] Write(CycleOutcome outcome, bool indented = false) => Write(outcome, DecisionJsonContext.Default.CycleOutcome, indented);

    /// <summary>Writes what cost mode remembers.</summary>
    public static byte[] Write(CostModeState state) => Write(state, DecisionJsonContext.Default.CostModeState, indented: false);

    /// <summary>Reads what cost mode remembered. What contradicts itself is left to <see cref="DecisionController"/>, which drops such months.</summary>
    /// <exception cref="JsonException">It is no such document.</exception>
    public static CostModeState ReadCostModeState(ReadOnlySpan<byte> utf8)
    {
        CostModeState state = JsonSerializer.Deserialize(utf8, DecisionJsonContext.Default.CostModeState) ?? throw new JsonException("the document is null");
        bool whole = state.Months is not null && state.Months.All(m => m is { Link: not null, Samples: not null, Previous: not null })
            && state.Memory is null or { Links: not null, LevelsBps: not null };
        return whole ? state : throw new JsonException("a list is null");
    }

    private static byte[] Write<T>(T value, JsonTypeInfo<T> type, bool indented)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, new JsonWriterOptions { Indented = indented, NewLine = "\n" }))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
