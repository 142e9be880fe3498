namespace EgressAppliance.Tests.Decision;

public class ScenarioTests
{
    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(TestData.Path("decision"), "*.txt").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Run_scenario_file_gives_what_it_expects(string file) => Scenario.Run(TestData.Path("decision", file));
}
