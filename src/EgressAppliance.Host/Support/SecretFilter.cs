using System.Text;
using System.Text.RegularExpressions;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http.Access;

namespace EgressAppliance.Host.Support;

/// <summary>
/// Takes secrets out of text that is to leave the box. It replaces what the secret files of the configuration hold, wherever that stands, and whatever looks like a secret: private keys, tokens of the
/// appliance, user and password in addresses, values after words such as <c>password</c>.
/// </summary>
public sealed partial class SecretFilter
{
    /// <summary>What stands in the place of a secret.</summary>
    public const string Mark = "(secret)";

    // A shorter one would be found in words that have nothing to do with it; nothing that the appliance writes has secrets in it anyway.
    private const int ShortestKnown = 4;

    private readonly string[] _known;

    /// <summary>A filter that knows these secrets.</summary>
    public SecretFilter(IEnumerable<string> known) =>
        _known = [.. known.Where(s => s.Length >= ShortestKnown).Distinct(StringComparer.Ordinal).OrderByDescending(s => s.Length)];

    /// <summary>
    /// A filter that knows the secrets of a configuration: the content of the files that its <c>*_file</c> keys name; where there is no such file, what the key says, since it may be the secret itself.
    /// </summary>
    /// <param name="root">The configuration, in spite of errors.</param>
    /// <param name="folder">What relative paths are relative to.</param>
    public static SecretFilter Of(BoundSection? root, string folder) => new(root is null ? [] : SecretsOf(root, folder));

    /// <summary>The text without them.</summary>
    public string Clean(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (string secret in _known)
        {
            text = text.Replace(secret, Mark, StringComparison.Ordinal);
        }

        text = PrivateKey().Replace(text, Mark);
        text = OwnToken().Replace(text, Mark);
        text = UserInfo().Replace(text, "://" + Mark + "@");
        text = Authorization().Replace(text, m => m.Groups["before"].Value + Mark);
        return Named().Replace(text, m => m.Groups["before"].Value + Mark);
    }

    /// <summary>
    /// A configuration file as it may be shown: the keys of the format with their values, in which no secret can stand, and of any other key the name only. Comments are left out: what was a value
    /// once may stand in them.
    /// </summary>
    /// <param name="text">The file.</param>
    public static string CleanConfig(string text)
    {
        ConfigDiagnostics diagnostics = new("appliance.yaml");
        if (ConfigYaml.Read(text, diagnostics) is not YamlMapping root)
        {
            return "# The file is no YAML that can be read, so that nobody can tell what in it is secret: it is left out.\n"
                + string.Concat(diagnostics.Errors.Select(e => $"# line {e.Line}, column {e.Column}\n"));
        }

        StringBuilder shown = new("# As on disk, without comments and without the values of unknown keys.\n");
        Write(shown, root, ConfigSchema.Root, 0);
        return shown.ToString();
    }

    private static IEnumerable<string> SecretsOf(BoundSection section, string folder)
    {
        foreach (ConfigSchema child in section.Schema.Children)
        {
            string name = child.Key.Name;
            switch (child.Key.Shape)
            {
                case ConfigShape.Section when section.Section(name) is { } inner:
                    foreach (string secret in SecretsOf(inner, folder))
                    {
                        yield return secret;
                    }

                    break;
                case ConfigShape.Sections:
                    foreach (string secret in section.Sections(name).SelectMany(s => SecretsOf(s, folder)))
                    {
                        yield return secret;
                    }

                    break;
                case ConfigShape.Value when name.EndsWith("_file", StringComparison.Ordinal) && section.Value(name) is { Given: true, Value: null, Text: { Length: > 0 } typed }
                    && !typed.Contains('/', StringComparison.Ordinal) && !File.Exists(Path.Combine(folder, typed)):
                    yield return typed;
                    break;
                case ConfigShape.Value when name.EndsWith("_file", StringComparison.Ordinal) && section.Value(name) is { Given: true, Value: string secret } value && secret != value.Text:
                    yield return secret;

                    // Of a header or a connection string a part alone may stand somewhere.
                    foreach (Match part in Part().Matches(secret))
                    {
                        yield return part.Groups["value"].Value;
                    }

                    break;
                default:
                    break;
            }
        }
    }

    private static void Write(StringBuilder text, YamlNode node, ConfigSchema? schema, int indent)
    {
        string lead = new(' ', indent);
        foreach (YamlEntry entry in ((YamlMapping)node).Entries)
        {
            ConfigSchema? known = schema?.Child(entry.Key);
            // A key that is not known may be key and value in one, with the blank after the colon forgotten.
            text.Append(lead).Append(known is null ? Quote(entry.Key.Split(':', '=')[0]) : entry.Key).Append(':');
            switch (entry.Value)
            {
                case var _ when known is null:
                    text.Append(" (unknown key, value left out)\n");
                    break;
                case YamlMapping map:
                    text.Append('\n');
                    Write(text, map, known, indent + 2);
                    break;
                case YamlSequence list:
                    text.Append('\n');
                    foreach (YamlNode item in list.Items)
                    {
                        text.Append(lead).Append("  -");
                        if (item is YamlMapping map)
                        {
                            text.Append('\n');
                            Write(text, map, known, indent + 4);
                        }
                        else
                        {
                            text.Append(' ').Append(Scalar(item)).Append('\n');
                        }
                    }

                    break;
                default:
                    text.Append(' ').Append(Scalar(entry.Value)).Append('\n');
                    break;
            }
        }
    }

    private static string Scalar(YamlNode node) => node is YamlScalar scalar ? scalar.Plain ? scalar.Text : Quote(scalar.Text) : "(left out)";

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).ReplaceLineEndings("\\n")}\"";

    [GeneratedRegex(@"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)", RegexOptions.Singleline)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(AccessToken.Prefix + @"[A-Za-z0-9_-]{20,}")]
    private static partial Regex OwnToken();

    // Up to the last @: who has one in the password has not always escaped it.
    [GeneratedRegex(@"://[^\s""'<>]*@")]
    private static partial Regex UserInfo();

    [GeneratedRegex(@"(?i)(?<before>authorization""?\s*[=:]\s*""?)(?!\(secret\))[^""\r\n]+")]
    private static partial Regex Authorization();

    [GeneratedRegex("""
        (?xi)(?<before>(pass(word|phrase|wd)?|pwd|secret|token|(api|access|private|secret)[-_\x20]?key|(?<![a-z_])(md5|community)([-_\x20]string)?)["']?\s*[=:]\s*((bearer|basic)\s+)?)
        (?!\(secret\)|(true|false|null|-)\b|["']?\d+:\d+)("(\\.|[^"\\])*"|'[^']*'|[^\s"',;}{\]]+)
        """)]
    private static partial Regex Named();

    [GeneratedRegex(@"(?i)(?:password|pwd|psw|secret|token|key)\s*=\s*(?:'(?<value>[^']{4,})'|""(?<value>[^""]{4,})""|(?<value>[^;]{4,}))|^[^=;]*:\s*(?:\S+\s+)?(?<value>\S{4,})$")]
    private static partial Regex Part();
}
