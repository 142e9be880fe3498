using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Http;

/// <summary>The metrics of flow export.</summary>
internal static class FlowMetrics
{
    public static void Write(MetricWriter text, FlowDto flow)
    {
        Each("gauge", "egress_flow_up", "1 if the exporter sends; absent, as what follows, without flow export.", e => e.State == CaptureState.Receiving ? 1 : 0);
        Each("counter", "egress_flow_datagrams_total", "Datagrams of the exporter.", e => e.Datagrams);
        Each("counter", "egress_flow_records_total", "Flow records, or sampled packets, of the exporter.", e => e.Records);
        Each("counter", "egress_flow_counted_records_total", "Records that are counted on a link.", e => e.Counted);
        Each("counter", "egress_flow_unrouted_records_total", "Records on a link whose destination has no prefix.", e => e.Unrouted);
        Reasons("egress_flow_discarded_records_total", "Records that are not counted, by reason.", e => e.Discarded);
        Reasons("egress_flow_refused_total", "Parts of datagrams that could not be read, by reason.", e => e.Refused);
        Each("gauge", "egress_flow_templates", "Templates held of the exporter.", e => e.Templates);
        text.Counter("egress_flow_lost_total", "Units missing by the sequence numbers: flows, datagrams, records or samples.");
        foreach (FlowExporterDto e in flow.Exporters)
        {
            text.Sample(e.Lost, ("exporter", e.Address), ("unit", e.Unit));
        }

        Each("gauge", "egress_flow_loss_ratio", "Share of units lost of late.", e => e.LossRatio);
        Each("gauge", "egress_flow_delay_seconds", "Average duration of the latest records: by that time rates lag behind.", e => e.DelaySeconds);
        text.Counter("egress_flow_unknown_exporter_datagrams_total", "Datagrams from addresses that are no exporter's; not decoded.").Sample(flow.UnknownExporter);
        text.Counter("egress_flow_unspread_records_total", "Records counted at once for want of room.").Sample(flow.Unspread);
        text.Counter("egress_flow_kernel_dropped_datagrams_total", "Datagrams that the kernel dropped, the receive buffer being full.");
        foreach (FlowListenerDto l in flow.Listeners)
        {
            text.Sample(l.KernelDropped, ("listen", l.Listen));
        }

        void Each(string type, string name, string help, Func<FlowExporterDto, double> value)
        {
            _ = type == "counter" ? text.Counter(name, help) : text.Gauge(name, help);
            foreach (FlowExporterDto e in flow.Exporters)
            {
                text.Sample(value(e), ("exporter", e.Address), ("router", e.Router));
            }
        }

        void Reasons(string name, string help, Func<FlowExporterDto, IReadOnlyDictionary<string, long>> reasons)
        {
            text.Counter(name, help);
            foreach (FlowExporterDto e in flow.Exporters)
            {
                foreach ((string reason, long count) in reasons(e).OrderBy(r => r.Key, StringComparer.Ordinal))
                {
                    text.Sample(count, ("exporter", e.Address), ("reason", reason));
                }
            }
        }
    }
}
