namespace EgressAppliance.Snmp;

/// <summary>Kinds of PDU; the value is the BER identifier octet (RFC 3416 section 3).</summary>
public enum PduType
{
    /// <summary>GetRequest.</summary>
    Get = 0xa0,

    /// <summary>GetNextRequest.</summary>
    GetNext = 0xa1,

    /// <summary>Response.</summary>
    Response = 0xa2,

    /// <summary>SetRequest.</summary>
    Set = 0xa3,

    /// <summary>GetBulkRequest.</summary>
    GetBulk = 0xa5,

    /// <summary>InformRequest.</summary>
    Inform = 0xa6,

    /// <summary>SNMPv2-Trap.</summary>
    Trap = 0xa7,

    /// <summary>Report.</summary>
    Report = 0xa8,
}
