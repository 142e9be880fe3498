namespace EgressAppliance.Host.Interfaces;

/// <summary>
/// ifHighSpeed with its first readings distrusted: right after its start an agent may report garbage for a poll. A value counts
/// when it was read twice in a row; a lower one than the one in force counts at once, since a link aggregate that lost a member
/// must not be taken for whole.
/// </summary>
public sealed class CapacityFilter
{
    private long? _before;

    /// <summary>The capacity in force, bit/s; null while unknown.</summary>
    public long? Bps { get; private set; }

    /// <summary>Takes a reading.</summary>
    /// <param name="highSpeedMbps">ifHighSpeed, Mbit/s; 0 if the router does not know.</param>
    public void Add(ulong highSpeedMbps)
    {
        long bps = (long)highSpeedMbps * 1_000_000;
        if (bps == _before || (Bps is { } inForce && bps < inForce && bps > 0))
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
