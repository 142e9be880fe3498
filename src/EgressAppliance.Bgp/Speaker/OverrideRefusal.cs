namespace EgressAppliance.Bgp.Speaker;

/// <summary>Why a path cannot be an override.</summary>
public enum OverrideRefusal
{
    /// <summary>It can.</summary>
    None,

    /// <summary>No live path for exactly this prefix has this next hop.</summary>
    PathNotLearned,

    /// <summary>The next hop is not in the configured list.</summary>
    NextHopNotAllowed,

    /// <summary>The next hop is an address of our own: routers accept that and black-hole.</summary>
    NextHopIsOurs,

    /// <summary>The path's AS_PATH is empty.</summary>
    EmptyAsPath,

    /// <summary>The peer sends best paths only (no ADD-PATH).</summary>
    BestPathOnly,

    /// <summary>The cap on overrides is reached.</summary>
    TooMany,

    /// <summary>A router would have more prefixes from us than it accepts (<see cref="BgpPeerOptions.PeerAcceptsAtMost"/>).</summary>
    PeerLimit,
}
