using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Host.Http;

/// <summary>What the control loop tells of itself.</summary>
/// <param name="Period">Configured period of its cycles.</param>
/// <param name="Cycles">How long they took, reading the inputs and carrying out included.</param>
public sealed record LoopReading(TimeSpan Period, DurationReading Cycles);

/// <summary>The metrics of the decision maker and of its overrides.</summary>
internal static class DecisionMetrics
{
    /// <summary>Writes them; parameters as for <see cref="ApplianceMetrics.Write"/>.</summary>
    public static void Write(
        MetricWriter text, StateEventDto state, IReadOnlyList<KeyValuePair<string, long>> verdicts, IReadOnlyList<KeyValuePair<string, long>> changes,
        LoopReading? loop)
    {
        text.Counter("egress_decision_cycles_total", "Cycles of the decision maker.").Sample(state.Decision?.Id ?? 0);
        if (loop is not null)
        {
            text.Gauge("egress_decision_cycle_period_seconds", "Configured period of the cycles.").Sample(loop.Period.TotalSeconds);
            text.Histogram("egress_decision_cycle_seconds", "Time a cycle took, from reading the inputs to the announcements.", loop.Cycles);
        }

        text.Gauge("egress_decision_last_cycle_timestamp_seconds", "When the latest cycle ended, Unix time; absent before the first one.");
        if (state.Decision is { } latest)
        {
            text.Sample(Unix(latest.Time));
        }

        text.Gauge("egress_decision_overload_bits_per_second", "Load above the thresholds that the latest plan leaves.").Sample(state.Decision?.OverloadBps ?? 0);
        text.Gauge("egress_decision_verdict", "1 for the verdict in force, 0 for the others.");
        foreach (Verdict verdict in Enum.GetValues<Verdict>())
        {
            string code = Reasons.Code(verdict);
            text.Sample(state.Status.Verdict == code ? 1 : 0, ("verdict", code));
        }

        text.Counter("egress_decision_verdicts_total", "Cycles by verdict.");
        foreach ((string verdict, long count) in verdicts)
        {
            text.Sample(count, ("verdict", verdict));
        }

        text.Counter("egress_override_changes_total", "Overrides announced, withdrawn, lost with their path, or refused by the speaker.");
        foreach ((string action, long count) in changes)
        {
            text.Sample(count, ("action", action));
        }

        text.Gauge("egress_override_moved_bits_per_second", "Rate that overrides carry.");
        foreach (var pair in state.Overrides.Where(o => o.State != "proposed").GroupBy(o => (o.From, o.To)))
        {
            text.Sample(pair.Sum(o => o.RateBps), ("from", pair.Key.From), ("to", pair.Key.To));
        }

        text.Gauge("egress_override_lease_expires_timestamp_seconds", "When the first lease of an override ends unless a cycle renews it, Unix time; absent without overrides.");
        if (state.Overrides.Min(o => o.LeaseExpires) is { } first)
        {
            text.Sample(Unix(first));
        }
    }

    private static double Unix(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;
}
