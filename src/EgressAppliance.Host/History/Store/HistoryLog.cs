namespace EgressAppliance.Host.History.Store;

/// <summary>Log lines of the history of rates and events: changes only. Event ids 7200 to 7299.</summary>
internal static partial class HistoryLog
{
    [LoggerMessage(7200, LogLevel.Information, "the history is written to {path}")]
    public static partial void Started(ILogger logger, string path);

    [LoggerMessage(7201, LogLevel.Warning, "the history cannot be written: {reason}; capture and steering go on, and another attempt is made every {seconds} s")]
    public static partial void Failed(ILogger logger, string reason, double seconds);

    [LoggerMessage(7202, LogLevel.Information, "the history is written again; {ticks} minutes and {events} events are missing since it began")]
    public static partial void GoesOn(ILogger logger, long ticks, long events);

    [LoggerMessage(7203, LogLevel.Warning, "the history was damaged ({damage}): the old file is {aside}, and {rows} rows of it are in the new one{missing}")]
    public static partial void Repaired(ILogger logger, string damage, string aside, long rows, string missing);

    [LoggerMessage(7204, LogLevel.Information, "the history has a new format; the database as it was is {copy}")]
    public static partial void Migrated(ILogger logger, string copy);

    [LoggerMessage(7205, LogLevel.Warning, "the history's disk does not keep up: minutes and events are left out until it does")]
    public static partial void Overrun(ILogger logger);

    [LoggerMessage(7206, LogLevel.Information, "the history has reached its size: the oldest of the finest samples go")]
    public static partial void Trimming(ILogger logger);

    [LoggerMessage(7207, LogLevel.Warning, "the history's disk did not finish in time: the last minute may be missing")]
    public static partial void Abandoned(ILogger logger);

    [LoggerMessage(7208, LogLevel.Error, "a cycle could not be noted for the history; steering goes on")]
    public static partial void NotNoted(ILogger logger, Exception exception);

    [LoggerMessage(7209, LogLevel.Warning, "the history was written by a newer version, as after an upgrade that was taken back: it is {aside} now, and the history goes on {how}")]
    public static partial void Newer(ILogger logger, string aside, string how);

    [LoggerMessage(7210, LogLevel.Warning, "the sink {sink} does not take the history: {reason}; another attempt is made in {seconds} s, and nothing is lost for as long as the history keeps it")]
    public static partial void SinkFailed(ILogger logger, string sink, string reason, double seconds);

    [LoggerMessage(7211, LogLevel.Information, "the sink {sink} takes the history")]
    public static partial void SinkGoesOn(ILogger logger, string sink);
}
