namespace EgressAppliance.Bgp.Speaker;

/// <summary>States of the BGP finite state machine (RFC 4271 section 8.2.2).</summary>
public enum SessionState
{
    /// <summary>Not trying.</summary>
    Idle,

    /// <summary>Waiting for the TCP connection.</summary>
    Connect,

    /// <summary>Listening, or waiting to retry.</summary>
    Active,

    /// <summary>OPEN sent.</summary>
    OpenSent,

    /// <summary>OPEN received, KEEPALIVE awaited.</summary>
    OpenConfirm,

    /// <summary>Routes are exchanged.</summary>
    Established,
}
