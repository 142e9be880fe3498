namespace EgressAppliance.Decision.Planner;

/// <summary>
/// What to do in this cycle. Every override of the snapshot is in exactly one of <see cref="Moves"/>, <see cref="Releases"/> and <see cref="Kept"/>;
/// all lists are sorted (by prefix, links by name), so that equal inputs give equal bytes. All rates are bit/s.
/// </summary>
public sealed record Plan
{
    /// <summary>What it comes to.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>The verdict in words.</summary>
    public string Reason => Reasons.Text(Verdict);

    /// <summary>Prefixes to announce by another link, overrides that move on included.</summary>
    public IReadOnlyList<PlannedMove> Moves { get; init; } = [];

    /// <summary>Overrides to withdraw.</summary>
    public IReadOnlyList<PlannedRelease> Releases { get; init; } = [];

    /// <summary>Overrides that stay as they are.</summary>
    public IReadOnlyList<KeptOverride> Kept { get; init; } = [];

    /// <summary>The links without our overrides and with the plan.</summary>
    public IReadOnlyList<PlannedLink> Links { get; init; } = [];

    /// <summary>The largest prefixes on links that stay over their threshold and why they stay there; at most <see cref="MaxRejected"/>.</summary>
    public IReadOnlyList<RejectedPrefix> Rejected { get; init; } = [];

    /// <summary>The largest prefixes that a policy pins to a link that they are not on, and what they wait for; at most <see cref="MaxRejected"/>, null if there are none.</summary>
    public IReadOnlyList<WaitingPin>? PinsWaiting { get; init; }

    /// <summary>Σ over links of what exceeds threshold × capacity with the plan.</summary>
    public long OverloadBps { get; init; }

    /// <summary>
    /// No assignment of prefixes to their paths that fills no entered link beyond its ceiling has less overload than this: what remains when
    /// prefixes could be split at will, without caps and without a limit on moves (a maximum flow). 0 when there is no overload.
    /// </summary>
    public long OverloadLowerBoundBps { get; init; }

    /// <summary>Time the planning took, set by the caller who has a clock; not part of the decision.</summary>
    public double ElapsedMs { get; init; }

    /// <summary>Bound on <see cref="Rejected"/> and <see cref="PinsWaiting"/>.</summary>
    public const int MaxRejected = 32;
}
