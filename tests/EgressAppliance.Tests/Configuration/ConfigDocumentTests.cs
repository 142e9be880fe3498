using EgressAppliance.Host.Config;
using EgressAppliance.Host.Simulate;

namespace EgressAppliance.Tests.Configuration;

public sealed class ConfigDocumentTests
{
    private static string Document => DocumentOf("configuration.md");

    [Fact]
    public void Document_holds_the_table_of_every_key() => CompareTable(Document, ConfigReference.ToMarkdown());

    [Fact]
    public void Document_of_scenarios_holds_the_table_of_every_key() =>
        CompareTable(DocumentOf("scenarios.md"), ConfigReference.ToMarkdown(ScenarioKeys.Schema));

    [Fact]
    public void Document_of_scenarios_shows_one_as_it_is_and_lists_all()
    {
        string text = File.ReadAllText(DocumentOf("scenarios.md"));
        Assert.Contains("```yaml\n" + ScenarioFile.ReadBundled("step") + "```", text, StringComparison.Ordinal);
        Assert.All(ScenarioFile.Bundled, name => Assert.Contains($"| `{name}` | {ScenarioFile.Load(name).Scenario!.Title} |", text, StringComparison.Ordinal));
    }

    private static string DocumentOf(string name) => Path.Combine(TestData.RepositoryRoot, "docs", name);

    private static void CompareTable(string document, string table)
    {
        string text = File.ReadAllText(document);
        int start = text.IndexOf("-->\n", text.IndexOf("<!-- keys:", StringComparison.Ordinal), StringComparison.Ordinal) + 4;
        int end = text.IndexOf("<!-- end of keys -->", StringComparison.Ordinal);
        Assert.True(start > 4 && end >= start, "the markers around the keys are gone");

        Golden.Compare(document, text[..start] + "\n" + table + "\n" + text[end..]);
    }

    [Fact]
    public void Document_shows_the_minimal_configuration_as_tested() =>
        Assert.Contains(
            "```yaml\n" + File.ReadAllText(TestData.Path("config", "minimal", "in.yaml")) + "```",
            File.ReadAllText(Document),
            StringComparison.Ordinal);
}
