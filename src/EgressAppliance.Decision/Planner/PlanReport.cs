namespace EgressAppliance.Decision.Planner;

/// <summary>Writes a draft down as a plan: sorted lists, verdict, reasons. Step 10 of the planner.</summary>
internal static class PlanReport
{
    public static Plan Write(Projection projection, PlanDraft draft)
    {
        Dictionary<OverrideCase, ReasonCode> released = draft.Released;
        List<PlannedRelease> releases = [];
        List<KeptOverride> kept = [];
        foreach (OverrideCase over in projection.Overrides)
        {
            if (released.TryGetValue(over, out ReasonCode reason))
            {
                releases.Add(new(over.Active.Prefix, over.Active.Link, NameOf(projection, over.Native), over.RateBps, reason));
            }
            else if (!draft.Moves.ContainsKey(over.Demand))
            {
                ReasonCode why = over.Fixed != ReasonCode.None ? over.Fixed
                    : draft.ReleaseCapped.Contains(over) ? ReasonCode.Capped : ReasonCode.StillNeeded;
                kept.Add(new(over.Active.Prefix, NameOf(projection, over.Native), over.Active.Link, over.RateBps, why));
            }
        }

        long overload = draft.OverloadBps;
        return new()
        {
            Verdict = VerdictOf(draft, kept, releases.Count),
            Moves = [.. draft.Moves.Select(m => Move(projection, m.Key, m.Value)).OrderBy(m => m.Prefix)],
            Releases = releases,
            Kept = kept,
            Links = LinksOf(projection, draft.Load),
            Rejected = RejectionReport.Of(projection, draft),
            PinsWaiting = draft.WaitingPins.Count == 0 ? null : [.. draft.WaitingPins.Take(Plan.MaxRejected).Select(w => Waiting(projection, draft, w.Demand, w.Reason))],
            OverloadBps = overload,
            OverloadLowerBoundBps = overload == 0 ? 0 : projection.OverloadLowerBoundBps,
        };
    }

    /// <summary>Everything stays; the loads are those of the overrides in force.</summary>
    public static Plan WriteFrozen(Projection projection, Verdict verdict)
    {
        long[] load = CurrentOf(projection, _ => true);
        long overload = PlanDraft.OverloadOf(projection, load);
        return new()
        {
            Verdict = verdict,
            Kept = [.. projection.Overrides.Select(o =>
                new KeptOverride(o.Active.Prefix, NameOf(projection, o.Native), o.Active.Link, o.RateBps, ReasonCode.Frozen))],
            Links = LinksOf(projection, load),
            OverloadBps = overload,
            OverloadLowerBoundBps = overload == 0 ? 0 : projection.OverloadLowerBoundBps,
        };
    }

    private static WaitingPin Waiting(Projection projection, PlanDraft draft, int demand, ReasonCode reason)
    {
        PrefixDemand pinned = projection.Demands[demand];
        return new(pinned.Prefix, NameOf(projection, draft.PlaceOf(demand)), pinned.Policy!.Links[0], pinned.RateBps, reason);
    }

    private static Verdict VerdictOf(PlanDraft draft, List<KeptOverride> kept, int releases)
    {
        if (draft.OverLinks.Length == 0)
        {
            // A link that came over its threshold only to have overrides shed from it is in OverLinks; here nothing ever was over.
            bool onlyPins = kept.Count > 0 && kept.TrueForAll(k => k.Reason == ReasonCode.PinnedByPolicy);
            return draft.WatchesOverload ? Verdict.Confirming
                : releases > 0 ? Verdict.Released
                : draft.Moves.Count > 0 || onlyPins ? Verdict.FollowingPolicy
                : kept.Count > 0 ? Verdict.Holding : Verdict.NoOverload;
        }

        if (draft.ResidualBps == 0)
        {
            return Verdict.Relieved;
        }

        if (draft.CapsBind)
        {
            return Verdict.Capped;
        }

        if (draft.Moves.Values.Any(m => m.Reason != ReasonCode.PinnedByPolicy || draft.OverLinks.Contains(m.From)) || draft.Released.ContainsValue(ReasonCode.TargetOverloaded))
        {
            return Verdict.PartiallyRelieved;
        }

        return draft.HadCandidates ? Verdict.NoCapacityAnywhere : Verdict.NoMovablePrefix;
    }

    private static PlannedMove Move(Projection projection, int demand, (int From, int To, ReasonCode Reason) move)
    {
        // An override whose link is unknown by now leaves the link that it names.
        OverrideCase? over = projection.OverrideOf(demand);
        string from = over is null ? projection.Links[move.From].Name : over.Active.Link;
        return new(projection.Demands[demand].Prefix, from, projection.Links[move.To].Name, projection.Demands[demand].RateBps, move.Reason);
    }

    private static PlannedLink[] LinksOf(Projection projection, long[] load)
    {
        long[] current = CurrentOf(projection, o => o.Lost == ReasonCode.None);
        return [.. projection.Links.Select((l, i) => new PlannedLink(l.Name, projection.Native[i], load[i]) { CurrentBps = current[i] })];
    }

    private static long[] CurrentOf(Projection projection, Func<OverrideCase, bool> which)
    {
        long[] load = (long[])projection.Native.Clone();
        foreach (OverrideCase over in projection.Overrides.Where(which))
        {
            if (over.Native >= 0 && over.Link >= 0)
            {
                load[over.Native] -= over.RateBps;
                load[over.Link] += over.RateBps;
            }
        }

        return load;
    }

    private static string NameOf(Projection projection, int link) => link < 0 ? "" : projection.Links[link].Name;
}
