namespace EgressAppliance.Bgp.Speaker;

/// <summary>What became of a wish for a router's routes anew.</summary>
public enum RefreshOutcome
{
    /// <summary>ROUTE-REFRESH was sent, for at least one family.</summary>
    Sent,

    /// <summary>No router has this name.</summary>
    UnknownPeer,

    /// <summary>The session is not established.</summary>
    NotEstablished,

    /// <summary>The router does not understand ROUTE-REFRESH (RFC 2918).</summary>
    NotNegotiated,

    /// <summary>The family is not exchanged with this router.</summary>
    FamilyNotNegotiated,

    /// <summary>The last request is too recent (<see cref="BgpSpeakerOptions.RefreshInterval"/>), or the router does not read.</summary>
    TooSoon,
}
