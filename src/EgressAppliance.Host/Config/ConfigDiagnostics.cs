namespace EgressAppliance.Host.Config;

/// <summary>A place in the configuration file, both counted from 1.</summary>
/// <param name="Line">Line.</param>
/// <param name="Column">Column, in characters.</param>
public readonly record struct ConfigPosition(int Line, int Column) : IComparable<ConfigPosition>
{
    /// <summary>The start of the file, for what concerns it as a whole.</summary>
    public static ConfigPosition Start => new(1, 1);

    /// <summary>Orders by line, then column.</summary>
    public int CompareTo(ConfigPosition other)
    {
        int c = Line.CompareTo(other.Line);
        return c != 0 ? c : Column.CompareTo(other.Column);
    }

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator <(ConfigPosition left, ConfigPosition right) => left.CompareTo(right) < 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator <=(ConfigPosition left, ConfigPosition right) => left.CompareTo(right) <= 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator >(ConfigPosition left, ConfigPosition right) => left.CompareTo(right) > 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator >=(ConfigPosition left, ConfigPosition right) => left.CompareTo(right) >= 0;
}

/// <summary>Why a configuration is refused.</summary>
/// <param name="File">The file as it was named to the loader.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column, from 1.</param>
/// <param name="Message">What is wrong, naming the key.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record ConfigError(string File, int Line, int Column, string Message, string Remedy)
{
    /// <summary><c>file:line:column: message; remedy</c>, which editors and terminals take for a link.</summary>
    public override string ToString() => $"{File}:{Line}:{Column}: {Message}; {Remedy}";
}

/// <summary>Something the operator should know about a configuration that is accepted all the same.</summary>
/// <param name="File">The file as it was named to the loader.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column, from 1.</param>
/// <param name="Message">What is odd, naming the key.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record ConfigWarning(string File, int Line, int Column, string Message, string Remedy)
{
    /// <summary><c>file:line:column: warning: message; remedy</c>.</summary>
    public override string ToString() => $"{File}:{Line}:{Column}: warning: {Message}; {Remedy}";
}

/// <summary>Collects every error and warning of one file, so that the operator mends them in one go.</summary>
/// <param name="file">The file's name as it is to be shown.</param>
public sealed class ConfigDiagnostics(string file)
{
    private readonly List<ConfigError> _errors = [];
    private readonly List<ConfigWarning> _warnings = [];

    /// <summary>True once an error was added.</summary>
    public bool HasErrors => _errors.Count > 0;

    /// <summary>Errors in the order of the file.</summary>
    public IReadOnlyList<ConfigError> Errors => [.. _errors.OrderBy(e => e.Line).ThenBy(e => e.Column)];

    /// <summary>Warnings in the order of the file.</summary>
    public IReadOnlyList<ConfigWarning> Warnings => [.. _warnings.OrderBy(w => w.Line).ThenBy(w => w.Column)];

    /// <summary>Adds an error.</summary>
    public void Error(ConfigPosition at, string message, string remedy) =>
        _errors.Add(new ConfigError(file, at.Line, at.Column, message, remedy));

    /// <summary>Adds a warning.</summary>
    public void Warn(ConfigPosition at, string message, string remedy) =>
        _warnings.Add(new ConfigWarning(file, at.Line, at.Column, message, remedy));
}
