namespace EgressAppliance.Bgp.Mrt;

/// <summary>MRT record types (RFC 6396 section 4) that are read.</summary>
internal static class MrtType
{
    /// <summary>BGP of the first MRT tools and of Zebra; deprecated, in archives until about 2002 (RFC 6396 appendix B.2).</summary>
    public const ushort Bgp = 5;

    /// <summary>TABLE_DUMP: one path a record, AS numbers of two octets.</summary>
    public const ushort TableDump = 12;

    /// <summary>TABLE_DUMP_V2: one prefix a record, peers by index.</summary>
    public const ushort TableDumpV2 = 13;

    /// <summary>BGP4MP: messages and state changes.</summary>
    public const ushort Bgp4Mp = 16;

    /// <summary>BGP4MP_ET: the same with microseconds.</summary>
    public const ushort Bgp4MpEt = 17;
}

/// <summary>Subtypes of TABLE_DUMP_V2 (RFC 6396 section 4.3, RFC 8050 section 4).</summary>
internal static class TableDumpV2Subtype
{
    public const ushort PeerIndexTable = 1;
    public const ushort RibIPv4Unicast = 2;
    public const ushort RibIPv6Unicast = 4;
    public const ushort RibGeneric = 6;
    public const ushort RibIPv4UnicastAddPath = 8;
    public const ushort RibIPv6UnicastAddPath = 10;
    public const ushort RibGenericAddPath = 12;
}

/// <summary>Subtypes of BGP4MP (RFC 6396 section 4.4, RFC 8050 section 3).</summary>
internal static class Bgp4MpSubtype
{
    public const ushort StateChange = 0;
    public const ushort Message = 1;
    public const ushort MessageAs4 = 4;
    public const ushort StateChangeAs4 = 5;
    public const ushort MessageLocal = 6;
    public const ushort MessageAs4Local = 7;
    public const ushort MessageAddPath = 8;
    public const ushort MessageAs4AddPath = 9;
    public const ushort MessageLocalAddPath = 10;
    public const ushort MessageAs4LocalAddPath = 11;
}

/// <summary>Names of types and subtypes as the RFCs write them.</summary>
internal static class MrtNames
{
    public static string Type(ushort type) => type switch
    {
        MrtType.Bgp => "BGP",
        MrtType.TableDump => "TABLE_DUMP",
        MrtType.TableDumpV2 => "TABLE_DUMP_V2",
        MrtType.Bgp4Mp => "BGP4MP",
        MrtType.Bgp4MpEt => "BGP4MP_ET",
        _ => type.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    public static string Subtype(ushort type, ushort subtype) => (type, subtype) switch
    {
        (MrtType.Bgp, 1) => "UPDATE",
        (MrtType.Bgp, 3) => "STATE_CHANGE",
        (MrtType.Bgp, 5) => "OPEN",
        (MrtType.Bgp, 6) => "NOTIFICATION",
        (MrtType.Bgp, 7) => "KEEPALIVE",
        (MrtType.TableDump, 1) => "AFI_IPv4",
        (MrtType.TableDump, 2) => "AFI_IPv6",
        (MrtType.TableDumpV2, TableDumpV2Subtype.PeerIndexTable) => "PEER_INDEX_TABLE",
        (MrtType.TableDumpV2, TableDumpV2Subtype.RibIPv4Unicast) => "RIB_IPV4_UNICAST",
        (MrtType.TableDumpV2, TableDumpV2Subtype.RibIPv6Unicast) => "RIB_IPV6_UNICAST",
        (MrtType.TableDumpV2, TableDumpV2Subtype.RibGeneric) => "RIB_GENERIC",
        (MrtType.TableDumpV2, TableDumpV2Subtype.RibIPv4UnicastAddPath) => "RIB_IPV4_UNICAST_ADDPATH",
        (MrtType.TableDumpV2, TableDumpV2Subtype.RibIPv6UnicastAddPath) => "RIB_IPV6_UNICAST_ADDPATH",
        (MrtType.TableDumpV2, TableDumpV2Subtype.RibGenericAddPath) => "RIB_GENERIC_ADDPATH",
        (MrtType.Bgp4Mp or MrtType.Bgp4MpEt, _) => subtype switch
        {
            Bgp4MpSubtype.StateChange => "STATE_CHANGE",
            Bgp4MpSubtype.Message => "MESSAGE",
            Bgp4MpSubtype.MessageAs4 => "MESSAGE_AS4",
            Bgp4MpSubtype.StateChangeAs4 => "STATE_CHANGE_AS4",
            Bgp4MpSubtype.MessageLocal => "MESSAGE_LOCAL",
            Bgp4MpSubtype.MessageAs4Local => "MESSAGE_AS4_LOCAL",
            Bgp4MpSubtype.MessageAddPath => "MESSAGE_ADDPATH",
            Bgp4MpSubtype.MessageAs4AddPath => "MESSAGE_AS4_ADDPATH",
            Bgp4MpSubtype.MessageLocalAddPath => "MESSAGE_LOCAL_ADDPATH",
            Bgp4MpSubtype.MessageAs4LocalAddPath => "MESSAGE_AS4_LOCAL_ADDPATH",
            _ => subtype.ToString(System.Globalization.CultureInfo.InvariantCulture),
        },
        _ => subtype.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
