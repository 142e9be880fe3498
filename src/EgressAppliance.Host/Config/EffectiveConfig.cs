using System.Text;

namespace EgressAppliance.Host.Config;

/// <summary>One key with the value in effect, for <c>check --defaults --json</c>.</summary>
/// <param name="Key">Its place, with indices.</param>
/// <param name="Value">The value as text; null if there is none. Secrets are shown by the name of their file only.</param>
/// <param name="Source"><c>file</c>, <c>default</c> or <c>unset</c>.</param>
/// <param name="Line">Line in the file, or null.</param>
public sealed record EffectiveKey(string Key, string? Value, string Source, int? Line);

/// <summary>
/// Prints what is in effect: every key with its value, those that come from a default marked as such. The YAML it prints is a
/// configuration itself and loads to the same result.
/// </summary>
public static class EffectiveConfig
{
    private const int CommentColumn = 56;

    /// <summary>The whole file as YAML with the defaults filled in.</summary>
    public static string ToYaml(BoundSection root)
    {
        StringBuilder text = new();
        Section(text, root, 0, false);
        return text.ToString();
    }

    /// <summary>Every key of the format with its default, meaning and range, for when there is no file yet; keys without a default are commented out.</summary>
    public static string Template()
    {
        StringBuilder text = new();
        Template(text, ConfigSchema.Root, 0, false);
        return text.ToString();
    }

    /// <summary>Every key and its value, flat.</summary>
    public static IReadOnlyList<EffectiveKey> ToList(BoundSection root)
    {
        List<EffectiveKey> list = [];
        Collect(root, list);
        return list;
    }

    private static void Collect(BoundSection section, List<EffectiveKey> list)
    {
        foreach (ConfigSchema child in section.Schema.Children.Where(c => InEffect(c.Key)))
        {
            string name = child.Key.Name;
            switch (child.Key.Shape)
            {
                case ConfigShape.Section when section.Section(name) is { } sub:
                    Collect(sub, list);
                    break;
                case ConfigShape.Sections:
                    foreach (BoundSection item in section.Sections(name))
                    {
                        Collect(item, list);
                    }

                    break;
                case ConfigShape.Value or ConfigShape.Values:
                    BoundValue value = section.Value(name);
                    string? text = child.Key.Shape == ConfigShape.Values
                        ? "[" + string.Join(", ", value.Items.Select(i => i.Text)) + "]"
                        : HasValue(value) ? value.Text : null;
                    list.Add(new EffectiveKey(
                        value.Path, text, value.Given ? "file" : text is null ? "unset" : "default", value.Given ? value.At.Line : null));
                    break;
                default:
                    break;
            }
        }
    }

    private static bool InEffect(ConfigKey key) => !key.NotYet && key.NotYetWarning is null;

    private static bool HasValue(BoundValue value) => value.Given || value.Key.Default is not null;

    private static void Section(StringBuilder text, BoundSection section, int indent, bool item)
    {
        // The first key of a list's entry bears the dash, and must not be one that is commented out.
        bool dash = item;
        int inner = item ? indent + 2 : indent;
        ConfigSchema? first = item ? section.Schema.Children.FirstOrDefault(c => c.Key.Shape == ConfigShape.Value && HasValue(section.Value(c.Key.Name))) : null;
        foreach (ConfigSchema child in section.Schema.Children.OrderBy(c => first is not null && c != first))
        {
            ConfigKey key = child.Key;
            string lead = dash ? new string(' ', indent) + "- " : new string(' ', inner);
            dash = false;
            if (!InEffect(key))
            {
                Line(text, $"{lead}# {key.Name}:", "not supported yet by this version");
                continue;
            }

            switch (key.Shape)
            {
                case ConfigShape.Section when section.Section(key.Name) is { } sub:
                    text.Append(lead).Append(key.Name).Append(":\n");
                    Section(text, sub, inner + 2, false);
                    break;
                case ConfigShape.Section:
                    Line(text, $"{lead}# {key.Name}:", "not set" + (key.DefaultNote is null ? "" : ": " + key.DefaultNote));
                    break;
                case ConfigShape.Sections when section.Sections(key.Name) is { Count: > 0 } list:
                    text.Append(lead).Append(key.Name).Append(":\n");
                    foreach (BoundSection entry in list)
                    {
                        Section(text, entry, inner + 2, true);
                    }

                    break;
                case ConfigShape.Sections:
                    Line(text, $"{lead}{key.Name}: []", "default");
                    break;
                default:
                    Scalar(text, section.Value(key.Name), lead);
                    break;
            }
        }
    }

    private static void Scalar(StringBuilder text, BoundValue value, string lead)
    {
        string name = value.Key.Name;
        if (value.Key.Shape == ConfigShape.Values)
        {
            Line(text, $"{lead}{name}: [{string.Join(", ", value.Items.Select(i => Quote(i.Text)))}]", value.Given ? null : "default");
        }
        else if (HasValue(value))
        {
            Line(text, $"{lead}{name}: {Quote(value.Text)}", value.Given ? null : "default");
        }
        else
        {
            Line(text, $"{lead}# {name}:", "not set" + (value.Key.DefaultNote is null ? "" : ": " + value.Key.DefaultNote));
        }
    }

    private static void Template(StringBuilder text, ConfigSchema schema, int indent, bool commented)
    {
        string spaces = new(' ', indent);
        foreach (ConfigSchema child in schema.Children)
        {
            ConfigKey key = child.Key;
            if (!InEffect(key))
            {
                continue;
            }

            string range = key.Type is { Range.Length: > 0 } type ? $" [{type.Range}]" : "";
            text.Append(spaces).Append("# ").Append(key.Meaning).Append(range).Append('\n');
            bool section = key.Shape is ConfigShape.Section or ConfigShape.Sections;
            bool open = commented || (section ? key.Required || key.Shape == ConfigShape.Sections || child.Children.Any(c => c.Key.Required) : key.Default is null);
            string list = key.Shape == ConfigShape.Sections ? "   # a list: each entry starts with '- '" : "";
            string mark = key.Required ? "   # required" : "";
            string note = !section && key.Default is null && key.DefaultNote is not null ? $"   # default: {key.DefaultNote}" : "";
            text.Append(spaces).Append(open ? "# " : "").Append(key.Name).Append(':')
                .Append(section || key.Default is null ? "" : " " + key.Default).Append(list).Append(mark).Append(note).Append('\n');
            Template(text, child, indent + 2, open);
        }
    }

    private static void Line(StringBuilder text, string line, string? comment)
    {
        text.Append(line);
        if (comment is not null)
        {
            text.Append(' ', Math.Max(2, CommentColumn - line.Length)).Append("# ").Append(comment);
        }

        text.Append('\n');
    }

    private static string Quote(string text)
    {
        bool plain = text.Length > 0 && text is not ("null" or "~")
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '_' or '%' or '+' or '-')
            && text[0] is not ('-' or '%');
        return plain ? text : "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
    }
}
