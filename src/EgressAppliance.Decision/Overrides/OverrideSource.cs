using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Overrides;

/// <summary>Who made an override.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<OverrideSource>))]
public enum OverrideSource
{
    /// <summary>The planner.</summary>
    Planner,

    /// <summary>An operator; the planner leaves it alone while its path is usable.</summary>
    Operator,
}
