namespace EgressAppliance.Decision.Demand;

/// <summary>
/// What a link's interface counter shows beyond the mirror: frames that the mirror lost or never gets, such as the router's own. It is load that nobody can
/// move. One comparison proves little, because the two are not read at the same moment, traffic moves between links, and the counter's rate is a mean of half a minute, which
/// is above the mirror's as long as traffic falls; so what counts is the least of the last comparisons: what has been missing throughout.
/// </summary>
public sealed class UnseenMeter
{
    /// <summary>Comparisons of which the least counts.</summary>
    public const int Comparisons = 6;

    // As for beliefs, see RateBelief: shorter ones are put together, so that all are longer than the time over which a counter's rate is a mean.
    private const double LeastSeconds = 8;

    private readonly Queue<long> _differences = new(Comparisons);
    private double _bits;
    private double _seconds;

    /// <summary>Load beyond the mirror, bit/s; 0 until there were enough comparisons.</summary>
    public long UnseenBps => _differences.Count < Comparisons ? 0 : Math.Max(0, _differences.Min());

    /// <summary>Compares the rates over the same interval, that of a poll of the counter.</summary>
    /// <param name="counterBps">By the interface counter, bit/s.</param>
    /// <param name="mirrorBps">By the mirror, layer-2 overhead included, bit/s.</param>
    /// <param name="seconds">Length of the interval.</param>
    public void Compare(double counterBps, double mirrorBps, double seconds)
    {
        _bits += (counterBps - mirrorBps) * seconds;
        _seconds += seconds;
        if (_seconds < LeastSeconds)
        {
            return;
        }

        if (_differences.Count == Comparisons)
        {
            _differences.Dequeue();
        }

        _differences.Enqueue((long)(_bits / _seconds));
        _bits = _seconds = 0;
    }
}
