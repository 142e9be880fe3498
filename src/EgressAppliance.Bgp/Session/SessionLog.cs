using Microsoft.Extensions.Logging;

namespace EgressAppliance.Bgp.Session;

/// <summary>Log messages of sessions, 4000–4049.</summary>
internal static partial class SessionLog
{
    [LoggerMessage(4000, LogLevel.Information, "{Peer}: session established, hold time {HoldTime} s, {Paths}")]
    public static partial void Up(ILogger logger, string peer, int holdTime, string paths);

    [LoggerMessage(4001, LogLevel.Warning, "{Peer}: session down: {Reason}")]
    public static partial void Down(ILogger logger, string peer, string reason);

    [LoggerMessage(4002, LogLevel.Warning, "{Peer}: session does not come up: {Reason}")]
    public static partial void Failed(ILogger logger, string peer, string reason);

    [LoggerMessage(4003, LogLevel.Information, "{Peer}: TCP connection refused: {Reason}")]
    public static partial void Refused(ILogger logger, string peer, string reason);

    [LoggerMessage(4004, LogLevel.Warning, "{Peer}: malformed UPDATE, begins with {Hex}")]
    public static partial void MalformedUpdate(ILogger logger, string peer, string hex);

    [LoggerMessage(4005, LogLevel.Warning, "TCP connection from {Address}: no router with this address is configured")]
    public static partial void UnknownPeer(ILogger logger, string address);

    [LoggerMessage(4006, LogLevel.Warning, "accepting TCP connections on {Endpoint} failed: {Reason}")]
    public static partial void AcceptFailed(ILogger logger, string endpoint, string reason);

    [LoggerMessage(4007, LogLevel.Critical, "{Peer}: internal error, the session is reset")]
    public static partial void Fault(ILogger logger, string peer, Exception exception);
}
