using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Cost;

/// <summary>Why cost mode proposes a move.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<CostReason>))]
public enum CostReason
{
    /// <summary>Its link carries more than costs nothing, and the other link has room under what costs nothing there.</summary>
    OverLevel,

    /// <summary>It makes room on its link for a prefix of a link that carries more than costs nothing.</summary>
    MakeRoom,

    /// <summary>The override is not needed until this time tomorrow: the native link stays under its level with it.</summary>
    NotNeeded,
}
