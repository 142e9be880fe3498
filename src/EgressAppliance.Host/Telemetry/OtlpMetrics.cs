using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Telemetry;

/// <summary>How the export to a collector fares.</summary>
/// <param name="Exports">Exports that the collector took.</param>
/// <param name="Failures">Exports that it did not take.</param>
/// <param name="Problem">True if the latest failed.</param>
public readonly record struct OtlpStatus(long Exports, long Failures, bool Problem);

/// <summary>The metrics of the export itself.</summary>
public static class OtlpMetrics
{
    /// <summary>Writes them.</summary>
    public static void Write(MetricWriter writer, OtlpStatus status)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Gauge("egress_otlp_up", "1 if the collector took the latest export; absent, as what follows, where nothing is exported.").Sample(status.Problem ? 0 : 1);
        writer.Counter("egress_otlp_exports_total", "Exports of all metrics by OTLP: taken by the collector, or not.");
        writer.Sample(status.Exports, ("result", "taken"));
        writer.Sample(status.Failures, ("result", "failed"));
    }
}
