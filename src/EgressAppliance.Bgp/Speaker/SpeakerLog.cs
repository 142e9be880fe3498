using EgressAppliance.Net;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>Log messages of the speaker, 4050–4099.</summary>
internal static partial class SpeakerLog
{
    [LoggerMessage(4050, LogLevel.Information, "listening on {Endpoint}")]
    public static partial void Listening(ILogger logger, string endpoint);

    [LoggerMessage(4051, LogLevel.Information, "announced {Announced} overrides, refused {Refused}, {Active} in force")]
    public static partial void Announced(ILogger logger, int announced, int refused, int active);

    [LoggerMessage(4052, LogLevel.Information, "withdrew {Withdrawn} overrides, {Active} in force")]
    public static partial void Withdrew(ILogger logger, int withdrawn, int active);

    [LoggerMessage(4053, LogLevel.Warning, "override {Prefix} withdrawn: {Reason}")]
    public static partial void OverrideLost(ILogger logger, IpPrefix prefix, string reason);

    [LoggerMessage(4054, LogLevel.Error, "no sign of life from the control loop for {Seconds} s: keepalives and announcements are held back, routers will drop the sessions")]
    public static partial void Frozen(ILogger logger, double seconds);

    [LoggerMessage(4055, LogLevel.Warning, "the control loop is alive again: sessions go on")]
    public static partial void Thawed(ILogger logger);

    [LoggerMessage(4056, LogLevel.Warning, "{Peer}: UPDATE handled as {Action}: {Error}; {Count} such UPDATEs so far")]
    public static partial void UpdateError(ILogger logger, string peer, string action, string error, long count);

    [LoggerMessage(4057, LogLevel.Warning, "{Peer}: the router does not offer ADD-PATH: it shows its best paths only, nothing can be moved (configure it to send all paths, or to show its peers by BMP)")]
    public static partial void BestPathOnly(ILogger logger, string peer);

    [LoggerMessage(4058, LogLevel.Warning, "{Peer}: {Routes} routes, {Share} % of max_prefix ({Limit}); at the limit the session is ended")]
    public static partial void NearLimit(ILogger logger, string peer, int routes, int share, int limit);

    [LoggerMessage(4059, LogLevel.Warning, "{Peer}: the router reads too slowly, {Waiting} announcements wait until it has caught up")]
    public static partial void Behind(ILogger logger, string peer, int waiting);

    [LoggerMessage(4060, LogLevel.Warning, "{Peer}: {Count} overrides cannot be announced, their attributes fill a whole message")]
    public static partial void Unsendable(ILogger logger, string peer, int count);

    [LoggerMessage(4061, LogLevel.Information, "{Peer}: asked for all {Family} routes anew (ROUTE-REFRESH)")]
    public static partial void RefreshRequested(ILogger logger, string peer, string family);

    [LoggerMessage(4062, LogLevel.Information, "{Peer}: BMP shows its peers' routes ({Table}); they count while the session has no ADD-PATH")]
    public static partial void Monitored(ILogger logger, string peer, string table);

    [LoggerMessage(4090, LogLevel.Critical, "internal error: routes shown by BMP could not be taken in")]
    public static partial void MonitoringFault(ILogger logger, Exception exception);

    [LoggerMessage(4091, LogLevel.Critical, "internal error: who was told that the override {Prefix} is lost could not cope with it")]
    public static partial void HandlerFault(ILogger logger, IpPrefix prefix, Exception exception);
}
