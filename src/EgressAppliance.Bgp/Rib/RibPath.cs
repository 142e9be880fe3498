using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>One path of a prefix as a router announced it to us: a route with its path identifier (RFC 7911; 0 without ADD-PATH).</summary>
/// <param name="Peer">Index of the source: of a peer, that in <see cref="Speaker.IBgpSpeaker.GetPeers"/>.</param>
/// <param name="PathId">Path identifier, opaque.</param>
/// <param name="Attributes">The attributes.</param>
public readonly record struct RibPath(int Peer, uint PathId, PathAttributes Attributes)
{
    /// <summary>The path's next hop.</summary>
    public NextHop NextHop => Attributes.NextHop;
}
