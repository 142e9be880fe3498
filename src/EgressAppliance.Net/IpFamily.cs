namespace EgressAppliance.Net;

/// <summary>An address family. Values are the IANA Address Family Numbers that BGP calls AFI (RFC 4760 section 3).</summary>
public enum IpFamily : byte
{
    /// <summary>IPv4, AFI 1.</summary>
    IPv4 = 1,

    /// <summary>IPv6, AFI 2.</summary>
    IPv6 = 2,
}
