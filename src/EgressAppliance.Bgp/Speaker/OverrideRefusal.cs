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

    /// <summary>Not all paths of the router are known: it sends best paths only (no ADD-PATH), and BMP does not show its tables, or not wholly yet.</summary>
    BestPathOnly,

    /// <summary>The cap on overrides is reached.</summary>
    TooMany,

    /// <summary>A router would have more prefixes from us than it accepts (<see cref="BgpPeerOptions.PeerAcceptsAtMost"/>).</summary>
    PeerLimit,

    /// <summary>
    /// The path's attributes, with what we add to them, leave no room for the prefix in one message to a router: 4096 octets (RFC 4271 section 4.1), or 65535
    /// where extended messages are agreed on (RFC 8654).
    /// </summary>
    TooLarge,

    /// <summary>Another controller leads, or may by now (<see cref="BgpSpeakerOptions.MayAnnounce"/>).</summary>
    NotLeading,
}
