using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Planner;

/// <summary>Why a prefix is moved, given back, kept, or left where it is. The text form is snake_case (<see cref="Reasons"/> has the words).</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<ReasonCode>))]
public enum ReasonCode
{
    /// <summary>No reason applies: the path can be used.</summary>
    None,

    // Moves.

    /// <summary>Moved: its link is over the threshold.</summary>
    RelieveOverload,

    /// <summary>Moved or given back: it makes room on its link for a prefix of an overloaded one.</summary>
    MakeRoom,

    /// <summary>Moved on or given back: the link that the override uses came over its threshold itself.</summary>
    TargetOverloaded,

    /// <summary>Moved on: the override's path or link can no longer be used, and the native link is over its threshold.</summary>
    TargetLost,

    /// <summary>Moved: it lowers the bill, or makes room for a prefix that does.</summary>
    SaveCost,

    /// <summary>An operator made the override.</summary>
    Operator,

    /// <summary>
    /// Moved to or kept on the link that a policy pins the prefix to; given back, because it was on another one; or not moved, because it is there or would have to go elsewhere.
    /// </summary>
    PinnedByPolicy,

    // Releases.

    /// <summary>Given back: the native link stays under its release level with it.</summary>
    NativeFits,

    /// <summary>Given back: moved to lower the bill, and its native link carries it at no additional cost until this time tomorrow, or makes room for another.</summary>
    CostFits,

    /// <summary>Given back: the router no longer offers the path.</summary>
    PathGone,

    /// <summary>Given back: the native path is the override's path.</summary>
    AlreadyNative,

    /// <summary>Given back: the prefix has no traffic.</summary>
    NoRate,

    /// <summary>Given back: not renewed in time.</summary>
    LeaseExpired,

    /// <summary>Given back: the router did not take the route, or the announcement failed.</summary>
    AnnouncementFailed,

    /// <summary>Given back: the traffic never left by the new link.</summary>
    NotConfirmed,

    /// <summary>Given back: inputs stayed bad beyond the grace period.</summary>
    InputsBad,

    /// <summary>Given back: the route feed is gone.</summary>
    RouteFeedLost,

    /// <summary>Given back: an operator asked for it.</summary>
    WithdrawnByOperator,

    /// <summary>Given back: the mode is observe now.</summary>
    ModeObserve,

    // Kept.

    /// <summary>Kept: the native link would exceed its release level with it.</summary>
    StillNeeded,

    /// <summary>Kept and not moved: younger than the hold time.</summary>
    InHold,

    /// <summary>Kept and not moved: its prefix changed links too often of late.</summary>
    Damped,

    /// <summary>Kept: it lowers the bill.</summary>
    SavesCost,

    /// <summary>Kept and not moved: an operator made it.</summary>
    Pinned,

    /// <summary>Kept: inputs are not trusted, so nothing is changed.</summary>
    Frozen,

    // Rejections, of a prefix or of one of its paths.

    /// <summary>The link is down.</summary>
    LinkDown,

    /// <summary>The link takes no moved prefixes (maintenance).</summary>
    Drained,

    /// <summary>The router did not carry out moves onto the link of late.</summary>
    NotTaken,

    /// <summary>The prefix would fill the link beyond its ceiling.</summary>
    OverCeiling,

    /// <summary>The link is over its own threshold.</summary>
    OverThreshold,

    /// <summary>The prefix already leaves by this link.</summary>
    SameLink,

    /// <summary>A policy forbids to move the prefix.</summary>
    DeniedByPolicy,

    /// <summary>A policy pins the prefix to a link by which the router knows no path for it.</summary>
    PinHasNoPath,

    /// <summary>Too small a share of its link to be worth a move.</summary>
    TooSmall,

    /// <summary>The router knows no path by another link for exactly this prefix.</summary>
    NoAlternativePath,

    /// <summary>A cap on moves, overrides or the share of traffic is reached.</summary>
    Capped,

    /// <summary>A move of this prefix failed a short while ago.</summary>
    Quarantined,

    /// <summary>Not needed: other moves relieve the link, or it needs no relief.</summary>
    NotNeeded,

    /// <summary>The link is not a configured one.</summary>
    UnknownLink,
}
