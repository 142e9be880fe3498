namespace EgressAppliance.Snmp;

/// <summary>A PDU with the context it is about (RFC 3412 section 6.8).</summary>
/// <param name="ContextEngineId">The engine whose variables are meant; without proxies the agent's own.</param>
/// <param name="ContextName">The context; empty for the default one.</param>
/// <param name="Pdu">The PDU.</param>
public sealed record ScopedPdu(EngineId ContextEngineId, string ContextName, SnmpPdu Pdu);
