using System.Globalization;
using EgressAppliance.Decision.Planner;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision;

public class ControllerPropertyTests(ITestOutputHelper output)
{
    private const int Steps = 40;

    /// <summary>Always the same seeds in a build; <c>EGRESS_SEQUENCES=100000</c> searches longer.</summary>
    private static int Sequences =>
        int.TryParse(Environment.GetEnvironmentVariable("EGRESS_SEQUENCES"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 1000;

    [Fact]
    public void Any_history_keeps_the_router_right_and_gives_the_same_bytes_again()
    {
        HashSet<Verdict> verdicts = [];
        HashSet<ReasonCode> reasons = [];
        for (int seed = 0; seed < Sequences; seed++)
        {
            ControllerSequence sequence = new(seed);
            string? wrong = sequence.Run(Steps);
            Assert.True(wrong is null, $"seed {seed}: {wrong}");
            ControllerSequence again = new(seed);
            again.Run(Steps);
            Assert.True(sequence.Log == again.Log, $"seed {seed}: not the same bytes");
            verdicts.UnionWith(sequence.Verdicts);
            reasons.UnionWith(sequence.Reasons);
        }

        output.WriteLine($"{Sequences} histories met {verdicts.Count} verdicts and {reasons.Count} reasons");
        output.WriteLine("not met: " + string.Join(", ", Enum.GetValues<Verdict>().Except(verdicts).Select(Reasons.Code).Concat(Enum.GetValues<ReasonCode>().Except(reasons).Select(Reasons.Code))));

        // The rest needs a snapshot that contradicts itself or has no links, or a link that is not configured.
        Assert.InRange(verdicts.Count, 20, int.MaxValue);
        Assert.InRange(reasons.Count, 28, int.MaxValue);
    }
}
