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

    /// <summary>What is remembered of each link's load, sorted by link.</summary>
    public IReadOnlyList<LinkHistoryState> LinkHistories { get; init; } = [];

    /// <summary>Links by which moves were not carried out, sorted.</summary>
    public IReadOnlyList<LinkTrustState> LinkTrusts { get; init; } = [];

    /// <summary>Penalties of prefixes whose link changed, sorted by prefix.</summary>
    public IReadOnlyList<FlapState> Flaps { get; init; } = [];

    /// <summary>How the projection compared with what was seen.</summary>
    public MisprojectionState Misprojection { get; init; } = new(0, false, []);

    /// <summary>What cost mode remembers.</summary>
    public CostModeState Cost { get; init; } = new();

    /// <summary>Withdrawals that the next outcome will tell, in the order they came up.</summary>
    public IReadOnlyList<OverrideWithdrawal> Pending { get; init; } = [];
}

/// <summary>A prefix that is left alone for a while.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Until">When that ends.</param>
public sealed record QuarantinedPrefix(IpPrefix Prefix, DateTimeOffset Until);

/// <summary>What is remembered of a link's load.</summary>
/// <param name="Link">The link.</param>
/// <param name="Over">Whether it was over its threshold, for each of the last cycles, oldest first.</param>
/// <param name="Peaks">Native loads that may still be the highest of the release window, oldest first.</param>
public sealed record LinkHistoryState(string Link, IReadOnlyList<bool> Over, IReadOnlyList<LoadPeak> Peaks);

/// <summary>A native load of a link.</summary>
/// <param name="Time">When.</param>
/// <param name="Bps">The load, bit/s.</param>
public sealed record LoadPeak(DateTimeOffset Time, long Bps);

/// <summary>A link by which moves were not carried out.</summary>
/// <param name="Link">The link.</param>
/// <param name="Run">Moves rolled back in a row since the last pause.</param>
/// <param name="Pause">Length of the last pause; zero before the first.</param>
/// <param name="Until">When that ends.</param>
public sealed record LinkTrustState(string Link, int Run, TimeSpan Pause, DateTimeOffset Until);

/// <summary>The penalty of a prefix whose link changed.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Penalty">The penalty at <paramref name="At"/>.</param>
/// <param name="At">When it was last added to.</param>
/// <param name="Damped">Its override is kept until the penalty has decayed.</param>
public sealed record FlapState(IpPrefix Prefix, double Penalty, DateTimeOffset At, bool Damped);

/// <summary>How the projection compared with what was seen.</summary>
/// <param name="Run">Cycles in a row that were unlike <paramref name="Alarm"/>.</param>
/// <param name="Alarm">Decisions are frozen for it.</param>
/// <param name="Differences">What differed in the latest cycle, in words.</param>
public sealed record MisprojectionState(int Run, bool Alarm, IReadOnlyList<string> Differences);
