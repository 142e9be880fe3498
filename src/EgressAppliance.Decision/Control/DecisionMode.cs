using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Control;

/// <summary>Whether plans are carried out.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<DecisionMode>))]
public enum DecisionMode
{
    /// <summary>Compute and show only.</summary>
    Observe,

    /// <summary>Announce overrides.</summary>
    Inject,
}
