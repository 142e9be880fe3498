namespace EgressAppliance.Host.Http;

/// <summary>One item of <c>GET /api/v1/audit</c>: an operator's request to change something.</summary>
/// <param name="Time">When.</param>
/// <param name="Who">Account at the other end of the unix socket, name of the token, or <c>local</c> for the page and others on loopback.</param>
/// <param name="Via"><c>socket</c>, <c>loopback</c> or the remote address.</param>
/// <param name="Action"><c>mode</c>, <c>override_add</c>, <c>override_release</c>, <c>withdraw_all</c>, <c>bgp_refresh</c>.</param>
/// <param name="Detail">What it was asked for: the mode, the prefix and the link, the router.</param>
/// <param name="Outcome"><c>done</c>, or why not.</param>
public sealed record AuditEntryDto(DateTimeOffset Time, string Who, string Via, string Action, string Detail, string Outcome);
