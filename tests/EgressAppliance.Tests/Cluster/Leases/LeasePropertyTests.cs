using System.Globalization;
using EgressAppliance.Cluster.Leases;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>The core of the lease against everything that may go wrong, in virtual time; and flawed ones, to show that the checker finds what is wrong.</summary>
public class LeasePropertyTests(ITestOutputHelper output)
{
    /// <summary>Always the same seeds in a build; <c>EGRESS_SEQUENCES=1000000</c> searches longer.</summary>
    private static int Sequences =>
        int.TryParse(Environment.GetEnvironmentVariable("EGRESS_SEQUENCES"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 4000;

    private static readonly LeaseModelOptions Usual = new();

    // The shortest term that the hold time allows.
    private static readonly LeaseModelOptions Tight = new() { Term = 6400 };

    // With the hold time as the margin.
    private static readonly LeaseModelOptions AnyStop = new() { Margin = 3000, Term = 9100, StopsWhileSending = 0.1, AsksAgain = false };

    [Fact]
    public void Never_two_and_soon_one() => Search(Usual, Sequences);

    [Fact]
    public void Never_two_with_the_shortest_term() => Search(Tight, Sequences);

    [Fact]
    public void Never_two_wherever_a_process_is_stopped_with_the_hold_time_as_margin() => Search(AnyStop, Sequences);

    [Theory]
    [InlineData(LeaseFlaw.CountsFromReply)]
    [InlineData(LeaseFlaw.ForgetsSilence)]
    [InlineData(LeaseFlaw.TrustsServerClock)]
    [InlineData(LeaseFlaw.IgnoresHistory)]
    [InlineData(LeaseFlaw.BeginsAtZero)]
    [InlineData(LeaseFlaw.OwesNothing)]
    internal void Flaw_is_found(LeaseFlaw flaw) => Find(Tight with { Flaw = flaw });

    /// <summary>What <see cref="SiteLease"/> says is left: stopped twice, before the message and right after it, so that it cannot be asked again.</summary>
    [Fact]
    public void Stop_between_question_and_message_is_found_where_the_margin_does_not_cover_it() => Find(Tight with { Margin = 0, Term = 6100, StopsWhileSending = 0.1 });

    private void Search(LeaseModelOptions options, int count)
    {
        long leaderships = 0;
        for (int seed = 0; seed < count; seed++)
        {
            LeaseModel model = new(seed, options);
            string? wrong = model.Run();
            Assert.True(wrong is null, $"seed {seed}: {wrong}");
            leaderships += model.Leaderships;
        }

        // A model in which hardly anything happens would prove nothing.
        Assert.True(leaderships > 2L * count, $"{leaderships} leaderships in {count} histories");
        output.WriteLine($"{count} histories, {leaderships} leaderships");
    }

    private void Find(LeaseModelOptions options)
    {
        const int Most = 20_000;
        for (int seed = 0; seed < Most; seed++)
        {
            if (new LeaseModel(seed, options).Run() is { } wrong && wrong.Contains("routes of", StringComparison.Ordinal))
            {
                output.WriteLine($"found in history {seed}: {wrong}");
                return;
            }
        }

        Assert.Fail($"the checker does not find it in {Most} histories");
    }
}
