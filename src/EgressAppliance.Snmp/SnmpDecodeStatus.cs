namespace EgressAppliance.Snmp;

/// <summary>What became of a datagram at the decoder.</summary>
public enum SnmpDecodeStatus
{
    /// <summary>Decoded.</summary>
    Ok,

    /// <summary>An element reaches beyond its container or the datagram.</summary>
    Truncated,

    /// <summary>A length that is no BER length, or the indefinite form, which RFC 3417 section 8 rules out.</summary>
    BadLength,

    /// <summary>An element of another type than the message format wants, or of a type SNMP does not have.</summary>
    UnexpectedTag,

    /// <summary>An integer without bytes or outside the range of its type.</summary>
    BadInteger,

    /// <summary>An object identifier with a cut-off arc, an arc beyond 32 bits, or more than 128 arcs.</summary>
    BadObjectIdentifier,

    /// <summary>A value of the wrong length: an IpAddress that has not four bytes, a Null or exception that has any.</summary>
    BadValue,

    /// <summary>Not version 2c.</summary>
    UnsupportedVersion,

    /// <summary>The community is not ours.</summary>
    WrongCommunity,

    /// <summary>Bytes behind the end of the message or of an inner element.</summary>
    TrailingBytes,
}
