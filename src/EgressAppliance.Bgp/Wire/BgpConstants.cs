namespace EgressAppliance.Bgp.Wire;

/// <summary>Sizes and numbers of the protocol.</summary>
public static class BgpConstants
{
    /// <summary>Octets of marker, length and type (RFC 4271 section 4.1).</summary>
    public const int HeaderLength = 19;

    /// <summary>Longest message without RFC 8654.</summary>
    public const int MaxMessageLength = 4096;

    /// <summary>Longest message once Extended Message is negotiated (RFC 8654 section 4).</summary>
    public const int MaxExtendedMessageLength = 65535;

    /// <summary>The TCP port.</summary>
    public const int Port = 179;

    /// <summary>Address Family Identifier of IPv6, as a next hop's family in RFC 8950.</summary>
    public const ushort AfiIPv6 = 2;

    /// <summary>Stands for an AS that does not fit 2 octets (RFC 6793 section 9).</summary>
    public const ushort AsTrans = 23456;

    /// <summary>LOCAL_PREF of a path that carries none (RFC 4271 leaves it to policy; 100 is what every implementation uses).</summary>
    public const uint DefaultLocalPref = 100;
}

/// <summary>Message types (RFC 4271 section 4.1, RFC 2918).</summary>
public enum BgpMessageType : byte
{
    /// <summary>OPEN.</summary>
    Open = 1,

    /// <summary>UPDATE.</summary>
    Update = 2,

    /// <summary>NOTIFICATION.</summary>
    Notification = 3,

    /// <summary>KEEPALIVE.</summary>
    Keepalive = 4,

    /// <summary>ROUTE-REFRESH.</summary>
    RouteRefresh = 5,
}

/// <summary>Path attribute type codes this project knows by meaning (IANA BGP Path Attributes).</summary>
public enum AttributeType : byte
{
    /// <summary>ORIGIN.</summary>
    Origin = 1,

    /// <summary>AS_PATH.</summary>
    AsPath = 2,

    /// <summary>NEXT_HOP.</summary>
    NextHop = 3,

    /// <summary>MULTI_EXIT_DISC.</summary>
    Med = 4,

    /// <summary>LOCAL_PREF.</summary>
    LocalPref = 5,

    /// <summary>ATOMIC_AGGREGATE.</summary>
    AtomicAggregate = 6,

    /// <summary>AGGREGATOR.</summary>
    Aggregator = 7,

    /// <summary>COMMUNITIES (RFC 1997).</summary>
    Communities = 8,

    /// <summary>ORIGINATOR_ID (RFC 4456).</summary>
    OriginatorId = 9,

    /// <summary>CLUSTER_LIST (RFC 4456).</summary>
    ClusterList = 10,

    /// <summary>MP_REACH_NLRI (RFC 4760).</summary>
    MpReachNlri = 14,

    /// <summary>MP_UNREACH_NLRI (RFC 4760).</summary>
    MpUnreachNlri = 15,

    /// <summary>EXTENDED COMMUNITIES (RFC 4360).</summary>
    ExtendedCommunities = 16,

    /// <summary>AS4_PATH (RFC 6793).</summary>
    As4Path = 17,

    /// <summary>AS4_AGGREGATOR (RFC 6793).</summary>
    As4Aggregator = 18,

    /// <summary>IPv6 Address Specific Extended Communities (RFC 5701).</summary>
    IPv6ExtendedCommunities = 25,

    /// <summary>AIGP (RFC 7311).</summary>
    Aigp = 26,

    /// <summary>LARGE_COMMUNITY (RFC 8092).</summary>
    LargeCommunities = 32,

    /// <summary>Only to Customer (RFC 9234).</summary>
    OnlyToCustomer = 35,
}

/// <summary>Path attribute flags (RFC 4271 section 4.3). The lower four bits mean nothing and are ignored.</summary>
[Flags]
public enum AttributeFlags : byte
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The length has two octets.</summary>
    ExtendedLength = 0x10,

    /// <summary>Some AS on the way did not know the attribute.</summary>
    Partial = 0x20,

    /// <summary>To be passed on even by those who do not know it.</summary>
    Transitive = 0x40,

    /// <summary>Not well-known.</summary>
    Optional = 0x80,
}
