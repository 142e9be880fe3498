using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Host.RouteFeed;

/// <summary>
/// Carries the set of reachable prefixes from the speaker into the lookup table. It is the table's only writer: the speaker's thread
/// adds and removes, the control loop ends snapshot periods, and a lock makes one writer of the two.
/// </summary>
public sealed class RouteFeed(PrefixTable table) : IRibListener
{
    private readonly Lock _gate = new();
    private long _changes;

    /// <summary>Additions and removals so far.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    /// <inheritdoc/>
    public void PrefixAdded(IpPrefix prefix)
    {
        lock (_gate)
        {
            table.Add(prefix);
            _changes++;
        }
    }

    /// <inheritdoc/>
    public void PrefixRemoved(IpPrefix prefix)
    {
        lock (_gate)
        {
            table.Remove(prefix);
            _changes++;
        }
    }

    /// <summary>Ends a snapshot period, see <see cref="PrefixTable.Tick"/>.</summary>
    public void Tick()
    {
        lock (_gate)
        {
            table.Tick();
        }
    }
}
