namespace EgressAppliance.Host.Interfaces;

/// <summary>
/// ifHighSpeed with its first readings distrusted: right after its start an agent may report garbage, and keep that in its cache for some seconds. A value counts when it was
/// still read after the time of such a cache, and nothing else between; a lower one than the one in force counts at once, since a link aggregate that lost a member must not be taken for whole.
/// </summary>
public sealed class CapacityFilter
{
    // net-snmp keeps its table of interfaces for three seconds.
    private static readonly TimeSpan AgentCache = TimeSpan.FromSeconds(4);
    private long? _before;
    private TimeSpan _since;

    /// <summary>The capacity in force, bit/s; null while unknown.</summary>
    public long? Bps { get; private set; }

    /// <summary>Takes a reading.</summary>
    /// <param name="now">When, on a clock that nobody sets.</param>
    /// <param name="highSpeedMbps">ifHighSpeed, Mbit/s; 0 if the router does not know.</param>
    public void Add(TimeSpan now, ulong highSpeedMbps)
    {
        long bps = (long)highSpeedMbps * 1_000_000;
        _since = bps == _before ? _since : now;
        if ((bps == _before && now - _since >= AgentCache) || (Bps is { } inForce && bps < inForce && bps > 0))
        {
            Bps = bps == 0 ? null : bps;
        }

        _before = bps;
    }

    /// <summary>Forgets everything.</summary>
    public void Reset()
    {
        _before = null;
        Bps = null;
    }
}
