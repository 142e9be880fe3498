using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Overrides;

/// <summary>An override in force, or proposed in observe mode.</summary>
public sealed record OverrideEntry
{
    /// <summary>The prefix.</summary>
    public required IpPrefix Prefix { get; init; }

    /// <summary>The native link it was taken from; empty if unknown.</summary>
    public required string From { get; init; }

    /// <summary>The link it goes by.</summary>
    public required string To { get; init; }

    /// <summary>Its latest rate, bit/s.</summary>
    public long RateBps { get; init; }

    /// <summary>When it was decided to go by <see cref="To"/>; hold counts from here.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Why.</summary>
    public required ReasonCode Reason { get; init; }

    /// <summary>How far it has come.</summary>
    public OverrideState State { get; init; }

    /// <summary>Who made it.</summary>
    public OverrideSource Source { get; init; }

    /// <summary>When it ends unless renewed.</summary>
    public required DateTimeOffset LeaseExpires { get; init; }

    /// <summary>When the mirror last showed it on the new link, or null.</summary>
    public DateTimeOffset? LastConfirmed { get; init; }

    /// <summary>An earlier announcement of the prefix may still stand at the router, so a failure must be followed by a withdrawal.</summary>
    public bool Replaces { get; init; }
}
