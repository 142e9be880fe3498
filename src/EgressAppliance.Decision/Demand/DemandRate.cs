using EgressAppliance.Net;

namespace EgressAppliance.Decision.Demand;

/// <summary>The estimated rate of one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="RateBps">Rate, bit/s: rises are followed fast, falls slowly.</param>
/// <param name="Link">The link that carried most of its bytes in the latest tick in which it had any.</param>
/// <param name="LinkMajority">That link carried at least half of them: what confirms an override.</param>
public readonly record struct DemandRate<TKey>(TKey Key, long RateBps, LinkId Link, bool LinkMajority)
{
    /// <summary>Mean of the last two minutes, or of all that was measured if that is less, bit/s.</summary>
    public long MeanBps { get; init; }

    /// <summary>Captured packets that the rate rests on, weighted by age.</summary>
    public double Packets { get; init; }

    /// <summary>Relative error from sampling at 95 % confidence, 0–1; see <see cref="ErrorBars.Sampling"/>.</summary>
    public double SamplingError { get; init; }

    /// <summary>
    /// Relative error for not having been refreshed, 0–1; see <see cref="ErrorBars.Age"/>. What flow export reports is refreshed while it is paid out: such a rate is as old
    /// as its records are long, and that is not in here.
    /// </summary>
    public double AgeError { get; init; }
}
