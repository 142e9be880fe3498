using System.Text.RegularExpressions;

namespace EgressAppliance.Tests.Documentation;

/// <summary>What docs/troubleshooting.md says one sees is what the program says: each quoted message is one of its sources.</summary>
public sealed partial class TroubleshootingTests
{
    private const int ShortestFragment = 8;
    private static readonly string Sources = string.Concat(
        Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));

    [Fact]
    public void Quoted_messages_are_those_of_the_program()
    {
        string[] lines = File.ReadAllLines(Path.Combine(TestData.RepositoryRoot, "docs", "troubleshooting.md"));
        string[] quoted = [.. lines.Where(l => l.StartsWith("**You see:**", StringComparison.Ordinal) || l.StartsWith("| `", StringComparison.Ordinal)).SelectMany(l => Quoted().Matches(l.Split(" | ")[0]).Select(m => m.Groups[1].Value))];
        string[] fragments = [.. quoted.Where(q => q.Contains(' ', StringComparison.Ordinal) && !Command().IsMatch(q)).SelectMany(q => Hole().Split(q)).Select(f => f.Trim(' ', ',', ';', ':', '.')).Where(f => f.Length >= ShortestFragment)];
        Assert.True(fragments.Length > 25, $"{fragments.Length} fragments");
        Assert.All(fragments, f => Assert.Contains(f, Sources, StringComparison.Ordinal));
    }

    [Fact]
    public void Verdicts_and_reasons_named_exist()
    {
        string page = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "troubleshooting.md"));
        string decides = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "how-it-decides.md"));
        string[] words = [.. Word().Matches(page).Select(m => m.Groups[1].Value).Distinct()];
        Assert.True(words.Length > 12);
        Assert.All(words, w => Assert.Contains($"`{w}`", decides, StringComparison.Ordinal));
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex("^(show|egress-appliance|systemctl|journalctl|ip|tcpdump|clear|bgp decode|mode) ")]
    private static partial Regex Command();

    // What a message fills in: left out on the page, or a name of its examples.
    [GeneratedRegex(@"…|[0-9.]+ ?%?|isp-a|edge1|mir0|/run/egress-appliance/api.sock|[0-9./]+")]
    private static partial Regex Hole();

    [GeneratedRegex("`((?:frozen|withdrawn)_[a-z_]+|giving_back|no_capacity_anywhere|no_movable_prefix|partially_relieved|plan_rejected|invalid_snapshot|confirming|capped|relieved|not_taken|not_confirmed|no_alternative_path|too_small|denied_by_policy|quarantined)`")]
    private static partial Regex Word();
}
