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
}
