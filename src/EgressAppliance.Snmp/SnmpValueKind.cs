namespace EgressAppliance.Snmp;

/// <summary>The types a variable can have (RFC 2578 section 7.1) and the exceptions that stand in its place (RFC 3416 section 3).</summary>
public enum SnmpValueKind
{
    /// <summary>unSpecified: the placeholder in requests.</summary>
    Null,

    /// <summary>Signed 32 bit.</summary>
    Integer32,

    /// <summary>Bytes.</summary>
    OctetString,

    /// <summary>An object identifier.</summary>
    ObjectIdentifier,

    /// <summary>An IPv4 address.</summary>
    IpAddress,

    /// <summary>32-bit counter that wraps.</summary>
    Counter32,

    /// <summary>Unsigned 32 bit (also Unsigned32).</summary>
    Gauge32,

    /// <summary>Hundredths of a second, 32 bit, wraps after 497 days.</summary>
    TimeTicks,

    /// <summary>Bytes of an arbitrary inner type.</summary>
    Opaque,

    /// <summary>64-bit counter that wraps.</summary>
    Counter64,

    /// <summary>The agent does not implement the object, or the community's view hides it.</summary>
    NoSuchObject,

    /// <summary>The object exists, this row does not.</summary>
    NoSuchInstance,

    /// <summary>No variable follows.</summary>
    EndOfMibView,
}
