namespace EgressAppliance.Snmp;

/// <summary>How an operation of the client ended.</summary>
public enum SnmpOutcome
{
    /// <summary>Answered; single variables may still be exceptions (<see cref="SnmpValue.IsException"/>).</summary>
    Ok,

    /// <summary>No valid answer to any try.</summary>
    Timeout,

    /// <summary>The agent answered with an error-status.</summary>
    AgentError,

    /// <summary>The answer has the right request-id but not the variables asked for, or goes back in a walk.</summary>
    BadAnswer,

    /// <summary>The system refused to send or receive: no route, no permission, message too long.</summary>
    NetworkError,

    /// <summary>A walk stopped at its limit; what was read so far is there.</summary>
    LimitReached,

    /// <summary>Version 3: the agent has no such user (usmStatsUnknownUserNames).</summary>
    UnknownUser,

    /// <summary>Version 3: the agent's key for the user is another one (usmStatsWrongDigests): wrong authentication password or protocol.</summary>
    WrongDigest,

    /// <summary>Version 3: the agent does not serve the user at this security level (usmStatsUnsupportedSecLevels).</summary>
    UnsupportedSecurityLevel,

    /// <summary>Version 3: the clocks of client and agent cannot be brought together (usmStatsNotInTimeWindows), or the agent's went back.</summary>
    NotInTimeWindow,

    /// <summary>Version 3: the agent could not decipher the request (usmStatsDecryptionErrors), or this system lacks the cipher.</summary>
    DecryptionError,

    /// <summary>Version 3: the agent has another engine ID than the one given, or none that can be used (usmStatsUnknownEngineIDs).</summary>
    WrongEngineId,

    /// <summary>Version 3: the agent has no such context (snmpUnknownContexts, snmpUnavailableContexts).</summary>
    UnknownContext,
}
