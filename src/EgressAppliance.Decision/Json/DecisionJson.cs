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
