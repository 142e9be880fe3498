namespace EgressAppliance.Decision.Demand;

/// <summary>
/// How wrong a measured rate may be, relative to it. Sampling errs at random, and this is its 95 % limit; loss and age err to one side, and theirs are bounds. A limit
/// and bounds that may all be reached at once add up (<see cref="Sum"/>); only independent random errors could be added in squares.
/// </summary>
public static class ErrorBars
{
    /// <summary>Bytes of the largest packet that is reckoned with: the IP packet of a 1500-byte MTU.</summary>
    public const double LargestPacket = 1500;

    private const double Confidence95 = 1.96;

    // "Rule of three": what was sampled so rarely may as well have been three times as much.
    private const double FewPackets = 3;

    /// <summary>
    /// The error from counting one packet in <paramref name="sampling"/>, 0–1.
    /// </summary>
    /// <remarks>
    /// Each packet of size L is counted N·L with probability 1/N, so that the sum over a traffic of M packets is unbiased with the variance (N − 1)·ΣL². Relative to
    /// (ΣL)², with n = M/N packets sampled, that is (1 − 1/N)/n · E[L²]/E[L]², and 1.96 of its root is the 95 % limit: for equal sizes the 196·√(1/n) % of P. Phaal and
    /// S. Panchen, "Packet Sampling Basics" (sFlow.org). The spread of sizes is not measured; but as no packet is larger than Lmax, E[L²] ≤ Lmax·E[L], and the
    /// factor is at most Lmax divided by the average size, whatever the mix.
    /// </remarks>
    /// <param name="packets">Packets sampled, n.</param>
    /// <param name="sampling">N; 1: nothing is left out, and nothing is in error.</param>
    /// <param name="averageBytes">Their average size; not positive: unknown, and taken as an eighth of the largest.</param>
    public static double Sampling(double packets, double sampling, double averageBytes)
    {
        if (sampling <= 1)
        {
            return 0;
        }

        double spread = averageBytes > 0 ? Math.Clamp(LargestPacket / averageBytes, 1, 32) : 8;
        return packets <= FewPackets ? 1 : Math.Min(1, Confidence95 * Math.Sqrt((1 - (1 / sampling)) * spread / packets));
    }

    /// <summary>The error from losing the share <paramref name="loss"/> of frames: what was seen is 1 − loss of the truth, which is higher by loss/(1 − loss), 0–1.</summary>
    /// <param name="loss">Frames lost as a share of all, 0–1.</param>
    public static double Loss(double loss) => loss is > 0 and < 1 ? Math.Min(1, loss / (1 - loss)) : loss > 0 ? 1 : 0;

    /// <summary>
    /// The error from not having been refreshed, 0–1: the share of the rate that would have decayed by now, had it been gone since the last packet.
    /// </summary>
    /// <param name="silentSeconds">Time since the last packet.</param>
    /// <param name="window">Averaging window: a rate falls to 5 % within it.</param>
    public static double Age(double silentSeconds, TimeSpan window) =>
        silentSeconds > 0 ? 1 - Math.Exp(-3 * silentSeconds / Math.Max(1, window.TotalSeconds)) : 0;

    /// <summary>All of them together, 0–1.</summary>
    public static double Sum(double sampling, double loss, double age) => Math.Min(1, sampling + loss + age);

    /// <summary>
    /// By how much limits shrink so that a load with that error stays under them: load · (1 + error) ≤ limit is load ≤ limit · (1 − error/(1 + error)).
    /// </summary>
    /// <param name="error">Relative error of a load.</param>
    public static double Shrink(double error) => error > 0 ? error / (1 + error) : 0;
}
