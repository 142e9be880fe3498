namespace EgressAppliance.Decision.Demand;

/// <summary>
/// The rate of one counter by exponential averaging, alike for rise and fall: what a link's mirror rate is shown and gated with.
/// A step is followed to 95 % within a tenth of the window or three ticks, whichever is longer.
/// </summary>
/// <param name="window">Averaging window.</param>
public sealed class RateMeter(TimeSpan window)
{
    private double _rate;
    private long _pending;
    private double _pendingPackets;
    private double _bytes;
    private bool _started;

    /// <summary>The rate, bit/s.</summary>
    public long RateBps => (long)_rate;

    /// <summary>Packets that the rate rests on, weighted by age as their bytes are.</summary>
    public double Packets { get; private set; }

    /// <summary>Average size of these packets as given, bytes; 0 without any.</summary>
    public double AverageBytes => Packets > 0 ? _bytes / Packets : 0;

    /// <summary>Adds bytes of the tick under way.</summary>
    /// <param name="bytes">Bytes.</param>
    /// <param name="packets">Packets that were seen.</param>
    public void Add(long bytes, double packets = 0)
    {
        _pending += bytes;
        _pendingPackets += packets;
    }

    /// <summary>Ends a tick; one of no or negative length is joined to the next.</summary>
    public void EndTick(TimeSpan elapsed)
    {
        double seconds = elapsed.TotalSeconds;
        if (seconds <= 0)
        {
            return;
        }

        double sample = _pending * 8 / seconds;
        double weight = Smoothing.Fast(window, seconds);
        _bytes += _pending - (weight * _bytes);
        Packets += _pendingPackets - (weight * Packets);
        _pendingPackets = _pending = 0;
        _rate = _started ? _rate + (weight * (sample - _rate)) : sample;
        _started = true;
    }
}
