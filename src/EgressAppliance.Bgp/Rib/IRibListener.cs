using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>
/// Told of changes to the set of reachable prefixes over all peers. Called by the speaker in order, one call at a time, from its own
/// thread: implementations are quick and do not call back into the speaker.
/// </summary>
public interface IRibListener
{
    /// <summary>The first path for the prefix was learned.</summary>
    void PrefixAdded(IpPrefix prefix);

    /// <summary>The last path for the prefix went.</summary>
    void PrefixRemoved(IpPrefix prefix);
}
