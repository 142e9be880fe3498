using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>What the two OPENs of an established session agreed on.</summary>
/// <param name="PeerRouterId">The router's BGP identifier, host order.</param>
/// <param name="Internal">Both are in one AS (iBGP).</param>
/// <param name="HoldTime">Hold time in force, the lower of both proposals; zero: none, and no KEEPALIVEs are sent (RFC 4271 section 4.2).</param>
/// <param name="Families">Families exchanged (RFC 4760).</param>
/// <param name="AddPathFamilies">Families of which the router sends all paths (RFC 7911).</param>
/// <param name="RouteRefresh">The router sends its routes anew when asked (RFC 2918).</param>
/// <param name="FourOctetAs">AS numbers have four octets on the wire (RFC 6793).</param>
/// <param name="ExtendedMessage">Messages may have up to 65,535 octets (RFC 8654).</param>
/// <param name="ExtendedNextHop">IPv4 routes may have IPv6 next hops (RFC 8950).</param>
public sealed record NegotiatedSession(
    uint PeerRouterId, bool Internal, TimeSpan HoldTime, IReadOnlyList<IpFamily> Families, IReadOnlyList<IpFamily> AddPathFamilies, bool RouteRefresh,
    bool FourOctetAs, bool ExtendedMessage, bool ExtendedNextHop)
{
    /// <summary>Time between our KEEPALIVEs, without jitter: a third of the hold time.</summary>
    public TimeSpan KeepaliveInterval => HoldTime / 3;
}
