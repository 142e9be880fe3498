namespace EgressAppliance.Simulator.Routing;

/// <summary>
/// The transmit side of one port: a queue that drains at the port's speed. What does not fit is dropped, and only what has left counts as
/// ifHCOutOctets, so the counter saturates at the speed while a mirror, which copies before the queue, shows the whole offered load.
/// Written by one thread; the counters may be read from any.
/// </summary>
public sealed class EgressInterface
{
    /// <summary>How much a port buffers before it drops.</summary>
    public static readonly TimeSpan QueueDepth = TimeSpan.FromMilliseconds(50);

    private readonly double _bytesPerSecond;
    private readonly double _queueLimit;
    private double _queued;
    private double _sent;
    private TimeSpan _now;
    private long _outOctets;
    private long _droppedFrames;

    internal EgressInterface(long capacityBps)
    {
        _bytesPerSecond = capacityBps / 8.0;
        _queueLimit = _bytesPerSecond * QueueDepth.TotalSeconds;
    }

    /// <summary>Octets that left the port, layer-2 framing included: ifHCOutOctets (RFC 2863).</summary>
    public long OutOctets => Volatile.Read(ref _outOctets);

    /// <summary>Frames dropped because the queue was full.</summary>
    public long DroppedFrames => Volatile.Read(ref _droppedFrames);

    /// <summary>Queues one frame; false if it was dropped.</summary>
    /// <param name="octets">Length with layer-2 header and FCS.</param>
    public bool Offer(int octets)
    {
        if (_queued + octets > _queueLimit)
        {
            Volatile.Write(ref _droppedFrames, _droppedFrames + 1);
            return false;
        }

        _queued += octets;
        return true;
    }

    /// <summary>Lets the queue drain up to this moment.</summary>
    public void DrainTo(TimeSpan now)
    {
        double leaves = Math.Min(_queued, (now - _now).TotalSeconds * _bytesPerSecond);
        _now = now;
        _queued -= leaves;
        _sent += leaves;
        Volatile.Write(ref _outOctets, (long)_sent);
    }
}
