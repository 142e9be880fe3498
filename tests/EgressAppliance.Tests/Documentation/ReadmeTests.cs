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
    public void Make_targets_named_in_the_documentation_exist()
    {
        string makefile = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "Makefile"));
        (string Place, string Target)[] targets = [.. MarkdownPage.All.SelectMany(p => p.Code.SelectMany(c => MakeTarget().Matches(c.Text).Select(m => ($"{p.Name}:{c.Line}", m.Groups[1].Value))))];
        Assert.True(targets.Length > 15);
        Assert.Superset(new HashSet<string> { "demo", "test", "compare-bgp", "fuzz" }, targets.Select(t => t.Target).ToHashSet());
        Assert.All(targets, t => Assert.True(Regex.IsMatch(makefile, $"(?m)^{t.Target}:"), $"{t.Place}: make {t.Target}"));
    }

    [GeneratedRegex(@"(?m)(?:^|\s)make ([a-z][a-z-]*)")]
    private static partial Regex MakeTarget();
}
