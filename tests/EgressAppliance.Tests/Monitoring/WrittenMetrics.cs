using System.Text.RegularExpressions;
using EgressAppliance.Tests.Http;

namespace EgressAppliance.Tests.Monitoring;

/// <summary>The names that <c>/metrics</c> writes with their labels, and what an expression takes of them.</summary>
internal static partial class WrittenMetrics
{
    /// <summary>What Prometheus adds to every series, and what it makes itself.</summary>
    private static readonly string[] Added = ["instance", "job"];

    private static readonly string[] Words = ["and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "inf", "nan"];

    /// <summary>Labels by name of the series; a histogram's three names each.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Labels { get; } = Read();

    /// <summary>Each name and label of a PromQL expression that <c>/metrics</c> does not write, in words.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="legend">A legend or a text with <c>{{label}}</c> or <c>{{ $labels.label }}</c>, or null.</param>
    public static IEnumerable<string> Unknown(string expression, string? legend = null)
    {
        HashSet<string> known = [.. Added];
        foreach (Match selector in Selector().Matches(expression))
        {
            string name = selector.Groups["name"].Value;
            if (!Labels.TryGetValue(name, out IReadOnlySet<string>? labels))
            {
                continue;
            }

            known.UnionWith(labels);
            foreach (Match matcher in Matcher().Matches(selector.Groups["matchers"].Value))
            {
                string label = matcher.Groups[1].Value;
                if (!labels.Contains(label) && !Added.Contains(label))
                {
                    yield return $"{name} has no label {label}";
                }
            }
        }

        string rest = Braces().Replace(expression, "");
        foreach (Match grouping in Grouping().Matches(rest))
        {
            foreach (string label in grouping.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(l => !known.Contains(l)))
            {
                yield return $"no series of {expression} has a label {label}";
            }
        }

        rest = Range().Replace(Grouping().Replace(rest, ""), "");
        foreach (Match name in Name().Matches(rest))
        {
            if (!Labels.ContainsKey(name.Value) && !Words.Contains(name.Value, StringComparer.OrdinalIgnoreCase))
            {
                yield return $"there is no metric {name.Value}";
            }
        }

        foreach (Match label in Legend().Matches(legend ?? ""))
        {
            if (!known.Contains(label.Groups[1].Value))
            {
                yield return $"the legend of {expression} names a label {label.Groups[1].Value}";
            }
        }
    }

    private static Dictionary<string, IReadOnlySet<string>> Read()
    {
        Dictionary<string, HashSet<string>> all = new(StringComparer.Ordinal) { ["up"] = [] };
        foreach (Match sample in Sample().Matches(MetricsText.OfEverything()))
        {
            if (!all.TryGetValue(sample.Groups["name"].Value, out HashSet<string>? labels))
            {
                all.Add(sample.Groups["name"].Value, labels = []);
            }

            labels.UnionWith(SampleLabel().Matches(sample.Groups["labels"].Value).Select(l => l.Groups[1].Value));
        }

        return all.ToDictionary(a => a.Key, a => (IReadOnlySet<string>)a.Value);
    }

    [GeneratedRegex(@"(?m)^(?<name>[a-z_]+)(\{(?<labels>.*)\})? \S+$")]
    private static partial Regex Sample();

    [GeneratedRegex("([a-z_]+)=\"")]
    private static partial Regex SampleLabel();

    [GeneratedRegex(@"(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<matchers>[^}]*)\})?")]
    private static partial Regex Selector();

    [GeneratedRegex(@"([a-zA-Z_]+)\s*(?:=~|!~|!=|=)\s*""")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Braces();

    [GeneratedRegex(@"\b(?:by|on|ignoring|without|group_left|group_right)\s*\(([^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Range();

    // Not a function, which a parenthesis follows, and no part of a number.
    [GeneratedRegex(@"(?<![0-9.a-zA-Z_])[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()")]
    private static partial Regex Name();

    [GeneratedRegex(@"\{\{\s*(?:\$labels\.)?([a-zA-Z_]+)\s*\}\}")]
    private static partial Regex Legend();
}
