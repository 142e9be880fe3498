using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>Answers "why" for any prefix, from the snapshot and the plan of a cycle.</summary>
public static class PlanExplainer
{
    /// <summary>Explains one prefix.</summary>
    /// <param name="snapshot">What the plan was made from.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="options">The options it was made with.</param>
    /// <param name="demand">The prefix, its rate and paths; it need not be in the snapshot (small prefixes are not).</param>
    public static PrefixExplanation Explain(DecisionSnapshot snapshot, Plan plan, PlannerOptions options, PrefixDemand demand)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(demand);
        Projection projection = Projection.Of(snapshot with { Prefixes = [demand] }, options);
        int native = projection.NativeLink[0];
        string? nativeName = native < 0 ? null : projection.Links[native].Name;
        (string? link, ReasonCode reason) = Fate(plan, demand.Prefix, nativeName);
        int current = link is null ? -1 : projection.IndexOf(link);
        ReasonCode immovable = current < 0 ? ReasonCode.None : projection.Immovable(demand, current);
        List<PathVerdict> paths = [.. demand.Paths.Select(p => Path(projection, plan, demand, p, link, immovable))];
        if (reason == ReasonCode.None)
        {
            reason = Unmoved(projection, plan, demand, current, immovable, paths);
        }

        return new(demand.Prefix, demand.RateBps, nativeName, link, reason, paths, Summary(nativeName, link, reason));
    }

    private static (string? Link, ReasonCode Reason) Fate(Plan plan, IpPrefix prefix, string? native)
    {
        if (plan.Moves.FirstOrDefault(m => m.Prefix == prefix) is { } move)
        {
            return (move.To, move.Reason);
        }

        if (plan.Kept.FirstOrDefault(k => k.Prefix == prefix) is { } kept)
        {
            return (kept.To, kept.Reason);
        }

        ReasonCode? released = plan.Releases.FirstOrDefault(r => r.Prefix == prefix)?.Reason;
        ReasonCode? rejected = plan.Rejected.FirstOrDefault(r => r.Prefix == prefix)?.Reason;
        return (native, released ?? rejected ?? ReasonCode.None);
    }

    private static PathVerdict Path(Projection projection, Plan plan, PrefixDemand demand, string name, string? current, ReasonCode immovable)
    {
        int link = projection.IndexOf(name);
        bool pinned = demand.Policy is { Action: PolicyAction.Pin };
        ReasonCode reason = link < 0 ? ReasonCode.UnknownLink
            : name == current ? ReasonCode.SameLink
            : pinned && demand.Policy!.Links[0] != name ? ReasonCode.PinnedByPolicy
            : pinned && plan.PinsWaiting?.FirstOrDefault(w => w.Prefix == demand.Prefix) is { } waiting ? waiting.Reason
            : immovable != ReasonCode.None ? immovable
            : RejectionReport.PathReason(projection.Links[link], projection.Limits[link], LoadOf(plan, name), demand.RateBps);
        return new(name, reason == ReasonCode.None, reason);
    }

    private static ReasonCode Unmoved(Projection projection, Plan plan, PrefixDemand demand, int current, ReasonCode immovable, List<PathVerdict> paths)
    {
        if (current < 0)
        {
            return ReasonCode.UnknownLink;
        }

        if (demand.Policy is { Action: PolicyAction.Pin } pin)
        {
            // On its link, or kept from it by the link itself, by what it waits for, or by having no traffic to be counted.
            return immovable is not (ReasonCode.None or ReasonCode.TooSmall or ReasonCode.Quarantined) ? immovable
                : plan.PinsWaiting?.FirstOrDefault(w => w.Prefix == demand.Prefix)?.Reason
                ?? (demand.RateBps == 0 ? ReasonCode.NoRate : paths.Find(p => p.Link == pin.Links[0])?.Reason is { } why and not ReasonCode.None ? why : ReasonCode.NotNeeded);
        }

        if (LoadOf(plan, projection.Links[current].Name) <= projection.Limits[current].TriggerBps)
        {
            return ReasonCode.NotNeeded;
        }

        PathVerdict? alternative = paths.FirstOrDefault(p => p.Usable) ?? paths.FirstOrDefault(p => p.Reason is not (ReasonCode.SameLink or ReasonCode.UnknownLink));
        return immovable != ReasonCode.None ? immovable
            : alternative is null ? ReasonCode.NoAlternativePath
            : alternative.Usable ? ReasonCode.NotNeeded : alternative.Reason;
    }

    private static long LoadOf(Plan plan, string link) => plan.Links.FirstOrDefault(l => l.Name == link)?.PlannedBps ?? 0;

    private static string Summary(string? native, string? link, ReasonCode reason)
    {
        string where = link is null ? "It leaves by none of the configured links."
            : link == native ? $"It leaves by {link}, as plain BGP has it."
            : $"It leaves by {link} because of an override; plain BGP would use {native ?? "another link"}.";
        return $"{where} {Reasons.Text(reason)}";
    }
}
