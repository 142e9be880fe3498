using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Planner;

/// <summary>What one cycle came to. The text form is snake_case (<see cref="Reasons"/> has the words).</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<Verdict>))]
public enum Verdict
{
    /// <summary>No cycle has run yet.</summary>
    Starting,

    /// <summary>No link is over its threshold and no override is in force.</summary>
    NoOverload,

    /// <summary>No link is over its threshold thanks to overrides that stay in force.</summary>
    Holding,

    /// <summary>No link is over its threshold; prefixes are moved to, or all overrides in force keep them on, the links that policies pin them to.</summary>
    FollowingPolicy,

    /// <summary>No link is over its threshold; overrides were given back.</summary>
    Released,

    /// <summary>No link is over its threshold; prefixes were moved or given back to lower the bill.</summary>
    SavingCost,

    /// <summary>A link is over its threshold in too few of the last cycles to act, and not over its capacity.</summary>
    Confirming,

    /// <summary>Links were over their threshold and the plan brings all of them under it.</summary>
    Relieved,

    /// <summary>The plan reduces the overload as far as capacity and paths allow, and some remains.</summary>
    PartiallyRelieved,

    /// <summary>Links are over their threshold and no link that could take a prefix has room under its ceiling: nothing is moved.</summary>
    NoCapacityAnywhere,

    /// <summary>Links are over their threshold and none of their prefixes may or can be moved.</summary>
    NoMovablePrefix,

    /// <summary>Caps keep the plan from relieving as much as there is capacity for.</summary>
    Capped,

    /// <summary>The snapshot has no links.</summary>
    NoLinks,

    /// <summary>The snapshot contradicts itself; nothing is changed.</summary>
    InvalidSnapshot,

    /// <summary>The plan broke a rule when it was checked by independent code; nothing is changed.</summary>
    PlanRejected,

    /// <summary>Nothing new from capture for too long: overrides are kept, nothing is moved.</summary>
    FrozenCaptureStale,

    /// <summary>Capture loses too much.</summary>
    FrozenCaptureLoss,

    /// <summary>The routing table is not complete yet.</summary>
    FrozenRibIncomplete,

    /// <summary>The router shows its best path only (no ADD-PATH): alternatives are unknown.</summary>
    FrozenNoAddPath,

    /// <summary>Interface counters are too old.</summary>
    FrozenCountersStale,

    /// <summary>The mirror does not show what leaves by the links, or too little of what was counted could be attributed to them.</summary>
    FrozenAttribution,

    /// <summary>What is projected and what is seen on the links differ for too long.</summary>
    FrozenMisprojection,

    /// <summary>Counts of a collector of the site are missing: overrides are kept, nothing is moved.</summary>
    FrozenSiteIncomplete,

    /// <summary>Inputs stayed bad beyond the grace period: overrides are given back a few at a time.</summary>
    GivingBack,

    /// <summary>The route feed is gone: all overrides are withdrawn.</summary>
    WithdrawnRouteFeedLost,

    /// <summary>An operator withdrew all overrides.</summary>
    WithdrawnByOperator,

    /// <summary>The mode went from inject to observe: all overrides are withdrawn.</summary>
    WithdrawnModeChange,

    /// <summary>This box counts for the controllers of the site and decides nothing.</summary>
    Collecting,

    /// <summary>Another controller of the site leads: this one is ready to and announces nothing.</summary>
    Standby,
}
