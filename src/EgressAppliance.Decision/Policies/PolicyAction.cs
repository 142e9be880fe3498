using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Policies;

/// <summary>What a policy does with a prefix.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<PolicyAction>))]
public enum PolicyAction
{
    /// <summary>It is never moved.</summary>
    Deny,

    /// <summary>It leaves by one link, overload or not, whenever that link has a path and room for it.</summary>
    Pin,

    /// <summary>When it has to move, some links are tried before others.</summary>
    Prefer,

    /// <summary>It is moved before or after others.</summary>
    Class,
}
