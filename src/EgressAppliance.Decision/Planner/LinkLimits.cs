namespace EgressAppliance.Decision.Planner;

/// <summary>
/// A link's ratios as whole bit/s. The error bar shrinks what the planner steers by; the overload that a plan reports is measured against the plain threshold.
/// </summary>
/// <param name="ThresholdBps">threshold × capacity: what overload is measured against.</param>
/// <param name="TriggerBps">threshold × capacity × (1 − error): relieve above. The capacity while the overload is unconfirmed.</param>
/// <param name="ReliefBps">What relief aims at once it has to act: the trigger less the margin, so that creeping demand does not need a move every cycle.</param>
/// <param name="EnterBps">Most load after a prefix was moved here: ceiling × capacity × (1 − error), never above the trigger; 0 if down, drained or distrusted.</param>
/// <param name="ReleaseBps">Most load after an override was given back here: release × capacity × (1 − error), never above the ceiling; 0 if down.</param>
internal readonly record struct LinkLimits(long ThresholdBps, long TriggerBps, long ReliefBps, long EnterBps, long ReleaseBps)
{
    /// <summary>The limits of a link.</summary>
    /// <param name="link">The link.</param>
    /// <param name="reliefMargin">See <see cref="PlannerOptions.ReliefMargin"/>.</param>
    public static LinkLimits Of(LinkState link, double reliefMargin = 0)
    {
        double error = link.ErrorRatio ?? 0;
        long threshold = Part(link.CapacityBps, link.Threshold);
        long sure = Part(threshold, 1 - error);
        long trigger = link.Unconfirmed ? Math.Max(sure, Part(link.CapacityBps, 1 - error)) : sure;
        long relief = Math.Max(0, sure - Part(link.CapacityBps, reliefMargin));
        long ceiling = Math.Min(sure, Part(Part(link.CapacityBps, link.Ceiling), 1 - error));
        long release = Math.Min(ceiling, Part(Part(link.CapacityBps, link.Release), 1 - error));
        return new(threshold, trigger, relief, link is { Up: true, Drain: false, Distrusted: false } ? ceiling : 0, link.Up ? release : 0);
    }

    /// <summary>
    /// ratio × value rounded down. In decimal, because 0.95 × 10^10 in binary floating point need not be 9 500 000 000.
    /// </summary>
    public static long Part(long value, double ratio) => (long)decimal.Floor(value * (decimal)ratio);
}
