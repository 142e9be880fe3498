using System.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>One peer as it stands.</summary>
/// <param name="Name">The router's name.</param>
/// <param name="RemoteAddress">The router's address.</param>
/// <param name="State">FSM state.</param>
/// <param name="Since">When the state was entered.</param>
/// <param name="AddPath">ADD-PATH receive is in force for every negotiated family; without it only the best path is seen and nothing may be moved.</param>
/// <param name="TableComplete">End-of-RIB came for each family, or the quiet time passed.</param>
/// <param name="RoutesIPv4">IPv4 paths held.</param>
/// <param name="RoutesIPv6">IPv6 paths held.</param>
/// <param name="Overrides">Overrides announced to it.</param>
/// <param name="MessagesReceived">BGP messages since start.</param>
/// <param name="MessagesSent">BGP messages since start.</param>
/// <param name="Transitions">Times the session went up.</param>
/// <param name="UpdateErrors">UPDATEs handled by RFC 7606.</param>
/// <param name="LastError">Why the session last went down or could not come up, in words, or null.</param>
public sealed record PeerStatus(
    string Name, IPAddress RemoteAddress, SessionState State, DateTimeOffset Since, bool AddPath, bool TableComplete,
    int RoutesIPv4, int RoutesIPv6, int Overrides, long MessagesReceived, long MessagesSent, long Transitions, long UpdateErrors, string? LastError)
{
    /// <summary>The router has sent so many prefixes that its limit is near (<see cref="BgpPeerOptions.MaxPrefixWarning"/>).</summary>
    public bool MaxPrefixWarning { get; init; }

    /// <summary>Overrides in force that the router has not been told of yet: the rate limit, a queue it does not empty, or its limit on prefixes holds them back.</summary>
    public int OverridesWaiting { get; init; }
}
