using System.Text;

namespace EgressAppliance.Host.Config;

/// <summary>Writes the tables of docs/configuration.md.</summary>
public static class ConfigReference
{
    /// <summary>One Markdown table for each top-level section of the configuration, one row for each key.</summary>
    public static string ToMarkdown() => ToMarkdown(ConfigSchema.Root);

    /// <summary>The same for the keys of another kind of file.</summary>
    public static string ToMarkdown(ConfigSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        StringBuilder text = new();
        string section = "";
        foreach (ConfigKey key in schema.Descendants().Select(s => s.Key))
        {
            string top = key.Path.Split('.', '[')[0];
            bool general = schema.Child(top)!.Key.Shape == ConfigShape.Value;
            string heading = general ? "General" : $"`{top}`";
            if (heading != section)
            {
                section = heading;
                text.Append('\n').Append("### ").Append(heading).Append("\n\n| key | type | default | range | meaning |\n|---|---|---|---|---|\n");
            }

            text.Append("| `").Append(key.Path).Append("` | ").Append(TypeName(key))
                .Append(" | ").Append(Default(key))
                .Append(" | ").Append(Cell(Range(key)))
                .Append(" | ").Append(Cell(Meaning(key))).Append(" |\n");
        }

        return text.ToString().TrimStart('\n');
    }

    private static string TypeName(ConfigKey key) => key.Shape switch
    {
        ConfigShape.Section => "section",
        ConfigShape.Sections => "list of sections",
        ConfigShape.Values => $"list of {key.Type!.Name}",
        _ => key.Type!.Name,
    };

    private static string Default(ConfigKey key) =>
        key.NotYet ? "–"
        : key.Required ? "required"
        : key.Default is not null ? $"`{key.Default}`"
        : key.DefaultNote ?? "–";

    private static string Range(ConfigKey key)
    {
        string items = key.Shape is ConfigShape.Values or ConfigShape.Sections ? $"{key.MinimumItems}–{key.MaximumItems} entries" : "";
        string each = key.Type?.Range ?? "";
        return items.Length > 0 && each.Length > 0 ? $"{items}; each {each}" : items + each;
    }

    private static string Meaning(ConfigKey key) =>
        key.NotYetWarning is null ? key.Meaning : $"{key.Meaning} Not supported yet by this version: {key.NotYetWarning}, and a warning says so.";

    private static string Cell(string text) => text.Length == 0 ? "–" : text.Replace("|", "\\|", StringComparison.Ordinal);
}
