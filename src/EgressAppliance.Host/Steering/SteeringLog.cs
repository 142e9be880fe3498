using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Planner;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>What steering writes to the log: every change of routing with the cycle that made it, and what went wrong.</summary>
internal static partial class SteeringLog
{
    [LoggerMessage(3001, LogLevel.Information, "override announced: {prefix} by {link} (next hop {nextHop}), cycle {cycle}")]
    public static partial void Announced(ILogger logger, IpPrefix prefix, string link, IpAddr nextHop, long cycle);

    [LoggerMessage(3002, LogLevel.Information, "override withdrawn: {prefix} from {link}, {reason}, cycle {cycle}")]
    public static partial void Withdrawn(ILogger logger, IpPrefix prefix, string link, ReasonCode reason, long cycle);

    [LoggerMessage(3003, LogLevel.Warning, "override refused by the speaker: {prefix} by {link}, {refusal}")]
    public static partial void Refused(ILogger logger, IpPrefix prefix, string link, OverrideRefusal refusal);

    [LoggerMessage(3004, LogLevel.Warning, "override lost: {prefix}, {reason}")]
    public static partial void Lost(ILogger logger, IpPrefix prefix, string reason);

    [LoggerMessage(3005, LogLevel.Warning, "all {count} overrides withdrawn")]
    public static partial void WithdrawnAll(ILogger logger, int count);

    [LoggerMessage(3006, LogLevel.Error, "{count} overrides withdrawn: their leases ran out because no cycle renewed them")]
    public static partial void LeasesExpired(ILogger logger, int count);

    [LoggerMessage(3007, LogLevel.Information, "verdict {verdict}: {reason}")]
    public static partial void VerdictChanged(ILogger logger, string verdict, string reason);

    [LoggerMessage(3008, LogLevel.Information, "mode {mode}")]
    public static partial void ModeChanged(ILogger logger, string mode);

    [LoggerMessage(3009, LogLevel.Critical, "the control loop failed; all overrides are withdrawn and the appliance stops")]
    public static partial void LoopFailed(ILogger logger, Exception exception);

    [LoggerMessage(3011, LogLevel.Warning, "{count} announced overrides that the ledger does not know are withdrawn")]
    public static partial void Stray(ILogger logger, int count);

    [LoggerMessage(3012, LogLevel.Information, "this box leads the site; {count} overrides go on")]
    public static partial void Leads(ILogger logger, int count);

    [LoggerMessage(3013, LogLevel.Warning, "this box no longer leads the site: everything is withdrawn")]
    public static partial void StandsBy(ILogger logger);

    [LoggerMessage(3010, LogLevel.Information, "operator: {what}")]
    public static partial void Operator(ILogger logger, string what);
}
