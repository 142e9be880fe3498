namespace EgressAppliance.Snmp;

/// <summary>What stands before the scoped PDU in a version 3 message (RFC 3412 section 6, RFC 3414 section 2.4), without digest and salt.</summary>
public sealed record UsmHeader
{
    /// <summary>msgID, 0 to 2^31-1: matches an answer to its message.</summary>
    public required int MessageId { get; init; }

    /// <summary>msgMaxSize: the largest answer that the sender takes, octets, 484 to 2^31-1.</summary>
    public int MaxSize { get; init; } = 65507;

    /// <summary>The two low bits of msgFlags.</summary>
    public SecurityLevel Level { get; init; }

    /// <summary>reportableFlag: the receiver may answer with a Report.</summary>
    public bool Reportable { get; init; }

    /// <summary>msgAuthoritativeEngineID: the agent's, or empty to ask for it.</summary>
    public EngineId EngineId { get; init; }

    /// <summary>msgAuthoritativeEngineBoots, 0 to 2^31-1.</summary>
    public int Boots { get; init; }

    /// <summary>msgAuthoritativeEngineTime: seconds since the engine booted, 0 to 2^31-1.</summary>
    public int Time { get; init; }

    /// <summary>msgUserName, at most 32 octets of UTF-8.</summary>
    public string UserName { get; init; } = "";
}
