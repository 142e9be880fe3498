namespace EgressAppliance.Host.Config;

/// <summary>A value of the file, or a default, after its own type and range were checked.</summary>
/// <param name="key">The key.</param>
/// <param name="at">Where the value stands; the section's place if it is not given.</param>
/// <param name="path">Its place for messages, with indices: <c>links[0].ceiling</c>.</param>
public sealed class BoundValue(ConfigKey key, ConfigPosition at, string path)
{
    /// <summary>The key.</summary>
    public ConfigKey Key { get; } = key;

    /// <summary>Where the value stands.</summary>
    public ConfigPosition At { get; } = at;

    /// <summary>Its place for messages.</summary>
    public string Path { get; } = path;

    /// <summary>True if the file gives it.</summary>
    public bool Given { get; init; }

    /// <summary>The value as <see cref="ConfigKey.Type"/> makes it; null if absent without default, or refused.</summary>
    public object? Value { get; set; }

    /// <summary>The text as written, or that of the default.</summary>
    public string Text { get; init; } = "";

    /// <summary>The items of a list of scalars.</summary>
    public IReadOnlyList<BoundValue> Items { get; init; } = [];

    /// <summary>False if an error was reported for it: nothing more is to be said about it.</summary>
    public bool Valid { get; init; } = true;
}

/// <summary>A section of the file with all its keys, those that are not given included.</summary>
/// <param name="schema">The section's schema.</param>
/// <param name="at">Where it starts.</param>
/// <param name="path">Its place for messages.</param>
public sealed class BoundSection(ConfigSchema schema, ConfigPosition at, string path)
{
    private readonly Dictionary<string, BoundValue> _values = [];
    private readonly Dictionary<string, BoundSection> _sections = [];
    private readonly Dictionary<string, IReadOnlyList<BoundSection>> _lists = [];
    private readonly Dictionary<string, ConfigPosition> _keysAt = [];

    /// <summary>The section's schema.</summary>
    public ConfigSchema Schema { get; } = schema;

    /// <summary>Where it starts.</summary>
    public ConfigPosition At { get; } = at;

    /// <summary>Its place for messages: <c>links[0]</c>; empty for the whole file.</summary>
    public string Path { get; } = path;

    /// <summary>Where the key stands, or the section if it is not given.</summary>
    public ConfigPosition KeyAt(string name) => _keysAt.GetValueOrDefault(name, At);

    /// <summary>True if the file gives the key, whatever became of its value.</summary>
    public bool IsGiven(string name) => _keysAt.ContainsKey(name);

    /// <summary>A scalar or a list of scalars.</summary>
    public BoundValue Value(string name) => _values[name];

    /// <summary>A section, or null if it is absent and has keys that must be given.</summary>
    public BoundSection? Section(string name) => _sections.GetValueOrDefault(name);

    /// <summary>A list of sections.</summary>
    public IReadOnlyList<BoundSection> Sections(string name) => _lists.GetValueOrDefault(name, []);

    /// <summary>The value of a key that is there; only after loading without errors for required keys.</summary>
    public T Get<T>(string name) => (T)_values[name].Value!;

    /// <summary>The value if it is there and was accepted.</summary>
    public bool TryGet<T>(string name, out T value)
    {
        if (_values.TryGetValue(name, out BoundValue? bound) && bound is { Valid: true, Value: T typed })
        {
            value = typed;
            return true;
        }

        value = default!;
        return false;
    }

    /// <summary>The items of a list of scalars that were accepted.</summary>
    public IEnumerable<(BoundValue Bound, T Value)> Items<T>(string name)
    {
        foreach (BoundValue item in _values[name].Items)
        {
            if (item.Value is T value)
            {
                yield return (item, value);
            }
        }
    }

    internal void Add(string name, BoundValue value) => _values[name] = value;

    internal void Add(string name, BoundSection section) => _sections[name] = section;

    internal void Add(string name, IReadOnlyList<BoundSection> list) => _lists[name] = list;

    internal void SetKeyAt(string name, ConfigPosition position) => _keysAt[name] = position;
}
