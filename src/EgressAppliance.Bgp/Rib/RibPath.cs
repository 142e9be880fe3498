using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>One path of a prefix as a router announced it to us: a route with its path identifier (RFC 7911; 0 without ADD-PATH).</summary>
/// <param name="Peer">Index of the source: of a peer, that in <see cref="Speaker.IBgpSpeaker.GetPeers"/>.</param>
/// <param name="PathId">Path identifier, opaque.</param>
/// <param name="Attributes">The attributes.</param>
public readonly record struct RibPath(int Peer, uint PathId, PathAttributes Attributes)
{
    /// <summary>The table in which BMP shows the path, or null if it came by a session. In answers of the speaker, Peer is then the router's index all the same.</summary>
    public BmpSource? Monitored { get; init; }

    /// <summary>The path's next hop.</summary>
    public NextHop NextHop => Attributes.NextHop;
}
