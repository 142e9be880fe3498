namespace EgressAppliance.Snmp;

/// <summary>The result of a client operation. An expected failure is an outcome, not an exception.</summary>
public sealed record SnmpResult
{
    /// <summary>How it ended.</summary>
    public required SnmpOutcome Outcome { get; init; }

    /// <summary>The variables read: all that were asked for if <see cref="SnmpOutcome.Ok"/>; in a walk also what came before a failure.</summary>
    public IReadOnlyList<VarBind> Bindings { get; init; } = [];

    /// <summary>The agent's error-status with <see cref="SnmpOutcome.AgentError"/>.</summary>
    public SnmpErrorStatus ErrorStatus { get; init; }

    /// <summary>What is wrong, in words for the operator; empty if nothing is.</summary>
    public string Message { get; init; } = "";

    /// <summary>True for <see cref="SnmpOutcome.Ok"/>.</summary>
    public bool IsOk => Outcome == SnmpOutcome.Ok;
}
