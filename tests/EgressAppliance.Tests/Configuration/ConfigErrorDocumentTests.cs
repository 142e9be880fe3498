using System.Text;
using System.Text.RegularExpressions;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Tests.Configuration;

/// <summary>
/// docs/configuration-errors.md lists every kind of error and warning that the cases of <c>tests/data/config</c> show, with its remedy; <c>UPDATE_GOLDEN=1</c> rewrites it.
/// </summary>
public sealed partial class ConfigErrorDocumentTests
{
    private const string Begin = "<!-- kinds: generated from the cases of tests/data/config; a test run with UPDATE_GOLDEN=1 rewrites it -->\n";
    private const string End = "<!-- end of kinds -->";

    [Fact]
    public void Document_lists_every_kind_with_its_remedy()
    {
        Kind[] kinds = [.. Kinds()];
        Assert.True(kinds.Length > 130, $"{kinds.Length} kinds");
        Assert.All(kinds, k => Assert.True(k.Remedy.Length > 5, $"{k.Message} has no remedy"));

        string path = Path.Combine(TestData.RepositoryRoot, "docs", "configuration-errors.md");
        string page = File.ReadAllText(path);
        int start = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(start >= Begin.Length && end >= start, "the markers around the table are gone");
        Golden.Compare(path, $"{page[..start]}\n{kinds.Length} kinds.\n\n{Table(kinds)}\n{page[end..]}");
    }

    private static string Table(IEnumerable<Kind> kinds)
    {
        StringBuilder table = new();
        foreach (IGrouping<string, Kind> section in kinds.GroupBy(k => k.Section).OrderBy(s => s.Key.Length == 0 ? 0 : 1).ThenBy(s => s.Key, StringComparer.Ordinal))
        {
            table.Append(table.Length == 0 ? "" : "\n").Append("### ").Append(section.Key.Length == 0 ? "The file" : $"`{section.Key}`")
                .Append("\n\n| an example | what to do | case |\n|---|---|---|\n");
            foreach (Kind kind in section)
            {
                table.Append("| ").Append(kind.IsWarning ? "warning: " : "").Append(Cell(kind.Message)).Append(" | ").Append(Cell(kind.Remedy)).Append(" | `").Append(kind.Case).Append("` |\n");
            }
        }

        return table.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);

    /// <summary>The first message of each kind, in the order of the cases. Messages that differ in names, numbers and places only are of one kind.</summary>
    private static IEnumerable<Kind> Kinds()
    {
        HashSet<string> seen = [];
        foreach (string name in Directory.GetDirectories(TestData.Path("config")).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal))
        {
            using ConfigFolder folder = ConfigFolder.OfCase(name);
            ConfigResult result = ConfigLoader.Load(folder.File);
            foreach (Kind kind in result.Errors.Select(e => new Kind(false, e.Message, e.Remedy, name)).Concat(result.Warnings.Select(w => new Kind(true, w.Message, w.Remedy, name))))
            {
                Kind clean = kind with
                {
                    Message = kind.Message.Replace(folder.Path + "/", "", StringComparison.Ordinal),
                    Remedy = kind.Remedy.Replace(folder.Path + "/", "", StringComparison.Ordinal),
                };
                if (seen.Add(clean.Pattern))
                {
                    yield return clean;
                }
            }
        }
    }

    private sealed partial record Kind(bool IsWarning, string Message, string Remedy, string Case)
    {
        /// <summary>Top-level key that it is about, or empty.</summary>
        public string Section => KeyPath().Match(Message) is { Success: true } key && ConfigSchema.Root.Child(key.Groups[1].Value) is not null ? key.Groups[1].Value : "";

        /// <summary>The message without what differs from file to file.</summary>
        public string Pattern => IsWarning + Numbers().Replace(Quoted().Replace(KeyPath().Replace(Message, "KEY", 1), "…"), "N");

        [GeneratedRegex(@"'([a-z_]+)(?:\[\d+\])?(?:\.[a-z_0-9]+(?:\[\d+\])?)*'")]
        private static partial Regex KeyPath();

        [GeneratedRegex("'[^']*'")]
        private static partial Regex Quoted();

        [GeneratedRegex(@"[0-9a-f:.\[]*[0-9][0-9a-zA-Z:.%\]]*|::")]
        private static partial Regex Numbers();
    }
}
