using System.Text.RegularExpressions;

namespace EgressAppliance.Tests.Documentation;

/// <summary>What README and docs promise exists.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "README.md"));

    [Fact]
    public void Readme_shows_the_minimal_configuration_that_is_tested()
    {
        string minimal = File.ReadAllText(TestData.Path("config", "minimal", "in.yaml")).TrimEnd();
        Assert.Contains($"```yaml\n{minimal}\n```", Readme, StringComparison.Ordinal);
        Assert.True(minimal.Split('\n').Length <= 10);
    }

    [Fact]
    public void Links_between_documents_lead_to_files()
    {
        string[] documents = [Path.Combine(TestData.RepositoryRoot, "README.md"),
            .. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "docs"), "*.md", SearchOption.AllDirectories)];
        int links = 0;
        foreach (string document in documents)
        {
            foreach (Match match in LocalLink().Matches(File.ReadAllText(document)))
            {
                string target = Path.Combine(Path.GetDirectoryName(document)!, match.Groups[1].Value);
                Assert.True(File.Exists(target) || Directory.Exists(target), $"{document}: {match.Groups[1].Value}");
                links++;
            }
        }

        Assert.True(links > 5);
    }

    [Fact]
    public void Make_targets_named_in_the_readme_exist()
    {
        string makefile = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "Makefile"));
        string[] targets = [.. MakeTarget().Matches(Readme).Select(m => m.Groups[1].Value).Distinct()];
        Assert.Contains("demo", targets);
        Assert.Contains("test", targets);
        Assert.All(targets, t => Assert.Matches($"(?m)^{t}:", makefile));
    }

    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")]
    private static partial Regex LocalLink();

    [GeneratedRegex(@"\bmake ([a-z]+)")]
    private static partial Regex MakeTarget();
}
