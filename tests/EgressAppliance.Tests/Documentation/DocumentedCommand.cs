using System.Text;
using System.Text.RegularExpressions;

namespace EgressAppliance.Tests.Documentation;

/// <summary>A line of the documentation that calls <c>egress-appliance</c>, or asks it by curl(1).</summary>
/// <param name="Page">The page.</param>
/// <param name="Line">Its line.</param>
/// <param name="Text">What stands there, without its comment: a line of shell, or a command within text.</param>
/// <param name="IsShell">It is a line of a block, to be typed as it stands; otherwise it stands within text and may have placeholders.</param>
internal sealed partial record DocumentedCommand(string Page, int Line, string Text, bool IsShell)
{
    /// <summary>Values of configuration keys that only look like a command.</summary>
    private static readonly string[] NoCommands = ["egress-appliance stopping"];

    /// <summary>Languages of blocks that hold no shell.</summary>
    private static readonly string[] OtherLanguages = ["yaml", "json", "text", "ini", "promql", "frr", "bird", "openbgpd", "gobgp", "junos", "ios", "iosxr", "nxos", "eos", "sros", "vrp", "nvue"];

    /// <summary>What stands for a placeholder of a usage line.</summary>
    private static readonly Dictionary<string, string> Placeholders = new(StringComparer.Ordinal)
    {
        ["PREFIX"] = "203.0.113.0/24",
        ["ADDRESS"] = "203.0.113.7",
        ["LINK"] = "isp-a",
        ["ROUTER"] = "edge1",
        ["N"] = "5",
        ["TIME"] = "30s",
        ["NAME"] = "step",
        ["SCENARIO"] = "step",
        ["FILE"] = "file",
        ["URL"] = "http://127.0.0.1:8080",
        ["PATH"] = "path",
        ["OID"] = "1.3.6.1",
        ["FOLDER"] = "folder",
    };

    /// <summary>All of README and docs, in order.</summary>
    public static IReadOnlyList<DocumentedCommand> All { get; } = [.. MarkdownPage.All.SelectMany(Of)];

    /// <summary>It asks the running appliance by curl(1).</summary>
    public bool IsRequest => IsShell && Text.StartsWith("curl ", StringComparison.Ordinal);

    /// <summary>Where it stands.</summary>
    public string Place => $"{Page}:{Line}";

    /// <summary>The commands of a page.</summary>
    public static IEnumerable<DocumentedCommand> Of(MarkdownPage page)
    {
        foreach (MarkdownCode code in page.Code)
        {
            if (code.Language == "inline")
            {
                if (!NoCommands.Contains(code.Text) && InlineCommand().IsMatch(code.Text))
                {
                    yield return new(page.Name, code.Line, code.Text, false);
                }

                continue;
            }

            if (OtherLanguages.Contains(code.Language))
            {
                continue;
            }

            string[] lines = code.Text.Split('\n');
            for (int i = 0; i < lines.Length; i++)
            {
                string line = Comment().Replace(lines[i], "").Trim();
                DocumentedCommand command = new(page.Name, code.Line + i, line, true);
                if (command.Calls().Count > 0 || command.IsRequest)
                {
                    yield return command;
                }
            }
        }
    }

    /// <summary>The arguments of each call of the program in it; placeholders have values, and optional parts are there.</summary>
    public IReadOnlyList<string[]> Calls()
    {
        List<string[]> calls = [];
        if (!IsShell)
        {
            string text = Text.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Replace("…", "", StringComparison.Ordinal);
            string[] words = [.. Words(text).Select(Filled)];
            calls.Add(words[0].EndsWith("egress-appliance", StringComparison.Ordinal) ? words[1..] : words);
            return calls;
        }

        foreach (string part in Separator().Split(Text))
        {
            string[] words = [.. Words(Redirection().Replace(part, ""))];
            int start = words is ["sudo", "-u", _, ..] ? 3 : words is ["sudo", ..] ? 1 : 0;
            if (words.Length > start && words[start] is "egress-appliance" or "bin/egress-appliance")
            {
                calls.Add(words[(start + 1)..]);
            }
        }

        return calls;
    }

    // observe|inject: the first of them.
    private static string Filled(string word) => Placeholders.GetValueOrDefault(word, word.Contains('|', StringComparison.Ordinal) ? Filled(word.Split('|')[0]) : word);

    private static List<string> Words(string text)
    {
        List<string> words = [];
        StringBuilder? word = null;
        char quote = '\0';
        foreach (char c in text)
        {
            if (quote != '\0' && c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
                word ??= new();
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (word is not null)
                {
                    words.Add(word.ToString());
                    word = null;
                }
            }
            else
            {
                (word ??= new()).Append(c);
            }
        }

        if (word is not null)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    // Views are named without the program's name; a single word is no command line.
    [GeneratedRegex(@"^((bin/)?egress-appliance [a-z-]|show [a-z]+)")]
    private static partial Regex InlineCommand();

    [GeneratedRegex(@"(^|\s)#.*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s*(?:&&|\|\||[|;])\s*")]
    private static partial Regex Separator();

    [GeneratedRegex(@"[0-9]?(>>?|<)\s*\S+")]
    private static partial Regex Redirection();
}
