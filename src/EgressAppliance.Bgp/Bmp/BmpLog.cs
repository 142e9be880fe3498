using Microsoft.Extensions.Logging;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>Log messages of the monitoring station, 4100–4149.</summary>
internal static partial class BmpLog
{
    [LoggerMessage(4100, LogLevel.Information, "BMP listens on {Endpoint}")]
    public static partial void Listening(ILogger logger, string endpoint);

    [LoggerMessage(4101, LogLevel.Information, "{Router}: BMP connected ({Direction})")]
    public static partial void Up(ILogger logger, string router, string direction);

    [LoggerMessage(4102, LogLevel.Warning, "{Router}: BMP connection ended, its routes are void: {Reason}")]
    public static partial void Down(ILogger logger, string router, string reason);

    [LoggerMessage(4103, LogLevel.Warning, "{Router}: BMP does not connect: {Reason}")]
    public static partial void Failed(ILogger logger, string router, string reason);

    [LoggerMessage(4104, LogLevel.Warning, "BMP connection from {Address}: no router with this address is configured; {Count} such connections so far")]
    public static partial void UnknownRouter(ILogger logger, string address, long count);

    [LoggerMessage(4105, LogLevel.Warning, "{Router}: BMP connection refused until the hold after an exceeded limit is over")]
    public static partial void Held(ILogger logger, string router);

    [LoggerMessage(4106, LogLevel.Warning, "accepting BMP connections on {Endpoint} failed: {Reason}")]
    public static partial void AcceptFailed(ILogger logger, string endpoint, string reason);

    [LoggerMessage(4107, LogLevel.Critical, "{Router}: internal error, the BMP connection is closed")]
    public static partial void Fault(ILogger logger, string router, Exception exception);
}
