using System.Text.Json;

namespace EgressAppliance.Decision.Planner;

/// <summary>The codes and words of <see cref="Verdict"/> and <see cref="ReasonCode"/>: codes for programs, a sentence for people.</summary>
public static class Reasons
{
    private static readonly Dictionary<Verdict, string> VerdictCodes =
        Enum.GetValues<Verdict>().ToDictionary(v => v, v => JsonNamingPolicy.SnakeCaseLower.ConvertName(v.ToString()));

    private static readonly Dictionary<ReasonCode, string> ReasonCodes =
        Enum.GetValues<ReasonCode>().ToDictionary(v => v, v => JsonNamingPolicy.SnakeCaseLower.ConvertName(v.ToString()));

    /// <summary>The snake_case code.</summary>
    public static string Code(Verdict verdict) => VerdictCodes[verdict];

    /// <summary>The snake_case code.</summary>
    public static string Code(ReasonCode reason) => ReasonCodes[reason];

    /// <summary>True for a verdict under which overrides are kept and nothing new is moved because an input is not trusted.</summary>
    public static bool IsFrozen(Verdict verdict) => verdict is Verdict.FrozenCaptureStale or Verdict.FrozenCaptureLoss or Verdict.FrozenRibIncomplete
        or Verdict.FrozenNoAddPath or Verdict.FrozenCountersStale or Verdict.FrozenAttribution
        or Verdict.FrozenMisprojection or Verdict.FrozenSiteIncomplete;

    /// <summary>The verdict as a sentence.</summary>
    public static string Text(Verdict verdict) => verdict switch
    {
        Verdict.Starting => "No cycle has run yet.",
        Verdict.NoOverload => "No link is over its threshold.",
        Verdict.Holding => "No link is over its threshold; overrides stay in force because their native links would be too full without them.",
        Verdict.FollowingPolicy => "No link is over its threshold; overrides put prefixes on the links that policies pin them to.",
        Verdict.Released => "No link is over its threshold; overrides that are no longer needed are given back.",
        Verdict.SavingCost => "No link is over its threshold; prefixes are moved to lower the bill.",
        Verdict.Confirming => "A link came over its threshold; unless it exceeds its capacity, that has to last before anything is moved.",
        Verdict.Relieved => "Links over their threshold are brought under it.",
        Verdict.PartiallyRelieved => "The overload is reduced as far as capacity and paths allow; some remains.",
        Verdict.NoCapacityAnywhere => "Links are over their threshold, but no other link has room under its ceiling for any of their prefixes, or may take them; nothing is moved.",
        Verdict.NoMovablePrefix => "Links are over their threshold, but none of their prefixes may or can be moved.",
        Verdict.Capped => "Caps keep the plan from relieving more, although there is capacity.",
        Verdict.NoLinks => "There are no links to decide about.",
        Verdict.InvalidSnapshot => "The input contradicts itself; nothing is changed.",
        Verdict.PlanRejected => "The plan broke a rule when it was checked; nothing is changed.",
        Verdict.FrozenCaptureStale => "Capture has delivered nothing for too long; overrides are kept and nothing is moved.",
        Verdict.FrozenCaptureLoss => "Capture loses too many frames; overrides are kept and nothing is moved.",
        Verdict.FrozenRibIncomplete => "The routing table is not complete yet; overrides are kept and nothing is moved.",
        Verdict.FrozenNoAddPath => "Not all paths of a router are known (no ADD-PATH, and BMP does not show all of its peers); overrides are kept and nothing is moved.",
        Verdict.FrozenCountersStale => "Interface counters are too old; overrides are kept and nothing is moved.",
        Verdict.FrozenAttribution => "The mirror does not show what leaves by the links, or too little of it could be attributed to them; overrides are kept and nothing is moved.",
        Verdict.FrozenMisprojection => "The links do not carry what they should by all that is known, for too long; overrides are kept and nothing is moved.",
        Verdict.FrozenSiteIncomplete => "Counts of a collector are missing; overrides are kept and nothing is moved.",
        Verdict.GivingBack => "Inputs have been bad for longer than the grace period; overrides are given back a few at a time.",
        Verdict.WithdrawnRouteFeedLost => "The route feed is gone; all overrides are withdrawn and plain BGP is in charge.",
        Verdict.WithdrawnByOperator => "An operator withdrew all overrides; the mode is observe until it is set to inject again.",
        Verdict.WithdrawnModeChange => "The mode went from inject to observe; all overrides are withdrawn.",
        Verdict.Collecting => "This box counts for the controllers of the site; it decides nothing.",
        Verdict.Standby => "Another controller of the site leads; this one holds routes and rates ready and announces nothing.",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };

    /// <summary>The reason as a sentence.</summary>
    public static string Text(ReasonCode reason) => reason switch
    {
        ReasonCode.None => "The path can be used.",
        ReasonCode.RelieveOverload => "Its link is over the threshold.",
        ReasonCode.MakeRoom => "It makes room on its link for a prefix of an overloaded one.",
        ReasonCode.TargetOverloaded => "The link that the override uses came over its threshold itself.",
        ReasonCode.TargetLost => "The override's path or link can no longer be used, and the native link is over its threshold.",
        ReasonCode.SaveCost => "It lowers the bill, or makes room for a prefix that does.",
        ReasonCode.Operator => "An operator asked for it.",
        ReasonCode.NativeFits => "The native link stays under its release level with it.",
        ReasonCode.CostFits => "It was moved to lower the bill, and its native link carries it at no additional cost, or makes room for another by it.",
        ReasonCode.PathGone => "The router no longer offers the path.",
        ReasonCode.AlreadyNative => "Plain BGP prefers the same link now.",
        ReasonCode.NoRate => "The prefix has no traffic.",
        ReasonCode.LeaseExpired => "It was not renewed in time.",
        ReasonCode.AnnouncementFailed => "The announcement failed.",
        ReasonCode.NotConfirmed => "Its traffic never left by the new link.",
        ReasonCode.InputsBad => "Inputs have been bad for longer than the grace period.",
        ReasonCode.RouteFeedLost => "The route feed is gone.",
        ReasonCode.WithdrawnByOperator => "An operator withdrew it.",
        ReasonCode.ModeObserve => "The mode is observe.",
        ReasonCode.StillNeeded => "The native link would exceed its release level with it, or would have done so in the last minutes.",
        ReasonCode.InHold => "It is younger than the hold time.",
        ReasonCode.Damped => "The prefix changed links too often of late, so it stays where it is.",
        ReasonCode.SavesCost => "It lowers the bill.",
        ReasonCode.Pinned => "An operator made it.",
        ReasonCode.Frozen => "Inputs are not trusted, so nothing is changed.",
        ReasonCode.LinkDown => "The link is down.",
        ReasonCode.Drained => "The link is drained and takes no moved prefixes.",
        ReasonCode.NotTaken => "The router did not carry out moves onto this link of late, so it is left alone for a while.",
        ReasonCode.OverCeiling => "It would fill the link beyond its ceiling.",
        ReasonCode.OverThreshold => "The link is over its own threshold.",
        ReasonCode.SameLink => "The prefix leaves by this link already.",
        ReasonCode.DeniedByPolicy => "A policy forbids to move it.",
        ReasonCode.PinnedByPolicy => "A policy pins it to one link.",
        ReasonCode.PinHasNoPath => "A policy pins it to a link by which the router knows no path for exactly this prefix.",
        ReasonCode.TooSmall => "It is too small a share of its link to be worth a move.",
        ReasonCode.NoAlternativePath => "The router knows no path by another link for exactly this prefix.",
        ReasonCode.Capped => "A cap on moves, overrides or the share of traffic is reached.",
        ReasonCode.Quarantined => "Moving it failed a short while ago.",
        ReasonCode.NotNeeded => "No relief by this prefix is needed.",
        ReasonCode.UnknownLink => "The link is not a configured one.",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };
}
