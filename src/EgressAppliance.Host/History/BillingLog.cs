namespace EgressAppliance.Host.History;

/// <summary>Log lines of the billing months' file: changes only. Event ids 7100 to 7199.</summary>
internal static partial class BillingLog
{
    [LoggerMessage(7100, LogLevel.Warning, "{path} cannot be read: {reason}; the billing months begin anew, without the samples until now")]
    public static partial void Unreadable(ILogger logger, string path, string reason);

    [LoggerMessage(7101, LogLevel.Warning, "{path} cannot be written: {reason}; a restart would lose samples. Steering goes on, and another attempt is made every 5 minutes")]
    public static partial void Failed(ILogger logger, string path, string reason);

    [LoggerMessage(7102, LogLevel.Information, "{path} is written again")]
    public static partial void GoesOn(ILogger logger, string path);
}
