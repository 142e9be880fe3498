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

    /// <summary>Another version than the one expected.</summary>
    UnsupportedVersion,

    /// <summary>The community is not ours.</summary>
    WrongCommunity,

    /// <summary>Bytes behind the end of the message or of an inner element.</summary>
    TrailingBytes,

    /// <summary>A version 3 message of another security model than USM (RFC 3411 section 5: number 3).</summary>
    UnsupportedSecurityModel,

    /// <summary>The digest is not that of the user's key, or there is no key for the level of the message.</summary>
    NotAuthentic,

    /// <summary>Deciphering failed: no privacy key, or privacy parameters or a length that the protocol does not allow.</summary>
    NotDecipherable,
}
