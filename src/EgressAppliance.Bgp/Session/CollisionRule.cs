using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Bgp.Session;

/// <summary>
/// Which of two connections with one peer stays (RFC 4271 section 6.8). The RFC looks at connections in OpenConfirm and allows to look at those in
/// OpenSent where the peer is known by other means than its OPEN; here it is known by its address.
/// </summary>
internal static class CollisionRule
{
    /// <summary>
    /// True if the connection whose OPEN has just come stays and the other is closed.
    /// </summary>
    /// <param name="newIsIncoming">The peer made the connection of the OPEN.</param>
    /// <param name="other">State of the other connection: OpenSent, OpenConfirm or Established.</param>
    /// <param name="ourId">Our BGP identifier.</param>
    /// <param name="peerId">The peer's, from its OPEN.</param>
    /// <param name="ourAs">Our AS.</param>
    /// <param name="peerAs">The peer's AS.</param>
    public static bool NewStays(bool newIsIncoming, SessionState other, uint ourId, uint peerId, uint ourAs, uint peerAs)
    {
        if (other == SessionState.Established)
        {
            return false;
        }

        // RFC 6286 section 2.3: equal identifiers, which only different ASes may have, are told apart by the AS.
        bool oursStays = ourId != peerId ? ourId > peerId : ourAs > peerAs;
        return newIsIncoming != oursStays;
    }
}
