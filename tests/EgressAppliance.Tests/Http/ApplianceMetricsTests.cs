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

    [GeneratedRegex("""^([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (NaN|[+-]?Inf|-?[0-9.eE+-]+)$""")]
    private static partial Regex Sample();
}
