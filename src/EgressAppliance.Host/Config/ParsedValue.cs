namespace EgressAppliance.Host.Config;

/// <summary>What became of a scalar: its value, or why it is refused and what to write instead.</summary>
/// <param name="Value">The value, or null if it was refused.</param>
/// <param name="Problem">Why it was refused.</param>
/// <param name="Remedy">What to write instead.</param>
public readonly record struct ParsedValue(object? Value, string? Problem, string? Remedy)
{
    /// <summary>An accepted value.</summary>
    public static ParsedValue Of(object value) => new(value, null, null);

    /// <summary>A refused one.</summary>
    public static ParsedValue Bad(string problem, string remedy) => new(null, problem, remedy);
}
