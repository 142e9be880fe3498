namespace EgressAppliance.Host.Config;

/// <summary>
/// Binds the tree of a file to the schema: unknown and repeated keys, wrong shapes, types, units and ranges, missing keys. What values mean
/// together is the business of <see cref="ConfigChecks"/>.
/// </summary>
public sealed class ConfigBinder
{
    private readonly ConfigDiagnostics _diagnostics;

    private readonly ConfigSchema _root;

    private ConfigBinder(ConfigSchema root, ConfigDiagnostics diagnostics)
    {
        _root = root;
        _diagnostics = diagnostics;
    }

    /// <summary>Binds a whole configuration file. Errors go to <paramref name="diagnostics"/>; the result holds what could be bound.</summary>
    public static BoundSection Bind(YamlNode root, ConfigDiagnostics diagnostics) => Bind(root, ConfigSchema.Root, diagnostics);

    /// <summary>Binds a whole file of another schema.</summary>
    public static BoundSection Bind(YamlNode root, ConfigSchema schema, ConfigDiagnostics diagnostics)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentNullException.ThrowIfNull(diagnostics);
        if (root is YamlMapping or YamlScalar { IsNull: true })
        {
            return new ConfigBinder(schema, diagnostics).BindSection(schema, root, "");
        }

        diagnostics.Error(root.At, "the file does not hold keys", $"start it with `{schema.Children[0].Key.Name}: {schema.Children[0].Key.Type?.Range}`");
        return new BoundSection(schema, root.At, "");
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : path + "." + name;

    private static string Describe(YamlNode node) => node switch
    {
        YamlScalar { IsNull: true } => "nothing",
        YamlScalar scalar => $"the value '{Shorten(scalar.Text)}'",
        YamlSequence => "a list",
        _ => "a section",
    };

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";

    private BoundSection BindSection(ConfigSchema schema, YamlNode node, string path)
    {
        BoundSection section = new(schema, node.At, path);
        Dictionary<string, YamlEntry> given = [];
        foreach (YamlEntry entry in (node as YamlMapping)?.Entries ?? [])
        {
            if (schema.Child(entry.Key) is null)
            {
                UnknownKey(schema, entry, path);
            }
            else if (given.TryGetValue(entry.Key, out YamlEntry? first))
            {
                _diagnostics.Error(
                    entry.KeyAt, $"'{Join(path, entry.Key)}' is given twice, first in line {first.KeyAt.Line}", "keep one of the two");
            }
            else
            {
                given.Add(entry.Key, entry);
                section.SetKeyAt(entry.Key, entry.KeyAt);
            }
        }

        foreach (ConfigSchema child in schema.Children)
        {
            BindChild(section, child, given.GetValueOrDefault(child.Key.Name));
        }

        return section;
    }

    private void BindChild(BoundSection section, ConfigSchema child, YamlEntry? entry)
    {
        ConfigKey key = child.Key;
        string path = Join(section.Path, key.Name);
        if (entry is not null && key.NotYet)
        {
            _diagnostics.Error(entry.KeyAt, $"'{path}' is not supported yet by this version", "remove it");
            entry = null;
        }
        else if (entry is not null && key.NotYetWarning is not null)
        {
            _diagnostics.Warn(entry.KeyAt, $"'{path}' is not supported yet by this version: {key.NotYetWarning}", "remove it, or leave it for a later version");
        }

        if (entry is null && key.Required)
        {
            _diagnostics.Error(section.At, $"'{path}' is missing", $"add it: {Lower(key.Meaning)}");
        }

        switch (key.Shape)
        {
            case ConfigShape.Value:
                section.Add(key.Name, entry is null ? Default(key, section.At, path) : Scalar(key, entry.Value, path));
                break;
            case ConfigShape.Values:
                section.Add(key.Name, entry is null ? Default(key, section.At, path) : Scalars(key, entry.Value, path));
                break;
            case ConfigShape.Section:
                BindSubsection(section, child, entry, path);
                break;
            case ConfigShape.Sections:
                section.Add(key.Name, entry is null ? [] : BindSections(child, entry.Value, path));
                break;
            default:
                throw new InvalidOperationException(key.Path);
        }
    }

    private void BindSubsection(BoundSection section, ConfigSchema child, YamlEntry? entry, string path)
    {
        if (entry is null)
        {
            // One whose absence means something says so in its note, and is not made up of defaults.
            if (!child.Key.Required && child.Key.DefaultNote is null && !child.Children.Any(c => c.Key.Required))
            {
                section.Add(child.Key.Name, BindSection(child, new YamlMapping(section.At, []), path));
            }
        }
        else if (entry.Value is YamlRefused)
        {
            return;
        }
        else if (entry.Value is YamlMapping or YamlScalar { IsNull: true })
        {
            section.Add(child.Key.Name, BindSection(child, entry.Value is YamlMapping ? entry.Value : new YamlMapping(entry.KeyAt, []), path));
        }
        else
        {
            _diagnostics.Error(entry.Value.At, $"'{path}' must be a section, not {Describe(entry.Value)}", "put its keys under it: " + Names(child));
        }
    }

    private List<BoundSection> BindSections(ConfigSchema child, YamlNode node, string path)
    {
        List<BoundSection> list = [];
        if (node is YamlRefused)
        {
            return list;
        }

        if (node is YamlMapping)
        {
            _diagnostics.Error(node.At, $"'{path}' must be a list, not a section", "start each entry with '- '");
            return list;
        }

        if (node is not (YamlSequence or YamlScalar { IsNull: true }))
        {
            _diagnostics.Error(node.At, $"'{path}' must be a list, not {Describe(node)}", "start each entry with '- '");
            return list;
        }

        IReadOnlyList<YamlNode> items = (node as YamlSequence)?.Items ?? [];
        CheckCount(child.Key, node.At, items.Count, path);
        for (int i = 0; i < items.Count; i++)
        {
            if (items[i] is YamlMapping)
            {
                list.Add(BindSection(child, items[i], $"{path}[{i}]"));
            }
            else if (items[i] is not YamlRefused)
            {
                _diagnostics.Error(items[i].At, $"'{path}[{i}]' must be a section, not {Describe(items[i])}", "give it keys: " + Names(child));
            }
        }

        return list;
    }

    private void CheckCount(ConfigKey key, ConfigPosition at, int count, string path)
    {
        if (count < key.MinimumItems)
        {
            _diagnostics.Error(at, $"'{path}' is empty", $"add at least one: {Lower(key.Meaning)}");
        }
        else if (count > key.MaximumItems)
        {
            _diagnostics.Error(at, $"'{path}' has {count} entries", $"give at most {key.MaximumItems}");
        }
    }

    private static BoundValue Default(ConfigKey key, ConfigPosition at, string path)
    {
        if (key.Default is null)
        {
            return new BoundValue(key, at, path) { Valid = !key.Required };
        }

        if (key.Shape == ConfigShape.Value)
        {
            string text = key.Default.Trim('"');
            return new BoundValue(key, at, path) { Text = text, Value = ParseDefault(key, text) };
        }

        string[] items = key.Default.Trim('[', ']').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return new BoundValue(key, at, path)
        {
            Text = key.Default,
            Items = [.. items.Select(text => new BoundValue(key, at, path) { Text = text, Value = ParseDefault(key, text) })],
        };
    }

    private static object ParseDefault(ConfigKey key, string text) =>
        key.Type!.Parse(text) is { Value: { } value } ? value : throw new InvalidOperationException($"The default of {key.Path} does not parse.");

    private BoundValue Scalar(ConfigKey key, YamlNode node, string path)
    {
        if (node is YamlRefused)
        {
            return new BoundValue(key, node.At, path) { Given = true, Valid = false };
        }

        if (node is not YamlScalar scalar)
        {
            _diagnostics.Error(node.At, $"'{path}' must be one value ({key.Type!.Name}), not {Describe(node)}", "write the value after the colon");
            return new BoundValue(key, node.At, path) { Given = true, Valid = false };
        }

        if (scalar.IsNull)
        {
            _diagnostics.Error(node.At, $"'{path}' has no value", key.Required ? $"give it a value ({key.Type!.Name})" : "give it one or remove the key");
            return new BoundValue(key, node.At, path) { Given = true, Valid = false };
        }

        ParsedValue parsed = key.Type!.Parse(scalar.Text);
        if (parsed.Problem is not null)
        {
            _diagnostics.Error(node.At, $"'{path}': {Shorten(parsed.Problem)}", LikelyMistake.RemedyOf(scalar.Text) ?? parsed.Remedy ?? "");
            return new BoundValue(key, node.At, path) { Given = true, Valid = false };
        }

        return new BoundValue(key, node.At, path) { Given = true, Text = scalar.Text, Value = parsed.Value };
    }

    private BoundValue Scalars(ConfigKey key, YamlNode node, string path)
    {
        if (node is YamlRefused)
        {
            return new BoundValue(key, node.At, path) { Given = true, Valid = false };
        }

        if (node is YamlMapping or YamlScalar { IsNull: false })
        {
            _diagnostics.Error(node.At, $"'{path}' must be a list, not {Describe(node)}", "write it in brackets: [ … ]");
            return new BoundValue(key, node.At, path) { Given = true, Valid = false };
        }

        IReadOnlyList<YamlNode> nodes = (node as YamlSequence)?.Items ?? [];
        CheckCount(key, node.At, nodes.Count, path);
        List<BoundValue> items = [.. nodes.Select((n, i) => Scalar(key, n, $"{path}[{i}]"))];
        return new BoundValue(key, node.At, path) { Given = true, Items = items, Valid = items.All(i => i.Valid) };
    }

    private void UnknownKey(ConfigSchema schema, YamlEntry entry, string path)
    {
        string where = path.Length == 0 ? "at the top level" : $"in '{path}'";
        string? near = NearestName.Find(entry.Key, schema.Children.Select(c => c.Key.Name));
        string? elsewhere = near is not null
            ? null
            : _root.Descendants().FirstOrDefault(s => s.Key.Name == entry.Key)?.Key.Path;
        _diagnostics.Error(
            entry.KeyAt,
            $"unknown key '{Shorten(entry.Key)}' {where}",
            near is not null ? $"did you mean '{near}'?"
            : LikelyMistake.RemedyOfKey(entry.Key) is { } remedy ? remedy
            : elsewhere is not null ? $"there is a key of that name at {elsewhere}"
            : "known here: " + Names(schema));
    }

    private static string Names(ConfigSchema schema) => string.Join(", ", schema.Children.Select(c => c.Key.Name));

    private static string Lower(string meaning)
    {
        string first = meaning.Split(". ")[0].TrimEnd('.');
        return first.Length > 1 && char.IsUpper(first[0]) && char.IsLower(first[1]) ? char.ToLowerInvariant(first[0]) + first[1..] : first;
    }
}
