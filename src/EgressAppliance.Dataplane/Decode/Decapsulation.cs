namespace EgressAppliance.Dataplane.Decode;

/// <summary>Tunnels that are taken off before a frame is counted.</summary>
/// <remarks>
/// There are two ways to use it. With single tunnels named, the mirror itself arrives in one of them: a frame whose first IP header carries a named tunnel is
/// taken out of that one tunnel and decoded as if the mirror had delivered what lies in it; any other frame is decoded as it is.
/// <see cref="Innermost"/> takes off all tunnels, one within the other.
/// </remarks>
[Flags]
public enum Decapsulation
{
    /// <summary>None: the first IP header of the frame is counted.</summary>
    None = 0,

    /// <summary>ERSPAN types I, II and III over GRE (draft-foschiano-erspan-03).</summary>
    Erspan = 1,

    /// <summary>VXLAN, UDP destination port 4789 (RFC 7348).</summary>
    Vxlan = 2,

    /// <summary>GRE with IP, Ethernet, PPP or MPLS within (RFC 2784, RFC 2890, RFC 2637). ERSPAN is not meant by it.</summary>
    Gre = 4,

    /// <summary>IP directly in IP: protocol numbers 4 and 41 (RFC 2003, RFC 2473, RFC 4213).</summary>
    IpInIp = 8,

    /// <summary>
    /// Every tunnel there is, down to the last IP header that can be read. Where a tunnel holds no readable IP packet, or a fragment begins within it,
    /// the IP header in front of it counts. Beside it, other values have no effect.
    /// </summary>
    Innermost = 16,
}
