using System.Net;

namespace EgressAppliance.Snmp;

/// <summary>Where and how a client asks.</summary>
public sealed record SnmpClientOptions
{
    /// <summary>The agent, IPv4 or IPv6.</summary>
    public required IPEndPoint Agent { get; init; }

    /// <summary>The community or user; it also chooses the version of the messages.</summary>
    public required SnmpCredentials Credentials { get; init; }

    /// <summary>How long one try waits for its answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Tries after the first, each with the same request-id (RFC 3416 section 4.1).</summary>
    public int Retries { get; init; } = 1;
}
