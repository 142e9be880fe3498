namespace EgressAppliance.Host.Interfaces;

/// <summary>A 32-bit counter of rare events (errors, discards) added up since the first reading, over its wraps and restarts.</summary>
public sealed class EventCount
{
    private uint? _last;

    /// <summary>Events since the first reading; null before it. A counter that wraps between two readings is taken for one that began anew.</summary>
    public long? Total { get; private set; }

    /// <summary>Takes a reading.</summary>
    public void Add(uint value)
    {
        Total = _last is not { } last ? Total ?? 0 : Total + (value >= last ? value - last : value);
        _last = value;
    }

    /// <summary>The next reading is not compared with the one before: it may be of another interface.</summary>
    public void Break() => _last = null;
}
