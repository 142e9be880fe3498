using EgressAppliance.Decision.Demand;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>The rate of one prefix as of a cycle.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link it was seen to leave by; <see cref="LinkId.None"/> if by none that is configured.</param>
/// <param name="RateBps">Rate with layer-2 overhead, bit/s.</param>
/// <param name="PacketsPerSecond">Packets per second over the last cycle.</param>
/// <param name="MeanBps">Mean of the last two minutes, bit/s.</param>
/// <param name="ErrorRatio">Relative error of the rate, not negative; more than 1 where the mirror shows less than half of what the link's counter does.</param>
public readonly record struct PrefixRate(IpPrefix Prefix, LinkId Link, long RateBps, double PacketsPerSecond, long MeanBps = 0, double ErrorRatio = 0);

/// <summary>The rates of the largest prefixes as of a cycle, largest first. Immutable; any thread.</summary>
public sealed class RateView
{
    private readonly PrefixRate[] _sorted;
    private readonly Dictionary<IpPrefix, int> _index;

    /// <summary>Takes the estimator's picture and the packet rates of the last cycle.</summary>
    /// <param name="top">The largest.</param>
    /// <param name="packetsPerSecond">Gives the packets per second of a prefix.</param>
    /// <param name="error">Gives the relative error of a rate; null: nothing is known of it.</param>
    public RateView(
        IReadOnlyList<DemandRate<IpPrefix>> top, Func<IpPrefix, double> packetsPerSecond, Func<DemandRate<IpPrefix>, double>? error = null)
    {
        _sorted = new PrefixRate[top.Count];
        _index = new Dictionary<IpPrefix, int>(top.Count);
        for (int i = 0; i < top.Count; i++)
        {
            DemandRate<IpPrefix> rate = top[i];
            _sorted[i] = new PrefixRate(rate.Key, rate.Link, rate.RateBps, packetsPerSecond(rate.Key), rate.MeanBps, error?.Invoke(rate) ?? 0);
            _index[rate.Key] = i;
        }
    }

    /// <summary>No rates.</summary>
    public static RateView Empty { get; } = new([], _ => 0);

    /// <summary>All rates, largest first.</summary>
    public IReadOnlyList<PrefixRate> Sorted => _sorted;

    /// <summary>The rate of a prefix, or null if it is none of the largest.</summary>
    public PrefixRate? Find(IpPrefix prefix) => _index.TryGetValue(prefix, out int i) ? _sorted[i] : null;

    /// <summary>The largest, all links or one.</summary>
    public IEnumerable<PrefixRate> Top(int count, LinkId? link) => _sorted.Where(r => link is null || r.Link == link).Take(count);
}
