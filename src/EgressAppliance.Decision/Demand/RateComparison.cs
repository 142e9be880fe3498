namespace EgressAppliance.Decision.Demand;

/// <summary>What interface counter and mirror said of the same interval.</summary>
/// <param name="CounterBps">By the interface counter, bit/s.</param>
/// <param name="MirrorBps">By the mirror, sampling and layer-2 overhead considered, bit/s.</param>
/// <param name="PacketsPerSecond">Packets by the mirror, sampling considered.</param>
/// <param name="Seconds">Length of the interval.</param>
public readonly record struct RateComparison(double CounterBps, double MirrorBps, double PacketsPerSecond, double Seconds)
{
    /// <summary>Mirror divided by counter; infinite if the counter stood still.</summary>
    public double Ratio => MirrorBps / CounterBps;

    /// <summary>Both intervals as one.</summary>
    public RateComparison Join(RateComparison next)
    {
        double seconds = Seconds + next.Seconds;
        double first = Seconds / seconds;
        double second = next.Seconds / seconds;
        return new(
            (CounterBps * first) + (next.CounterBps * second), (MirrorBps * first) + (next.MirrorBps * second),
            (PacketsPerSecond * first) + (next.PacketsPerSecond * second), seconds);
    }
}
