using System.Text.RegularExpressions;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Tests.Http;

public sealed partial class ApplianceMetricsTests
{
    [Fact]
    public void Every_sample_belongs_to_a_family_with_help_and_type_written_once()
    {
        string text = MetricsText.OfEverything();
        List<string> families = [];
        bool histogram = false;
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                families.Add(line.Split(' ')[2]);
                histogram = line.EndsWith(" histogram", StringComparison.Ordinal);
            }
            else if (!line.StartsWith('#'))
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, line);
                Assert.Equal(families[^1], histogram ? HistogramSuffix().Replace(sample.Groups[1].Value, "") : sample.Groups[1].Value);
            }
        }

        Assert.Equal(families.Distinct(), families);
        Assert.Contains("process_resident_memory_bytes", families);
        Assert.Contains("egress_link_mirror_bits_per_second{link=\"isp-a\"} 500\n", text, StringComparison.Ordinal);
        Assert.Contains("egress_decode_rejected_packets_total{reason=\"truncated_ipv4\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("egress_mode_inject 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.0/24", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Capture_is_told_by_source_worker_and_stage()
    {
        StateEventDto state = FakeAppliance.MakeState("inject");
        CaptureSourceDto source = new("mir0", 10, 2, 1, null) { State = "receiving", NicMissed = 3, NicDropped = 4, Packets = 9, IpBytes = 900, LossRatio = 0.25, WorkerFrames = [6, 4] };
        CaptureDto capture = state.Status.Capture with { Sources = [source, source with { Name = "mir1", State = "absent" }], Findings = [new("mir0", "loss", "ring_full", "", "")] };
        using StringWriter text = new();
        ApplianceMetrics.Write(new PrometheusText(text), state with { Status = state.Status with { Capture = capture } }, [], []);
        foreach (string sample in (string[])
            ["frames_total{interface=\"mir0\"} 10", "dropped_packets_total{interface=\"mir0\",stage=\"kernel\"} 2", "dropped_packets_total{interface=\"mir0\",stage=\"nic\"} 3",
                "ring_freezes_total{interface=\"mir0\"} 1", "interface_dropped_packets_total{interface=\"mir0\"} 4", "source_packets_total{interface=\"mir0\"} 9",
                "source_bytes_total{interface=\"mir0\"} 900", "up{interface=\"mir0\"} 1", "up{interface=\"mir1\"} 0", "loss_ratio{interface=\"mir0\"} 0.25",
                "worker_frames_total{interface=\"mir0\",worker=\"1\"} 4", "findings{level=\"loss\"} 1", "findings{level=\"hint\"} 0"])
        {
            Assert.Contains($"\negress_capture_{sample}\n", text.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Sessions_are_told_by_peer()
    {
        string text = MetricsText.OfEverything();
        foreach (string sample in (string[])
            ["egress_bgp_peer_state_since_timestamp_seconds{peer=\"192.0.2.1\"} 1767323045", "egress_bgp_peer_established_total{peer=\"192.0.2.1\"} 2",
                "egress_bgp_hold_time_seconds{peer=\"192.0.2.1\"} 9", "egress_bgp_hold_time_seconds{peer=\"192.0.2.5\"} NaN",
                "egress_bgp_all_paths_known{peer=\"192.0.2.1\"} 1", "egress_bgp_table_complete{peer=\"192.0.2.5\"} 0", "egress_bgp_max_prefix{peer=\"192.0.2.1\"} 4000000",
                "egress_bgp_max_prefix_ratio{peer=\"192.0.2.1\"} 0.8", "egress_bgp_max_prefix_warning{peer=\"192.0.2.1\"} 1", "egress_bgp_max_prefix_out{peer=\"192.0.2.1\"} 500",
                "egress_bgp_max_prefix_out{peer=\"192.0.2.5\"} +Inf", "egress_bgp_overrides_waiting{peer=\"192.0.2.1\"} 6", "egress_bgp_output_queue_bytes{peer=\"192.0.2.1\"} 2048",
                "egress_bgp_output_behind{peer=\"192.0.2.1\"} 1", "egress_bgp_update_errors_total{peer=\"192.0.2.1\"} 5", "egress_bgp_routes_ignored_total{peer=\"192.0.2.1\"} 6",
                "egress_bgp_messages_total{peer=\"192.0.2.1\",direction=\"received\"} 3", "egress_bgp_messages_total{peer=\"192.0.2.1\",direction=\"sent\"} 4",
                "egress_bgp_refreshes_total{peer=\"192.0.2.1\",direction=\"sent\"} 7", "egress_bgp_refreshes_total{peer=\"192.0.2.1\",direction=\"received\"} 8",
                "egress_bgp_notifications_total{peer=\"192.0.2.1\",direction=\"sent\"} 9", "egress_bgp_notifications_total{peer=\"192.0.2.1\",direction=\"received\"} 10",
                "egress_bmp_up{peer=\"192.0.2.1\"} 1", "egress_bmp_connections_total{peer=\"192.0.2.1\"} 2", "egress_bmp_messages_total{peer=\"192.0.2.1\"} 30",
                "egress_bmp_malformed_messages_total{peer=\"192.0.2.1\"} 1", "egress_bmp_peers_up{peer=\"192.0.2.1\"} 1",
                "egress_bgp_loc_rib_routes{peer=\"192.0.2.1\"} 1000000", "egress_bgp_loc_rib_compared_prefixes{peer=\"192.0.2.1\"} 900",
                "egress_bgp_loc_rib_differing_prefixes{peer=\"192.0.2.1\"} 4"])
        {
            Assert.Contains($"\n{sample}\n", text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("egress_bmp_up{peer=\"192.0.2.5\"}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Cycles_are_told_as_a_histogram_whose_buckets_add_up()
    {
        DurationHistogram cycles = new(0.01, 0.1);
        foreach (int milliseconds in (int[])[4, 10, 40, 700])
        {
            cycles.Observe(TimeSpan.FromMilliseconds(milliseconds));
        }

        using StringWriter text = new();
        ApplianceMetrics.Write(new PrometheusText(text), FakeAppliance.MakeState("inject"), [], [], loop: new LoopReading(TimeSpan.FromSeconds(5), cycles.Read()));
        Assert.Contains(
            """
            egress_decision_cycle_seconds_bucket{le="0.01"} 2
            egress_decision_cycle_seconds_bucket{le="0.1"} 3
            egress_decision_cycle_seconds_bucket{le="+Inf"} 4
            egress_decision_cycle_seconds_sum 0.754
            egress_decision_cycle_seconds_count 4
            """, text.ToString(), StringComparison.Ordinal);
        Assert.Contains("\negress_decision_cycle_period_seconds 5\n", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_state_and_one_verdict_are_in_force()
    {
        string text = MetricsText.OfEverything();
        Assert.Contains("\negress_bgp_peer_state{peer=\"192.0.2.5\",state=\"Active\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\negress_bgp_session_transitions_total{peer=\"192.0.2.1\",to=\"OpenSent\"} 2\n", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split('\n').Count(l => l.StartsWith("egress_bgp_peer_state{", StringComparison.Ordinal) && l.EndsWith(" 1", StringComparison.Ordinal)));
        Assert.Equal(
            ["egress_decision_verdict{verdict=\"no_overload\"} 1"],
            text.Split('\n').Where(l => l.StartsWith("egress_decision_verdict{", StringComparison.Ordinal) && l.EndsWith(" 1", StringComparison.Ordinal)));
        Assert.Contains("\negress_decision_last_cycle_timestamp_seconds 1767323045\n", text, StringComparison.Ordinal);
        Assert.Contains("\negress_override_lease_expires_timestamp_seconds 1767323075\n", text, StringComparison.Ordinal);
    }

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSuffix();

    [GeneratedRegex("""^([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (NaN|[+-]?Inf|-?[0-9.eE+-]+)$""")]
    private static partial Regex Sample();
}
