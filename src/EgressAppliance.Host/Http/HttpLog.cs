using Microsoft.Extensions.Logging;

namespace EgressAppliance.Host.Http;

/// <summary>What the HTTP endpoint logs.</summary>
internal static partial class HttpLog
{
    [LoggerMessage(5001, LogLevel.Warning, "Tokens file {Path}: {Problem}.")]
    public static partial void Tokens(ILogger logger, string path, string problem);

    [LoggerMessage(5002, LogLevel.Error, "The remote endpoint's {Problem}.")]
    public static partial void Certificate(ILogger logger, string problem);
}
