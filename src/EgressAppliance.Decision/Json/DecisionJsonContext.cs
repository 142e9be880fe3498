using System.Text.Json.Serialization;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Json;

/// <summary>Generated serializers of the decision maker's documents: snake_case names, absent optional values left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(IpPrefixConverter)])]
[JsonSerializable(typeof(SnapshotDocument))]
[JsonSerializable(typeof(DecisionSnapshot))]
[JsonSerializable(typeof(Plan))]
[JsonSerializable(typeof(CycleInput))]
[JsonSerializable(typeof(CycleOutcome))]
[JsonSerializable(typeof(CostModeState))]
internal sealed partial class DecisionJsonContext : JsonSerializerContext;
