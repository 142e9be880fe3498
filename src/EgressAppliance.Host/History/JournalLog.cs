namespace EgressAppliance.Host.History;

/// <summary>Log lines of the journal: changes only. Event ids 7000 to 7099.</summary>
internal static partial class JournalLog
{
    [LoggerMessage(7000, LogLevel.Information, "the journal is written to {folder}")]
    public static partial void Started(ILogger logger, string folder);

    [LoggerMessage(7001, LogLevel.Warning, "the journal cannot be written: {reason}; steering goes on, and another attempt is made every {seconds} s")]
    public static partial void Failed(ILogger logger, string reason, double seconds);

    [LoggerMessage(7002, LogLevel.Warning, "the journal's disk does not keep up: calls are left out until it does")]
    public static partial void Overrun(ILogger logger);

    [LoggerMessage(7003, LogLevel.Information, "the journal is written again; {count} calls are missing since it began")]
    public static partial void GoesOn(ILogger logger, long count);

    [LoggerMessage(7004, LogLevel.Warning, "the journal's disk did not finish in time: the last calls may be missing")]
    public static partial void Abandoned(ILogger logger);
}
