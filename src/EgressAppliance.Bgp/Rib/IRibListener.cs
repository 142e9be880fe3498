using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>
/// Told of changes to the reachable prefixes and their paths over all peers. Called by the speaker in order, one call at a time, from its own
/// thread: implementations are quick and do not call back into the speaker.
/// </summary>
public interface IRibListener
{
    /// <summary>The first path for the prefix was learned.</summary>
    void PrefixAdded(IpPrefix prefix);

    /// <summary>A path of the prefix came, changed or went, whether or not it was the first or last.</summary>
    void PathsChanged(IpPrefix prefix)
    {
    }

    /// <summary>The last path for the prefix went.</summary>
    void PrefixRemoved(IpPrefix prefix);
}
