using EgressAppliance.Host.Http.Access;

namespace EgressAppliance.Host.Http;

/// <summary>The metrics of the HTTP endpoint itself.</summary>
public static class HttpMetrics
{
    /// <summary>Writes them.</summary>
    /// <param name="writer">What takes them.</param>
    /// <param name="invalidTokens">See <see cref="AccessGuard.Refused"/>.</param>
    /// <param name="audit">The audit log.</param>
    /// <param name="streams">Event streams that are open.</param>
    public static void Write(MetricWriter writer, long invalidTokens, AuditLog audit, int streams) => writer
        .Counter("egress_http_invalid_tokens_total", "Requests to the remote endpoint with a token that is not valid.").Sample(invalidTokens)
        .Gauge("egress_http_event_streams", "Event streams that are open.").Sample(streams)
        .Counter("egress_audit_entries_total", "Requests to change something, done or refused.").Sample(audit.Entries)
        .Counter("egress_audit_lost_entries_total", "Entries of the audit log that never came to its file.").Sample(audit.Lost)
        .Gauge("egress_audit_writable", "1 if the audit log could be written when it was last tried.").Sample(audit.Problem.Length == 0 ? 1 : 0);
}
