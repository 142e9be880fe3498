using Microsoft.Extensions.Logging;

namespace EgressAppliance.Cluster.Leases;

internal static partial class LeaseLog
{
    [LoggerMessage(5101, LogLevel.Information, "{box} has the lease of the site, token {token}")]
    public static partial void Leads(ILogger logger, string box, long token);

    [LoggerMessage(5102, LogLevel.Warning, "{box} has no longer the lease of the site, token {token}")]
    public static partial void Ends(ILogger logger, string box, long token);

    [LoggerMessage(5103, LogLevel.Warning, "the database of the site: {problem}")]
    public static partial void Unreachable(ILogger logger, string problem);
}
