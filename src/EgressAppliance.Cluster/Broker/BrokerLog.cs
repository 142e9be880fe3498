using Microsoft.Extensions.Logging;

namespace EgressAppliance.Cluster.Broker;

internal static partial class BrokerLog
{
    [LoggerMessage(5001, LogLevel.Information, "connected to the broker {broker}")]
    public static partial void Connected(ILogger logger, string broker);

    [LoggerMessage(5002, LogLevel.Warning, "no connection to a broker: {problem}")]
    public static partial void Lost(ILogger logger, string problem);

    [LoggerMessage(5003, LogLevel.Warning, "{count} ticks were given up since {total} wait and no broker takes them")]
    public static partial void Dropped(ILogger logger, long count, int total);

    [LoggerMessage(5004, LogLevel.Warning, "no controller has a queue at the broker: ticks are lost until one has")]
    public static partial void Returned(ILogger logger);

    [LoggerMessage(5005, LogLevel.Warning, "a message could not be read: {fault}")]
    public static partial void Unreadable(ILogger logger, string fault);

    [LoggerMessage(5006, LogLevel.Warning, "the queue {queue} does not answer, though the broker does: it is deleted and made anew")]
    public static partial void QueueAnew(ILogger logger, string queue);

    [LoggerMessage(5007, LogLevel.Warning, "the broker answers but does not confirm: a controller's queue there does not answer. Ticks are sent on without waiting for it")]
    public static partial void Unconfirmed(ILogger logger);
}
