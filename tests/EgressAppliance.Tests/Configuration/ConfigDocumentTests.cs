using EgressAppliance.Host.Config;

namespace EgressAppliance.Tests.Configuration;

public sealed class ConfigDocumentTests
{
    private static string Document => Path.Combine(TestData.RepositoryRoot, "docs", "configuration.md");

    [Fact]
    public void Document_holds_the_table_of_every_key()
    {
        string text = File.ReadAllText(Document);
        int start = text.IndexOf("-->\n", text.IndexOf("<!-- keys:", StringComparison.Ordinal), StringComparison.Ordinal) + 4;
        int end = text.IndexOf("<!-- end of keys -->", StringComparison.Ordinal);
        Assert.True(start > 4 && end >= start, "the markers around the keys are gone");

        Golden.Compare(Document, text[..start] + "\n" + ConfigReference.ToMarkdown() + "\n" + text[end..]);
    }

    [Fact]
    public void Document_shows_the_minimal_configuration_as_tested() =>
        Assert.Contains(
            "```yaml\n" + File.ReadAllText(TestData.Path("config", "minimal", "in.yaml")) + "```",
            File.ReadAllText(Document),
            StringComparison.Ordinal);
}
