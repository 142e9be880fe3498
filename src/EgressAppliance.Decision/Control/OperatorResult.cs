using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Control;

/// <summary>What became of an operator's command.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<OperatorResult>))]
public enum OperatorResult
{
    /// <summary>Done; carry out the outcome.</summary>
    Done,

    /// <summary>No cycle has run yet, so links and paths are unknown.</summary>
    NotReady,

    /// <summary>There is no link of that name.</summary>
    UnknownLink,

    /// <summary>The link is down.</summary>
    LinkDown,

    /// <summary>The prefix is not known with a path by that link.</summary>
    NoPath,

    /// <summary>Plain BGP sends the prefix by that link already.</summary>
    AlreadyNative,

    /// <summary>The cap on overrides is reached.</summary>
    TooManyOverrides,

    /// <summary>There is no override for the prefix.</summary>
    NoOverride,
}
