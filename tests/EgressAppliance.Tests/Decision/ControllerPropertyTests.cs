using System.Globalization;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Decision;

public class ControllerPropertyTests(ITestOutputHelper output)
{
    private const int Steps = 40;

    /// <summary>Always the same seeds in a build; <c>EGRESS_SEQUENCES=100000</c> searches longer.</summary>
    private static int Sequences =>
        int.TryParse(Environment.GetEnvironmentVariable("EGRESS_SEQUENCES"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 1000;

    /// <summary>Histories that went wrong once: an announcement failed that stood in for the withdrawal of what had failed before.</summary>
    [Theory]
    [InlineData(38303)]
    public void History_that_went_wrong_once_is_right(int seed) => Assert.Null(new ControllerSequence(seed).Run(Steps));

    [Fact]
    public void Any_history_keeps_the_router_right_and_gives_the_same_bytes_again()
    {
        for (int seed = 0; seed < Sequences; seed++)
        {
            ControllerSequence sequence = new(seed);
            string? wrong = sequence.Run(Steps);
            Assert.True(wrong is null, $"seed {seed}: {wrong}");

            // The same again; and what a controller is after each step is all in the state that it exports.
            ControllerSequence again = new(seed);
            again.Run(Steps, anew: true);
            Assert.True(sequence.Log == again.Log, $"seed {seed}: not the same bytes");
        }

        output.WriteLine($"{Sequences} histories of {Steps} steps");
    }
}
