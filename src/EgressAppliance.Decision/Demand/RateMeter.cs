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
    private bool _started;

    /// <summary>The rate, bit/s.</summary>
    public long RateBps => (long)_rate;

    /// <summary>Adds bytes of the tick under way.</summary>
    public void Add(long bytes) => _pending += bytes;

    /// <summary>Ends a tick; one of no or negative length is joined to the next.</summary>
    public void EndTick(TimeSpan elapsed)
    {
        double seconds = elapsed.TotalSeconds;
        if (seconds <= 0)
        {
            return;
        }

        double sample = _pending * 8 / seconds;
        _pending = 0;
        _rate = _started ? _rate + (Smoothing.Fast(window, seconds) * (sample - _rate)) : sample;
        _started = true;
    }
}
