using System.Text;
using System.Text.RegularExpressions;

namespace EgressAppliance.Tests.Documentation;

/// <summary>A page of the documentation: its anchors, its links and its code, as a reader on a forge sees them.</summary>
internal sealed partial class MarkdownPage
{
    private MarkdownPage(string name, string text)
    {
        Name = name;
        List<MarkdownCode> code = [];
        List<string> anchors = [];
        List<string> links = [];
        StringBuilder? fence = null;
        int fenceLine = 0;
        string language = "";
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i];
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                if (fence is null)
                {
                    (fence, fenceLine, language) = (new StringBuilder(), i + 2, line[3..].Trim());
                }
                else
                {
                    code.Add(new(fenceLine, language, fence.ToString()));
                    fence = null;
                }
            }
            else if (fence is not null)
            {
                fence.Append(line).Append('\n');
            }
            else if (line.StartsWith("    ", StringComparison.Ordinal))
            {
                code.Add(new(i + 1, "", line[4..] + "\n"));
            }
            else
            {
                if (Heading().Match(line) is { Success: true } heading)
                {
                    anchors.Add(Anchor(heading.Groups[1].Value, anchors));
                }

                code.AddRange(Inline().Matches(line).Select(m => new MarkdownCode(i + 1, "inline", m.Groups[1].Value)));
                links.AddRange(Link().Matches(Inline().Replace(line, "")).Select(m => m.Groups[1].Value));
            }
        }

        (Code, Anchors, Links) = (code, anchors, links);
    }

    /// <summary>Path from the root of the repository.</summary>
    public string Name { get; }

    /// <summary>Blocks and inline code, in order; of an indented block each line by itself.</summary>
    public IReadOnlyList<MarkdownCode> Code { get; }

    /// <summary>Anchors of the headings.</summary>
    public IReadOnlyList<string> Anchors { get; }

    /// <summary>Targets of the links.</summary>
    public IReadOnlyList<string> Links { get; }

    /// <summary>README and all pages of docs.</summary>
    public static IReadOnlyList<MarkdownPage> All { get; } =
    [
        Read("README.md"),
        .. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(f => Read(Path.GetRelativePath(TestData.RepositoryRoot, f))).OrderBy(p => p.Name, StringComparer.Ordinal),
    ];

    /// <summary>Reads a page.</summary>
    public static MarkdownPage Read(string name) => new(name, File.ReadAllText(Path.Combine(TestData.RepositoryRoot, name)));

    /// <summary>Of text that is no file.</summary>
    public static MarkdownPage Of(string text) => new("", text);

    /// <summary>As GitHub makes them: lower case, punctuation gone, blanks to hyphens, and a number where there is one already.</summary>
    private static string Anchor(string heading, List<string> taken)
    {
        string plain = Link().Replace(heading, m => m.Value[1..m.Value.IndexOf(']', StringComparison.Ordinal)]);
        string anchor = Dropped().Replace(plain.Trim().ToLowerInvariant(), "").Replace(' ', '-');
        string free = anchor;
        for (int i = 1; taken.Contains(free); i++)
        {
            free = $"{anchor}-{i}";
        }

        return free;
    }

    [GeneratedRegex(@"^#{1,6} (.*)$")]
    private static partial Regex Heading();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"\[[^\]]*\]\(([^) ]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\p{L}\p{N}\s_-]")]
    private static partial Regex Dropped();
}

/// <summary>A piece of code on a page.</summary>
/// <param name="Line">Its first line, from 1.</param>
/// <param name="Language">Of a fenced block as given; "inline" within text; empty for a line of an indented block.</param>
/// <param name="Text">The code.</param>
internal sealed record MarkdownCode(int Line, string Language, string Text);
