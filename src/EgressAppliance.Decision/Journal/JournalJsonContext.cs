using System.Text.Json.Serialization;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Json;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// Generated serializers of a journal. What is written is written as in the other documents, but for numbers that are none, which an input may hold.
/// Reading refuses members it does not know: a decision would be made without them.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(IpPrefixConverter)])]
[JsonSerializable(typeof(ControllerOptions))]
[JsonSerializable(typeof(ControllerState))]
[JsonSerializable(typeof(LinkState))]
[JsonSerializable(typeof(InputHealth))]
[JsonSerializable(typeof(JournalReturn))]
[JsonSerializable(typeof(IReadOnlyList<LinkState>))]
[JsonSerializable(typeof(IReadOnlyDictionary<IpPrefix, string>))]
[JsonSerializable(typeof(Dictionary<IpPrefix, string>))]
[JsonSerializable(typeof(DecisionMode))]
[JsonSerializable(typeof(PrefixPolicy))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class JournalJsonContext : JsonSerializerContext;
