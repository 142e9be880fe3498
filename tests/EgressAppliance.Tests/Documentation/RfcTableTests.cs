using System.Globalization;
using System.Text.RegularExpressions;

namespace EgressAppliance.Tests.Documentation;

/// <summary>The files and tests that <c>docs/RFCs.md</c> names exist.</summary>
public sealed partial class RfcTableTests
{
    private static readonly string Docs = Path.Combine(TestData.RepositoryRoot, "docs");

    /// <summary>The rows of the table by column: RFC and section, what, where, test.</summary>
    private static readonly string[][] Rows =
    [
        .. File.ReadLines(Path.Combine(Docs, "RFCs.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && char.IsDigit(line[2]))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray()),
    ];

    [Fact]
    public void Files_named_exist()
    {
        string library = Path.Combine(TestData.RepositoryRoot, "src", "EgressAppliance.Bgp");
        string[] named = [.. Rows.SelectMany(row => Code().Matches(row[2]).Select(m => m.Groups[1].Value)).Distinct()];
        Assert.True(named.Length > 20);
        Assert.All(named, name => Assert.True(Path.Exists(Path.Combine(library, name)), name));
    }

    [Fact]
    public void Tests_named_exist_and_no_row_but_those_of_what_is_missing_goes_without()
    {
        string page = File.ReadAllText(Path.Combine(Docs, "bgp-interop.md"));
        int tests = 0;
        foreach (string[] row in Rows)
        {
            Assert.Equal(4, row.Length);
            Assert.True(row[3].Length > 0 != row[2].StartsWith("**no**", StringComparison.Ordinal), $"{row[0]} has no test");
            foreach (string name in Code().Matches(row[3]).Select(m => m.Groups[1].Value))
            {
                bool exists = name.Contains('/', StringComparison.Ordinal)
                    ? File.Exists(Path.Combine(TestData.RepositoryRoot, "tests", "EgressAppliance.Tests", "Bgp", name + ".cs"))
                    : page.Contains($"| `{name}` |", StringComparison.Ordinal);
                Assert.True(exists, $"{row[0]}: {name}");
                tests++;
            }
        }

        Assert.True(tests > 50);
    }

    [Fact]
    public void Rows_are_in_the_order_of_the_rfcs()
    {
        int[] numbers = [.. Rows.Select(row => int.Parse(row[0].Split(' ')[0], CultureInfo.InvariantCulture))];
        Assert.Equal(numbers.Order(), numbers);
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
