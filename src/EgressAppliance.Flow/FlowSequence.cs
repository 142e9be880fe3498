namespace EgressAppliance.Flow;

/// <summary>Follows one sequence number and finds what was lost, came late, or began anew. Numbers wrap at 2^32.</summary>
public sealed class FlowSequence
{
    /// <summary>A step forward by more than this is a new beginning, not a loss.</summary>
    public const int MaxGap = 1 << 20;

    private readonly int _reorderWindow;
    private uint _expected;
    private uint _last;
    private bool _countsItself;
    private uint _uptime;
    private bool _known;

    /// <summary>A sequence that may go back by <paramref name="reorderWindow"/> units where datagrams overtook each other.</summary>
    internal FlowSequence(int reorderWindow) => _reorderWindow = reorderWindow;

    /// <summary>Units that came.</summary>
    public long Received { get; private set; }

    /// <summary>Units missing: flows (version 5), datagrams (version 9, sFlow), data records (IPFIX) or samples (sFlow, per source).</summary>
    public long Lost { get; private set; }

    /// <summary>Datagrams or samples that came after a later one. What they bring is taken off <see cref="Lost"/>.</summary>
    public long Reordered { get; private set; }

    /// <summary>Times the exporter began anew.</summary>
    public long Restarts { get; private set; }

    /// <summary>Takes one number. <paramref name="units"/> is how far the next one lies ahead; null if that cannot be known.</summary>
    /// <param name="sequence">The number received.</param>
    /// <param name="units">Units that this datagram carries.</param>
    /// <param name="uptimeMilliseconds">The exporter's uptime, or null where the protocol has none.</param>
    internal void Observe(uint sequence, uint? units, uint? uptimeMilliseconds)
    {
        Received += units ?? 0;
        int step = _known ? Step(sequence, units) : 0;
        // Uptime wraps after 49 days without a restart: then the sequence just goes on. It steps back a little where datagrams overtake each other.
        bool rebooted = _known && uptimeMilliseconds is { } uptime && unchecked((int)(uptime - _uptime)) < -10_000;
        if (step != 0 && (rebooted || step > MaxGap || step < -_reorderWindow || (step < 0 && sequence == 0)))
        {
            Restarts++;
        }
        else if (step < 0)
        {
            Reordered++;
            Lost = Math.Max(0, Lost - (units ?? 0));
            return;
        }
        else
        {
            Lost += step;
        }

        _known = units is not null;
        _last = sequence;
        _expected = unchecked(sequence + (units ?? 0));
        _uptime = uptimeMilliseconds ?? 0;
    }

    /// <summary>
    /// How far a number lies beyond the expected one. It is that of the units before its datagram (RFC 7011 section 3.1); some exporters, softflowd among them, count those in it as
    /// well. Whichever fits exactly tells which it is.
    /// </summary>
    private int Step(uint sequence, uint? units)
    {
        int without = unchecked((int)(sequence - _expected));
        int with = units is { } own ? unchecked((int)(sequence - own - _last)) : without;
        if (without == 0 != (with == 0))
        {
            _countsItself = with == 0;
        }

        return _countsItself ? with : without;
    }
}
