using EgressAppliance.Net;

namespace EgressAppliance.Host.Interfaces;

/// <summary>Log lines of the interface collector: changes only, never once per poll. Event ids 6000 to 6099.</summary>
internal static partial class InterfaceLog
{
    [LoggerMessage(6000, LogLevel.Information, "{Router} answers to snmp")]
    public static partial void RouterReachable(ILogger logger, string router);

    [LoggerMessage(6001, LogLevel.Warning, "{Router} cannot be polled: {Reason}")]
    public static partial void RouterFailed(ILogger logger, string router, string reason);

    [LoggerMessage(6002, LogLevel.Warning, "{Router} restarted: its counters and interface numbers start anew")]
    public static partial void RouterRestarted(ILogger logger, string router);

    [LoggerMessage(6003, LogLevel.Information, "link {Link} is interface {Interface} with ifIndex {IfIndex} on {Router}")]
    public static partial void InterfaceResolved(ILogger logger, string link, string @interface, uint ifIndex, string router);

    [LoggerMessage(6004, LogLevel.Warning, "link {Link} has no counters: {Reason}")]
    public static partial void InterfaceFailed(ILogger logger, string link, string reason);

    [LoggerMessage(6005, LogLevel.Warning, "the counter of {Interface} on {Router} began anew: no rate for link {Link} until two changes are seen")]
    public static partial void CounterWentBack(ILogger logger, string @interface, string router, string link);

    [LoggerMessage(6006, LogLevel.Information, "link {Link} is {Status}, was {Before}")]
    public static partial void OperStatusChanged(ILogger logger, string link, OperStatus status, OperStatus before);

    [LoggerMessage(6007, LogLevel.Error, "poll of {Router} failed unexpectedly; polling goes on")]
    public static partial void PollCrashed(ILogger logger, Exception exception, string router);

    [LoggerMessage(6008, LogLevel.Warning, "ifIndex {IfIndex} on {Router} is {Interface} no more: looking the name up again")]
    public static partial void InterfaceMoved(ILogger logger, string @interface, uint ifIndex, string router);

    [LoggerMessage(6009, LogLevel.Information, "link {Link}: {NextHop} has the MAC address {Mac}")]
    public static partial void NeighbourFound(ILogger logger, string link, IpAddr nextHop, string mac);

    [LoggerMessage(6010, LogLevel.Warning, "link {Link}: {NextHop} has the MAC address {Mac} now, was {Before}; frames are matched by what it has now")]
    public static partial void NeighbourChanged(ILogger logger, string link, IpAddr nextHop, string mac, string before);
}
