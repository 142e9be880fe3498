using System.Text.RegularExpressions;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Tests.Http;

public sealed partial class ApplianceMetricsTests
{
    [Fact]
    public void Every_sample_belongs_to_a_family_with_help_and_type_written_once()
    {
        using StringWriter text = new();
        ApplianceMetrics.Write(text, FakeAppliance.MakeState("inject"), [KeyValuePair.Create("no_overload", 4L)], [KeyValuePair.Create("announced", 2L)]);
        List<string> families = [];
        foreach (string line in text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                families.Add(line.Split(' ')[2]);
            }
            else if (!line.StartsWith('#'))
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, line);
                Assert.Equal(families[^1], sample.Groups[1].Value);
            }
        }

        Assert.Equal(families.Distinct(), families);
        Assert.Contains("egress_link_mirror_bits_per_second{link=\"isp-a\"} 500\n", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("egress_decode_rejected_packets_total{reason=\"truncated_ipv4\"} 2\n", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("egress_mode_inject 1\n", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.0/24", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Capture_is_told_by_source_worker_and_stage()
    {
        StateEventDto state = FakeAppliance.MakeState("inject");
        CaptureSourceDto source = new("mir0", 10, 2, 1, null) { State = "receiving", NicMissed = 3, NicDropped = 4, Packets = 9, IpBytes = 900, LossRatio = 0.25, WorkerFrames = [6, 4] };
        CaptureDto capture = state.Status.Capture with { Sources = [source, source with { Name = "mir1", State = "absent" }], Findings = [new("mir0", "loss", "ring_full", "", "")] };
        using StringWriter text = new();
        ApplianceMetrics.Write(text, state with { Status = state.Status with { Capture = capture } }, [], []);
        foreach (string sample in (string[])
            ["frames_total{interface=\"mir0\"} 10", "dropped_packets_total{interface=\"mir0\",stage=\"kernel\"} 2", "dropped_packets_total{interface=\"mir0\",stage=\"nic\"} 3",
                "ring_freezes_total{interface=\"mir0\"} 1", "interface_dropped_packets_total{interface=\"mir0\"} 4", "source_packets_total{interface=\"mir0\"} 9",
                "source_bytes_total{interface=\"mir0\"} 900", "up{interface=\"mir0\"} 1", "up{interface=\"mir1\"} 0", "loss_ratio{interface=\"mir0\"} 0.25",
                "worker_frames_total{interface=\"mir0\",worker=\"1\"} 4", "findings{level=\"loss\"} 1", "findings{level=\"hint\"} 0"])
        {
            Assert.Contains($"\negress_capture_{sample}\n", text.ToString(), StringComparison.Ordinal);
        }
    }

    [GeneratedRegex("""^([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (NaN|[+-]?Inf|-?[0-9.eE+-]+)$""")]
    private static partial Regex Sample();
}
