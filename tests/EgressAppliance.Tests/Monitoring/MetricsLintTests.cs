using System.Text.RegularExpressions;
using EgressAppliance.Tests.Http;

namespace EgressAppliance.Tests.Monitoring;

/// <summary>Names, types and help of the metrics, as Prometheus's own checker judges them.</summary>
public sealed partial class MetricsLintTests
{
    /// <summary>
    /// Rates of links are told in bit/s, as capacities, commits and every router tell them, and their names say so. Prometheus would have bytes; of all its rules
    /// this is the one that is not followed.
    /// </summary>
    private const string BitsOfLinks = "use base unit \"bytes\" instead of \"bits\"";

    [PromtoolFact]
    public async Task Promtool_has_no_complaint_about_any_family()
    {
        (int exitCode, string output) = await Promtool.RunAsync(MetricsText.OfEverything(), "check", "metrics");
        string[] complaints = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(complaints, c => Assert.Matches(RateInBits(), c));

        // It did read them: an error would end it with 1.
        Assert.Equal(3, exitCode);
        Assert.True(complaints.Length > 5);
    }

    [PromtoolFact]
    public async Task Promtool_complains_where_there_is_a_reason()
    {
        (int exitCode, string output) = await Promtool.RunAsync("# HELP egress_test_ms A test.\n# TYPE egress_test_ms counter\negress_test_ms 1\n", "check", "metrics");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("_total", output, StringComparison.Ordinal);
    }

    [GeneratedRegex("^egress_[a-z_]+_bits_per_second " + BitsOfLinks + "$")]
    private static partial Regex RateInBits();
}
