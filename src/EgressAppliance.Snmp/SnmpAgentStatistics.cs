namespace EgressAppliance.Snmp;

/// <summary>What an agent did with the datagrams it received, since it started.</summary>
/// <param name="Received">Datagrams.</param>
/// <param name="Answered">Responses sent.</param>
/// <param name="WrongCommunity">Dropped: another community.</param>
/// <param name="UnsupportedVersion">Dropped: another version than 2c.</param>
/// <param name="Malformed">Dropped: undecodable.</param>
/// <param name="Unexpected">Dropped: a PDU an agent does not answer (a response, a trap).</param>
/// <param name="ViewErrors">Requests answered with genErr because the view threw.</param>
/// <param name="SocketErrors">Sends and receives that failed.</param>
public readonly record struct SnmpAgentStatistics(
    long Received, long Answered, long WrongCommunity, long UnsupportedVersion, long Malformed, long Unexpected, long ViewErrors, long SocketErrors);
