using Microsoft.Extensions.Logging;

namespace EgressAppliance.Cluster.Leases;

/// <summary>Log messages of the lease, 9200–9249.</summary>
internal static partial class LeaseLog
{
    [LoggerMessage(9200, LogLevel.Information, "{Box} has the lease of the site, token {Token}")]
    public static partial void Leads(ILogger logger, string box, long token);

    [LoggerMessage(9201, LogLevel.Warning, "{Box} no longer has the lease of the site, token {Token}: {Reason}")]
    public static partial void Ends(ILogger logger, string box, long token, string reason);

    [LoggerMessage(9202, LogLevel.Warning, "the database of the site: {Problem}")]
    public static partial void Unreachable(ILogger logger, string problem);

    [LoggerMessage(9203, LogLevel.Information, "the database of the site answers again, after {Failures} failures")]
    public static partial void Answers(ILogger logger, long failures);

    [LoggerMessage(9204, LogLevel.Error, "internal error: what is told of the leadership's change threw")]
    public static partial void ChangedThrew(ILogger logger, Exception exception);
}
