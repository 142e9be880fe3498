namespace EgressAppliance.Decision.Demand;

/// <summary>Weights of exponential averaging for a tick of a given length: 1 − e^(−t/τ), with τ a third of the time to follow 95 % of a step.</summary>
internal static class Smoothing
{
    private const int FastTicks = 3;
    private const double MeanSeconds = 120;

    /// <summary>95 % within window/10 or three ticks.</summary>
    public static double Fast(TimeSpan window, double seconds) => Weight(Math.Max(FastTicks * seconds, window.TotalSeconds / 10), seconds);

    /// <summary>95 % within the window, or three ticks if that is longer.</summary>
    public static double Slow(TimeSpan window, double seconds) => Weight(Math.Max(FastTicks * seconds, window.TotalSeconds), seconds);

    /// <summary>
    /// A mean of the last two minutes. Exponential weights of time constant T/2 have the mean age and the noise of an even mean over T; until that time has passed, all
    /// that was measured counts alike.
    /// </summary>
    /// <param name="seconds">Length of the tick.</param>
    /// <param name="measured">Seconds measured so far, this tick included.</param>
    public static double Mean(double seconds, double measured) => Math.Max(seconds / measured, 1 - Math.Exp(-2 * seconds / MeanSeconds));

    private static double Weight(double reachSeconds, double seconds) => 1 - Math.Exp(-3 * seconds / reachSeconds);
}
