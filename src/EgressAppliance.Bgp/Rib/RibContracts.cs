using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>ORIGIN (RFC 4271 section 5.1.1). Lower is preferred.</summary>
public enum Origin : byte
{
    /// <summary>Interior.</summary>
    Igp = 0,

    /// <summary>Learned by EGP.</summary>
    Egp = 1,

    /// <summary>Anything else.</summary>
    Incomplete = 2,
}

/// <summary>One path of a prefix as a router announced it to us: a route with its path identifier (RFC 7911; 0 without ADD-PATH).</summary>
/// <param name="Peer">Index of the peer in <see cref="Speaker.IBgpSpeaker.GetPeers"/>.</param>
/// <param name="PathId">Path identifier, opaque.</param>
/// <param name="Attributes">The interned attribute set.</param>
public readonly record struct RibPath(int Peer, uint PathId, PathAttributes Attributes)
{
    /// <summary>The path's next hop.</summary>
    public NextHop NextHop => Attributes.NextHop;
}

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
