using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>What two speakers negotiated, as far as it changes how messages are read and written. Not negotiated: a default value with 2-octet AS numbers.</summary>
public readonly record struct BgpCodecOptions
{
    /// <summary>AS numbers have 4 octets (RFC 6793).</summary>
    public bool FourOctetAs { get; init; }

    /// <summary>IPv4 unicast NLRI carry path identifiers (RFC 7911) in this direction.</summary>
    public bool AddPathIPv4 { get; init; }

    /// <summary>IPv6 unicast NLRI carry path identifiers (RFC 7911) in this direction.</summary>
    public bool AddPathIPv6 { get; init; }

    /// <summary>The sender is in another AS: attributes that only iBGP may carry are discarded (RFC 7606 sections 7.5, 7.9, 7.10).</summary>
    public bool External { get; init; }

    /// <summary>IPv4 unicast routes may have IPv6 next hops, in MP_REACH_NLRI (RFC 8950).</summary>
    public bool ExtendedNextHop { get; init; }

    /// <summary>Messages other than OPEN and KEEPALIVE may have up to 65535 octets (RFC 8654).</summary>
    public bool ExtendedMessage { get; init; }

    /// <summary>Path identifiers are in use for the family.</summary>
    public bool AddPath(IpFamily family) => family == IpFamily.IPv4 ? AddPathIPv4 : AddPathIPv6;

    /// <summary>Longest message.</summary>
    public int MaxMessageLength => ExtendedMessage ? BgpConstants.MaxExtendedMessageLength : BgpConstants.MaxMessageLength;
}
