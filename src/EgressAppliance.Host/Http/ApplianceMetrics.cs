using System.Globalization;
using EgressAppliance.Host.History;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Pipeline;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The metrics of the appliance read from the same state as the page. Rates per prefix are in the API, never in labels.
/// </summary>
public static class ApplianceMetrics
{
    /// <summary>
    /// Writes every family. <paramref name="verdicts"/> are cycles by verdict, <paramref name="changes"/> overrides by action, since start;
    /// <paramref name="journal"/> and <paramref name="history"/> are null where there is none, <paramref name="loop"/> before the control loop has started.
    /// </summary>
    public static void Write(
        MetricWriter text, StateEventDto state, IReadOnlyList<KeyValuePair<string, long>> verdicts, IReadOnlyList<KeyValuePair<string, long>> changes,
        JournalStatus? journal = null, CostDto? cost = null, LoopReading? loop = null, HistoryStatus? history = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        StatusDto status = state.Status;
        text.Gauge("egress_build_info", "1, with version and source revision as labels.").Sample(1, ("version", status.Version), ("revision", ProcessMetrics.Revision));
        text.Gauge("egress_healthy", "1 if every input is good.").Sample(status.Healthy ? 1 : 0);
        text.Gauge("egress_problems", "What `show status` lists as wrong.").Sample(status.Problems.Count);
        text.Gauge("egress_mode_inject", "1 in mode inject, 0 in observe.").Sample(status.Mode == "inject" ? 1 : 0);
        WriteCapture(text, status.Capture);
        if (status.Capture.Flow is { } flow)
        {
            FlowMetrics.Write(text, flow);
        }

        WriteLinks(text, state.Links);
        WriteRouters(text, status);
        DecisionMetrics.Write(text, state, verdicts, changes, loop);
        if (journal is not null)
        {
            WriteJournal(text, journal);
        }

        if (cost is { Links.Count: > 0 })
        {
            WriteCost(text, cost);
        }

        if (history is not null)
        {
            HistoryMetrics.Write(text, history);
        }

        ProcessMetrics.Write(text);
    }

    private static void WriteCost(MetricWriter text, CostDto cost)
    {
        text.Gauge("egress_cost_mode", "1 if moves are made to lower the bill; absent, as what follows, without a link with a price.").Sample(cost.Enabled ? 1 : 0);
        text.Gauge("egress_billing_file_up", "1 if the billing months are kept on disk, 0 if writing failed.").Sample(cost.Problem is null ? 1 : 0);
        text.Gauge("egress_bill_so_far", "What all links with a price will be billed this month in any case, in the currency of the prices.").Sample((double)cost.BillSoFar);
        Each("egress_billing_standing_bits_per_second", "What the link will be billed in any case, commit aside.", l => l.StandingBps);
        Each("egress_billing_percentile_bits_per_second", "The billed percentile of the month's samples so far.", l => l.PercentileBps);
        Each("egress_billing_samples", "Samples of the month that are over and were measured.", l => l.Measured);
        Each("egress_cost_level_bits_per_second", "The rate up to which cost mode fills the link.", l => l.LevelBps);
        Each("egress_cost_free_samples_left", "Samples that may still exceed the level without being billed.", l => l.FreeLeft);
        Each("egress_cost_bursting", "1 while the link is filled beyond its level.", l => l.Bursting ? 1 : 0);

        void Each(string name, string help, Func<CostLinkDto, double?> value)
        {
            text.Gauge(name, help);
            foreach (CostLinkDto link in cost.Links)
            {
                if (value(link) is { } number)
                {
                    text.Sample(number, ("link", link.Name));
                }
            }
        }
    }

    private static void WriteJournal(MetricWriter text, JournalStatus journal)
    {
        text.Gauge("egress_journal_up", "1 if the journal of decisions is written, 0 if the disk fails or does not keep up; absent without a journal.")
            .Sample(journal.Problem is null ? 1 : 0);
        text.Counter("egress_journal_calls_total", "Calls of the decision maker for the journal: written, or left out because the disk failed or did not keep up.");
        text.Sample(journal.Written, ("result", "written"));
        text.Sample(journal.Dropped, ("result", "dropped"));
        text.Counter("egress_journal_failures_total", "Times that writing the journal failed.").Sample(journal.Failures);
        text.Gauge("egress_journal_bytes", "Size of all journal files.").Sample(journal.Bytes);
    }

    private static void WriteCapture(MetricWriter text, CaptureDto capture)
    {
        EachSource("counter", "egress_capture_frames_total", "Frames received from the source.", s => s.Frames);
        text.Counter("egress_capture_dropped_packets_total", "Frames lost, by the stage that lost them.");
        foreach (CaptureSourceDto source in capture.Sources)
        {
            text.Sample(source.KernelDropped, ("interface", source.Name), ("stage", "kernel"));
            text.Sample(source.NicMissed, ("interface", source.Name), ("stage", "nic"));
        }

        text.Sample(capture.PoolExhausted, ("interface", ""), ("stage", "pool_exhausted"));
        EachSource("counter", "egress_capture_ring_freezes_total", "Times the ring froze because user space held every block.", s => s.Freezes);
        EachSource("counter", "egress_capture_interface_dropped_packets_total", "rx_dropped of the interface: dropped before capture, or of no use to any protocol.", s => s.NicDropped);
        EachSource("counter", "egress_capture_source_packets_total", "IP packets of the source.", s => s.Packets);
        EachSource("counter", "egress_capture_source_bytes_total", "Their IP bytes.", s => s.IpBytes);
        EachSource("gauge", "egress_capture_up", "1 if frames come from the source.", s => s.State == CaptureState.Receiving ? 1 : 0);
        EachSource("gauge", "egress_capture_loss_ratio", "Frames lost as a share of all, over the last ten seconds.", s => s.LossRatio);
        text.Counter("egress_capture_worker_frames_total", "Frames of each worker of the source.");
        foreach (CaptureSourceDto source in capture.Sources)
        {
            for (int i = 0; i < source.WorkerFrames.Count; i++)
            {
                text.Sample(source.WorkerFrames[i], ("interface", source.Name), ("worker", i.ToString(CultureInfo.InvariantCulture)));
            }
        }

        text.Gauge("egress_capture_findings", "What `show capture` advises on, by level.");
        foreach (string level in (string[])["loss", "warning", "hint"])
        {
            text.Sample(capture.Findings.Count(f => f.Level == level), ("level", level));
        }

        text.Gauge("egress_huge_pages_bytes", "Memory of the appliance in huge pages.").Sample(capture.HugePagesBytes);
        text.Counter("egress_capture_packets_total", "IP packets counted.").Sample(capture.Packets);
        text.Counter("egress_capture_bytes_total", "IP bytes counted.").Sample(capture.IpBytes);
        text.Counter("egress_decode_rejected_packets_total", "Frames that were not counted, by reason.");
        text.Sample(capture.NonIp, ("reason", "non_ip"));
        text.Sample(capture.Ignored, ("reason", "ignored_mac"));
        foreach ((string reason, long count) in capture.Undecodable.OrderBy(u => u.Key, StringComparer.Ordinal))
        {
            text.Sample(count, ("reason", reason));
        }

        text.Gauge("egress_lpm_prefixes", "Prefixes in the lookup table.").Sample(capture.Prefixes);
        text.Counter("egress_lpm_unmatched_packets_total", "IP packets that no prefix matched.").Sample(capture.UnroutedPackets);
        text.Counter("egress_lpm_unmatched_bytes_total", "Their IP bytes.").Sample(capture.UnroutedIpBytes);
        text.Counter("egress_link_unattributed_packets_total", "IP packets that matched no configured link.").Sample(capture.UnattributedPackets);

        void EachSource(string type, string name, string help, Func<CaptureSourceDto, double> value)
        {
            text.Family(name, type, help);
            foreach (CaptureSourceDto source in capture.Sources)
            {
                text.Sample(value(source), ("interface", source.Name));
            }
        }
    }

    private static void WriteLinks(MetricWriter text, IReadOnlyList<LinkDto> links)
    {
        Each("egress_link_up", "1 if ifOperStatus is up, 0 if it is not; NaN while it is not known.", l => l.OperStatus switch { "up" => 1, "unknown" => double.NaN, _ => 0 });
        Each("egress_link_capacity_bits_per_second", "Capacity.", l => l.CapacityBps);
        Each("egress_link_threshold_bits_per_second", "Load above which the link is relieved.", l => l.ThresholdBps);
        Each("egress_link_mirror_bits_per_second", "Rate seen on the mirror, layer-2 overhead added.", l => l.MirrorBps);
        Known("egress_link_mirror_packets_total", "counter", "IP packets of the link that the mirror has shown, scaled up by the sampling.", l => l.MirrorPackets);
        Known("egress_link_mirror_bytes_total", "counter", "Their bytes, layer-2 overhead added.", l => l.MirrorBytes);
        Each("egress_link_snmp_bits_per_second", "Rate by the interface counter.", l => l.CounterBps ?? double.NaN);
        Each("egress_link_native_bits_per_second", "Projected load without our overrides.", l => l.NativeBps);
        Each("egress_link_planned_bits_per_second", "Projected load with the plan in force.", l => l.PlannedBps);
        Each("egress_link_utilization_ratio", "Mirror rate over capacity.", l => l.CapacityBps > 0 ? (double)l.MirrorBps / l.CapacityBps : double.NaN);
        Each("egress_link_error_ratio", "Share by which the link's limits shrink for the error of its load.", l => l.ErrorRatio);
        Each("egress_link_mirror_error_bits_per_second", "How wrong the mirror rate may be either way.", l => l.ErrorBps);
        Each("egress_link_mirror_to_snmp_ratio", "Mirror rate over counter rate in the last minute or more; NaN while unknown.", l => l.MirrorRatio ?? double.NaN);
        text.Gauge("egress_link_rate_cause", "1 for the cause that mirror and counter are taken to speak for.");
        foreach (LinkDto link in links)
        {
            text.Sample(1, ("link", link.Name), ("cause", link.RateCause));
        }

        Each("egress_overrides", "Overrides that send prefixes by this link.", l => l.Overrides);
        Known("egress_link_members", "gauge", "Members of a link that is an aggregate.", l => l.Members);
        Known("egress_link_members_up", "gauge", "Members that are up.", l => l.MembersUp);
        Known("egress_link_in_errors_total", "counter", "ifInErrors of the interface.", l => l.InErrors);
        Known("egress_link_out_errors_total", "counter", "ifOutErrors of the interface.", l => l.OutErrors);
        Known("egress_link_out_discards_total", "counter", "ifOutDiscards of the interface.", l => l.OutDiscards);

        void Known(string name, string type, string help, Func<LinkDto, long?> value)
        {
            text.Family(name, type, help);
            foreach (LinkDto link in links)
            {
                if (value(link) is { } number)
                {
                    text.Sample(number, ("link", link.Name));
                }
            }
        }

        void Each(string name, string help, Func<LinkDto, double> value)
        {
            text.Gauge(name, help);
            foreach (LinkDto link in links)
            {
                text.Sample(value(link), ("link", link.Name));
            }
        }
    }

    private static void WriteRouters(MetricWriter text, StatusDto status)
    {
        text.Gauge("egress_bgp_peer_up", "1 if the session is Established.");
        foreach (BgpPeerDto peer in status.Bgp)
        {
            text.Sample(peer.State == "Established" ? 1 : 0, ("peer", peer.Address), ("router", peer.Router));
        }

        text.Gauge("egress_bgp_rib_routes", "Paths held in the Adj-RIB-In.");
        foreach (BgpPeerDto peer in status.Bgp)
        {
            text.Sample(peer.RoutesIpv4, ("peer", peer.Address), ("afi", "ipv4"), ("rib", "adj_rib_in"));
            text.Sample(peer.RoutesIpv6, ("peer", peer.Address), ("afi", "ipv6"), ("rib", "adj_rib_in"));
        }

        text.Gauge("egress_bgp_overrides_announced", "Overrides announced to the peer.");
        foreach (BgpPeerDto peer in status.Bgp)
        {
            text.Sample(peer.Overrides, ("peer", peer.Address));
        }

        SessionMetrics.Write(text, status.Bgp);
        text.Gauge("egress_snmp_up", "1 if the router's agent answered the last poll.");
        foreach (SnmpDto agent in status.Snmp)
        {
            text.Sample(agent.Reachable ? 1 : 0, ("router", agent.Router));
        }
    }
}
