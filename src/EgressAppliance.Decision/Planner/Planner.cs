namespace EgressAppliance.Decision.Planner;

/// <summary>
/// Decides which prefixes to move off overloaded links and which overrides to give back. A pure function: the same snapshot and options
/// give the same plan byte for byte, in whatever order the snapshot lists things; no clock, no logging, whole bit/s throughout.
/// </summary>
/// <remarks>
/// Goal, the first difference decides: least residual overload (Σ over links of what exceeds threshold × capacity), fewest pinned prefixes off their link, fewest changes,
/// then policy: low classes before high ones, preferred links before others; then what we brought ourselves before native prefixes, least traffic moved, the router's own order of
/// preference of the targets.
/// A link that a moved prefix enters ends at or under its ceiling.
/// <code>
///  1  Check     a snapshot that contradicts itself changes nothing (SnapshotCheck).
///  2  Project   native load of each link = residual + demands on their first usable path, as if we had no override (Projection).
///               Observed link loads are never planned on: they contain our own past moves.
///  3  Warm      put overrides back that can go on: path offered, link up, not drained, not denied, not pinned elsewhere. The others are lost and end now.
///  4  Give back overrides older than hold, smallest first, whose native link stays under release with them, as long as it does: now, and at the
///               height of the last minutes (LinkState.NativePeakBps).
///  5  Find      links over threshold × capacity × (1 − error); while that is unconfirmed (LinkState.Unconfirmed), over the capacity. Candidates: prefixes on them, native ones and free overrides.
///  6  Choose    the moves down to the threshold less a margin (ReliefSolver): greedy by size that just suffices, exchanges, bounded exact search. Overloaded links are no targets. If that leaves
///               overload above the lower bound: chains (ChainSearch), B's prefixes moved on to C so that A's fit on B; few prefixes are searched through.
///  7  Shed      overrides on a link that is still over although nothing else helps, if the sum of overload falls, hold or not.
///  8  Pin       prefixes that a policy pins go to its link if they are not there, the largest first: where the link is up, offers a path, and has room under its ceiling now and at
///               the height of the last minutes, and as far as caps allow. The others wait.
///  9  Compare   steps 4–8 are done with step 4 first and with step 4 last (what is given back makes room on one link and takes it
///               on another), and with step 8 before step 5 as well; the best result stays. If it has more overload than plain BGP, start over without any override.
/// 10  Report    verdict, a reason for each change, each override kept and the largest prefixes that had to stay; lower bound (OverloadBound).
/// </code>
/// A prefix larger than any room is reported, not split.
/// </remarks>
public static class Planner
{
    /// <summary>Plans one cycle.</summary>
    /// <param name="snapshot">The inputs.</param>
    /// <param name="options">Limits and policies.</param>
    /// <returns>The plan; <see cref="Plan.ElapsedMs"/> is 0 for the caller to set.</returns>
    public static Plan Plan(DecisionSnapshot snapshot, PlannerOptions options)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(options);
        using PrefixIndex index = new(snapshot.Prefixes.Count);
        if (SnapshotCheck.Problems(snapshot, index).Count > 0)
        {
            return Unchanged(snapshot, Verdict.InvalidSnapshot);
        }

        if (snapshot.Links.Count == 0)
        {
            return Unchanged(snapshot, Verdict.NoLinks);
        }

        Projection projection = new(snapshot, options, index);
        PlanDraft best = Draft(projection, exact: options.ReliefMargin <= 0);
        if (options.ReliefMargin > 0 && best.ResidualBps > 0)
        {
            best = Better(best, Draft(projection, exact: true));
        }

        return PlanReport.Write(projection, best);
    }

    /// <summary>A plan that keeps every override and moves nothing, with the loads as far as the snapshot tells them.</summary>
    /// <param name="snapshot">The inputs, possibly not to be trusted.</param>
    /// <param name="verdict">Why nothing is changed.</param>
    public static Plan Freeze(DecisionSnapshot snapshot, Verdict verdict)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        using PrefixIndex index = new(snapshot.Prefixes.Count);
        if (snapshot.Links.Count == 0 || SnapshotCheck.Problems(snapshot, index).Count > 0)
        {
            return Unchanged(snapshot, verdict);
        }

        Projection projection = new(snapshot, new PlannerOptions(), index);
        return PlanReport.WriteFrozen(projection, verdict);
    }

    private static PlanDraft Draft(Projection projection, bool exact)
    {
        PlanDraft best = PlanDraft.Build(projection, releaseFirst: true, dropAll: false, exact);
        if (best.ResidualBps > 0)
        {
            best = Better(best, PlanDraft.ReleaseLast(best));
        }

        if (projection.Overrides.Length > 0 && best.OverloadBps > PlanDraft.OverloadOf(projection, best.WithoutUs))
        {
            best = Better(best, PlanDraft.Build(projection, releaseFirst: true, dropAll: true, exact));
        }

        return projection.Pins.Count > 0 && best.OverLinks.Length > 0 ? PinsFirst(projection, best, exact) : best;
    }

    /// <summary>The draft, or one in which pins come before relief, if that is better: what is pinned off an overloaded link relieves it, too. Not where it takes moves from relief.</summary>
    private static PlanDraft PinsFirst(Projection projection, PlanDraft best, bool exact)
    {
        PlanDraft first = PlanDraft.Build(projection, releaseFirst: true, dropAll: false, exact, pinsFirst: true);
        best = first.CapsBind ? best : Better(best, first);
        if (first.ResidualBps > 0 && PlanDraft.ReleaseLast(first) is { CapsBind: false } last)
        {
            best = Better(best, last);
        }

        return best;
    }

    private static PlanDraft Better(PlanDraft a, PlanDraft b)
    {
        int c = a.OverloadBps.CompareTo(b.OverloadBps);
        c = c != 0 ? c : a.ResidualBps.CompareTo(b.ResidualBps);
        c = c != 0 ? c : a.WaitingPins.Count.CompareTo(b.WaitingPins.Count);
        c = c != 0 ? c : a.Changes.CompareTo(b.Changes);
        c = c != 0 ? c : a.Classes.CompareTo(b.Classes);
        c = c != 0 ? c : a.Ranks.CompareTo(b.Ranks);
        return c <= 0 ? a : b;
    }

    private static Plan Unchanged(DecisionSnapshot snapshot, Verdict verdict) => new()
    {
        Verdict = verdict,
        Kept = [.. snapshot.Overrides.DistinctBy(o => o.Prefix).OrderBy(o => o.Prefix)
            .Select(o => new KeptOverride(o.Prefix, "", o.Link, 0, ReasonCode.Frozen))],
    };
}
