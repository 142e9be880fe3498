using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Overrides;

/// <summary>How far an override has come.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<OverrideState>))]
public enum OverrideState
{
    /// <summary>Decided; not announced (observe mode), or the announcement has not been answered for yet.</summary>
    Proposed,

    /// <summary>Handed to the router.</summary>
    Announced,

    /// <summary>The mirror shows at least half of the prefix's bytes on the new link.</summary>
    Confirmed,
}
