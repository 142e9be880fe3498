namespace EgressAppliance.Host.Leadership;

internal static partial class LeadershipLog
{
    [LoggerMessage(5201, LogLevel.Warning, "the state of the leader before cannot be read yet: {problem}")]
    public static partial void NotLoaded(ILogger logger, string problem);

    [LoggerMessage(5202, LogLevel.Warning, "the state of this leader is not saved: {problem}")]
    public static partial void NotSaved(ILogger logger, string problem);

    [LoggerMessage(5203, LogLevel.Error, "the state of the leader before is of another version: this one begins anew, in observe")]
    public static partial void Unreadable(ILogger logger);

    [LoggerMessage(5205, LogLevel.Error, "cannot {what}; it is tried again")]
    public static partial void Failed(ILogger logger, string what, Exception exception);

    [LoggerMessage(5204, LogLevel.Warning, "\"withdraw all\" was pressed at {box}: everything is withdrawn, and the mode is observe")]
    public static partial void Stopped(ILogger logger, string box);
}
