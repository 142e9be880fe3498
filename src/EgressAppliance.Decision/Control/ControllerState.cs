using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Control;

/// <summary>
/// All that a <see cref="DecisionController"/> remembers from one call to the next: with the same options, a controller made from it answers every
/// further call as the one it was taken from. A member that a controller gains belongs here too, with a default that means "as before there was one".
/// </summary>
public sealed record ControllerState
{
    /// <summary>Number of the latest outcome; 0 before the first.</summary>
    public long Id { get; init; }

    /// <summary>The mode in force.</summary>
    public DecisionMode Mode { get; init; }

    /// <summary>The latest verdict.</summary>
    public Verdict Verdict { get; init; } = Verdict.Starting;

    /// <summary>Since when inputs have been bad; null while they are good.</summary>
    public DateTimeOffset? BadSince { get; init; }

    /// <summary>The route feed was there once.</summary>
    public bool FeedSeen { get; init; }

    /// <summary>Every input of the latest cycle was good.</summary>
    public bool Healthy { get; init; } = true;

    /// <summary>What was wrong with them, in words.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>The links of the latest cycle.</summary>
    public IReadOnlyList<LinkState> Links { get; init; } = [];

    /// <summary>The ledger, sorted by prefix.</summary>
    public IReadOnlyList<OverrideEntry> Overrides { get; init; } = [];

    /// <summary>Prefixes left alone for a while, sorted.</summary>
    public IReadOnlyList<QuarantinedPrefix> Quarantined { get; init; } = [];

    /// <summary>Withdrawals that the next outcome will tell, in the order they came up.</summary>
    public IReadOnlyList<OverrideWithdrawal> Pending { get; init; } = [];
}

/// <summary>A prefix that is left alone for a while.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Until">When that ends.</param>
public sealed record QuarantinedPrefix(IpPrefix Prefix, DateTimeOffset Until);
