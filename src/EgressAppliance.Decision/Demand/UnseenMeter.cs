namespace EgressAppliance.Decision.Demand;

/// <summary>
/// What a link's interface counter shows beyond the mirror: frames that the mirror lost or never gets, such as the router's own. It is load that nobody can
/// move. One comparison proves little, because the two are not read at the same moment and traffic moves between links; so what counts is the
/// least of the last comparisons: what has been missing throughout.
/// </summary>
public sealed class UnseenMeter
{
    /// <summary>Comparisons of which the least counts.</summary>
    public const int Comparisons = 6;

    private readonly Queue<long> _differences = new();

    /// <summary>Load beyond the mirror, bit/s; 0 until there were enough comparisons.</summary>
    public long UnseenBps => _differences.Count < Comparisons ? 0 : Math.Max(0, _differences.Min());

    /// <summary>Compares the rates over the same interval, that of a poll of the counter.</summary>
    /// <param name="counterBps">By the interface counter, bit/s.</param>
    /// <param name="mirrorBps">By the mirror, layer-2 overhead included, bit/s.</param>
    public void Compare(long counterBps, long mirrorBps)
    {
        if (_differences.Count == Comparisons)
        {
            _differences.Dequeue();
        }

        _differences.Enqueue(counterBps - mirrorBps);
    }
}
