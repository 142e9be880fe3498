namespace EgressAppliance.Host.Config;

/// <summary>What stands after a key's colon.</summary>
public enum ConfigShape
{
    /// <summary>One scalar.</summary>
    Value,

    /// <summary>A list of scalars.</summary>
    Values,

    /// <summary>Keys.</summary>
    Section,

    /// <summary>A list of sections.</summary>
    Sections,
}

/// <summary>One key of the configuration: all that the binder, <c>check --defaults</c> and the reference in docs know about it.</summary>
/// <param name="Path">Its place, such as <c>capture.sources[].ring</c>.</param>
/// <param name="Shape">What stands after the colon.</param>
/// <param name="Type">Type of the scalar or of each scalar in the list; null for sections.</param>
/// <param name="Meaning">What it does, one or two sentences.</param>
public sealed record ConfigKey(string Path, ConfigShape Shape, ConfigType? Type, string Meaning)
{
    /// <summary>The default as one would write it, read by the same parser; null: there is none.</summary>
    public string? Default { get; init; }

    /// <summary>What the reference says in place of a default, for keys whose default depends on others.</summary>
    public string? DefaultNote { get; init; }

    /// <summary>True if the file must give it (where its section is given).</summary>
    public bool Required { get; init; }

    /// <summary>Fewest items of a list.</summary>
    public int MinimumItems { get; init; }

    /// <summary>Most items of a list.</summary>
    public int MaximumItems { get; init; } = 256;

    /// <summary>True if the format knows the key but this version has nothing behind it: giving it is an error.</summary>
    public bool NotYet { get; init; }

    /// <summary>For a feature whose absence does no harm: giving the key is a warning that says this.</summary>
    public string? NotYetWarning { get; init; }

    /// <summary>The last part of the path, without brackets.</summary>
    public string Name
    {
        get
        {
            string last = Path[(Path.LastIndexOf('.') + 1)..];
            return last.EndsWith("[]", StringComparison.Ordinal) ? last[..^2] : last;
        }
    }
}

/// <summary>A key with the keys under it, in the order of <see cref="ConfigKeys.All"/>.</summary>
/// <param name="key">The key.</param>
public sealed class ConfigSchema(ConfigKey key)
{
    private readonly List<ConfigSchema> _children = [];

    /// <summary>The schema of the whole configuration file.</summary>
    public static ConfigSchema Root { get; } = Of(ConfigKeys.All);

    /// <summary>The key.</summary>
    public ConfigKey Key { get; } = key;

    /// <summary>The keys under it.</summary>
    public IReadOnlyList<ConfigSchema> Children => _children;

    /// <summary>The key of that name under this one, or null.</summary>
    public ConfigSchema? Child(string name) => _children.Find(c => c.Key.Name == name);

    /// <summary>This key's children, their children, and so on, in the order of the list.</summary>
    public IEnumerable<ConfigSchema> Descendants() => _children.SelectMany(c => c.Descendants().Prepend(c));

    /// <summary>The schema of a file with these keys, sections before what is in them.</summary>
    public static ConfigSchema Of(IEnumerable<ConfigKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ConfigSchema root = new(new ConfigKey("", ConfigShape.Section, null, ""));
        foreach (ConfigKey key in keys)
        {
            ConfigSchema parent = root;
            string[] parts = key.Path.Split('.');
            foreach (string part in parts[..^1])
            {
                parent = parent.Child(part.EndsWith("[]", StringComparison.Ordinal) ? part[..^2] : part)
                    ?? throw new InvalidOperationException($"{key.Path} stands before its section.");
            }

            parent._children.Add(new ConfigSchema(key));
        }

        return root;
    }
}
