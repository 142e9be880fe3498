using System.Text;
using System.Text.RegularExpressions;
using EgressAppliance.Tests.Configuration;

namespace EgressAppliance.Tests.Http;

/// <summary>docs/metrics.md lists every family with its labels and help; <c>UPDATE_GOLDEN=1</c> rewrites the table.</summary>
public sealed partial class MetricsDocumentTests
{
    [Fact]
    public void Document_holds_the_table_of_every_family()
    {
        string path = Path.Combine(TestData.RepositoryRoot, "docs", "metrics.md");
        string page = File.ReadAllText(path);
        int start = page.IndexOf("-->\n", page.IndexOf("<!-- metrics:", StringComparison.Ordinal), StringComparison.Ordinal) + 4;
        int end = page.IndexOf("<!-- end of metrics -->", StringComparison.Ordinal);
        Assert.True(start > 4 && end >= start, "the markers around the table are gone");
        Golden.Compare(path, $"{page[..start]}\n{Table(MetricsText.OfEverything())}\n{page[end..]}");
    }

    private static string Table(string metrics)
    {
        StringBuilder table = new("| metric | type | labels | meaning |\n|---|---|---|---|\n");
        foreach (Match family in Family().Matches(metrics))
        {
            string name = family.Groups["name"].Value;
            Match sample = Regex.Match(metrics, $@"(?m)^{name}(_bucket)?(\{{(?<labels>.*)\}})? \S+$");
            Assert.True(sample.Success, $"no sample of {name}");
            table.Append("| `").Append(name).Append("` | ").Append(family.Groups["type"].Value).Append(" | ")
                .AppendJoin(", ", Label().Matches(sample.Groups["labels"].Value).Select(l => $"`{l.Groups[1].Value}`")).Append(" | ")
                .Append(family.Groups["help"].Value).Append(" |\n");
        }

        return table.ToString();
    }

    [GeneratedRegex("(?m)^# HELP (?<name>\\S+) (?<help>.*)\n# TYPE \\S+ (?<type>\\S+)$")]
    private static partial Regex Family();

    [GeneratedRegex("([a-z_]+)=\"")]
    private static partial Regex Label();
}
