namespace EgressAppliance.Snmp;

/// <summary>How a version 3 message is protected (RFC 3411 section 3.4.3). The numbers are the two low bits of msgFlags (RFC 3412 section 6.4).</summary>
public enum SecurityLevel
{
    /// <summary>Not at all: the user's name alone.</summary>
    NoAuthNoPriv = 0,

    /// <summary>Against change, and against another sender than one who has the key.</summary>
    AuthNoPriv = 1,

    /// <summary>Also against reading.</summary>
    AuthPriv = 3,
}
