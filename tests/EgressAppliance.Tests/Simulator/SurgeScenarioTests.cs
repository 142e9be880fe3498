using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Tests.Simulator;

public class SurgeScenarioTests
{
    [Theory]
    [InlineData(0, 0, SurgePhase.Ramp)]
    [InlineData(10, 0.5, SurgePhase.Ramp)]
    [InlineData(20, 1, SurgePhase.Plateau)]
    [InlineData(43, 1, SurgePhase.Plateau)]
    [InlineData(50, 0.5, SurgePhase.Fall)]
    [InlineData(56, 0, SurgePhase.Calm)]
    [InlineData(200, 0, SurgePhase.Calm)]
    public void SurgeAt_of_one_story_grows_stays_and_falls(int seconds, double surge, SurgePhase phase)
    {
        SurgeScenario story = SurgeScenario.Once(TimeSpan.FromSeconds(80));

        Assert.Equal(surge, story.SurgeAt(TimeSpan.FromSeconds(seconds)), 9);
        Assert.Equal(phase, story.PhaseAt(TimeSpan.FromSeconds(seconds)));
        Assert.Equal(TimeSpan.FromSeconds(80), story.Length);
    }

    [Fact]
    public void SurgeAt_of_the_endless_story_repeats()
    {
        SurgeScenario story = SurgeScenario.Endless;

        Assert.Equal(0, story.SurgeAt(TimeSpan.FromSeconds(5)));
        Assert.Equal(0.5, story.SurgeAt(TimeSpan.FromSeconds(25)), 9);
        Assert.Equal(0.5, story.SurgeAt(TimeSpan.FromSeconds(25) + (3 * story.Length)), 9);
    }
}
