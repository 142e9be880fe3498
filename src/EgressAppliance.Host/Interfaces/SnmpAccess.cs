using System.Net;
using EgressAppliance.Host.Config;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>Makes clients for what the configuration says of a router.</summary>
internal static class SnmpAccess
{
    /// <summary>The community or user of a router. With a password it takes some milliseconds; a <see cref="UsmUser"/> is to be disposed.</summary>
    public static SnmpCredentials Credentials(SnmpConfig snmp) => snmp.User is { } user
        ? new UsmUser(user.Name, user.Authentication, user.AuthenticationPassword, user.Privacy, user.PrivacyPassword)
        {
            ContextName = user.Context,
            EngineId = user.EngineId,
        }
        : new Community(snmp.Community ?? "");

    /// <summary>A client for a router.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The system gives no socket.</exception>
    public static SnmpClient Open(IPAddress address, int port, SnmpCredentials credentials, TimeSpan timeout, TimeProvider time) =>
        new(new SnmpClientOptions { Agent = new IPEndPoint(address, port), Credentials = credentials, Timeout = timeout }, time);

    /// <summary>The agent does not answer as it should, and would not to anything else; one that only lacks what was asked for is not gone.</summary>
    public static bool IsGone(SnmpResult result) => result.Outcome is not (SnmpOutcome.Ok or SnmpOutcome.AgentError or SnmpOutcome.BadAnswer or SnmpOutcome.LimitReached);
}
