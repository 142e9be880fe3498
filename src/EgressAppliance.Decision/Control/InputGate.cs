using EgressAppliance.Decision.Demand;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Decision.Control;

/// <summary>Judges whether the inputs are good enough to decide on.</summary>
internal static class InputGate
{
    /// <summary>The first failed gate's verdict, or null when all pass, and all that is wrong in words.</summary>
    public static (Verdict? Frozen, List<string> Problems) Judge(InputHealth health, ControllerOptions options)
    {
        List<(Verdict Verdict, string Problem)> failed = [];
        if (!health.RouteFeedUp)
        {
            failed.Add((Verdict.WithdrawnRouteFeedLost, "the route feed is down"));
        }

        if (health.CaptureAge > options.MaxCaptureAge)
        {
            failed.Add((Verdict.FrozenCaptureStale, $"capture counters are {health.CaptureAge.TotalSeconds:0} s old (limit {options.MaxCaptureAge.TotalSeconds:0} s)"));
        }

        if (health.MissingCollectors is { Count: > 0 } missing)
        {
            failed.Add((Verdict.FrozenSiteIncomplete, $"no counts of this cycle from {string.Join(", ", missing)}"));
        }

        // Written so that a ratio which is not a number fails the gate.
        if (!(health.CaptureLoss <= options.MaxCaptureLoss))
        {
            failed.Add((Verdict.FrozenCaptureLoss, $"capture loses {health.CaptureLoss:P1} of frames (limit {options.MaxCaptureLoss:P1})"));
        }

        if (health.RouteFeedUp && !health.RibComplete)
        {
            failed.Add((Verdict.FrozenRibIncomplete, "the routing table is not complete yet"));
        }

        if (health.RouteFeedUp && !health.AllPathsKnown)
        {
            failed.Add((Verdict.FrozenNoAddPath, "not all paths of a router are known (no ADD-PATH, and BMP does not show all of its peers)"));
        }

        if (health.CountersAge > options.MaxCountersAge)
        {
            failed.Add((Verdict.FrozenCountersStale, $"interface counters are {health.CountersAge.Value.TotalSeconds:0} s old (limit {options.MaxCountersAge.TotalSeconds:0} s)"));
        }

        foreach (RateDoubt doubt in health.Doubts ?? [])
        {
            Verdict verdict = doubt.Cause is RateCause.CounterStalled or RateCause.Unconfirmed ? Verdict.FrozenCountersStale : Verdict.FrozenAttribution;
            failed.Add((verdict, RateCauses.Text(doubt.Link, doubt.Cause, doubt.Ratio, doubt.Factor)));
        }

        if (health.AttributionRatio is { } ratio && !(ratio >= options.MinAttribution))
        {
            failed.Add((Verdict.FrozenAttribution, $"only {ratio:P1} of the traffic is attributed to links (at least {options.MinAttribution:P1} needed)"));
        }

        if (health.UnseenRatio is { } unseen && !(unseen <= options.MaxUnseen))
        {
            failed.Add((Verdict.FrozenAttribution, $"the mirror does not show {unseen:P1} of a link's capacity that its counter shows (limit {options.MaxUnseen:P1})"));
        }

        return (failed.Count > 0 ? failed[0].Verdict : null, [.. failed.Select(f => f.Problem)]);
    }
}
