using System.Text.Json;

namespace EgressAppliance.Decision.Journal;

/// <summary>Finds where two JSON values differ.</summary>
internal static class JsonDifferences
{
    private const int ShownLength = 200;

    /// <summary>The first differences in the order of the expected value, at most <paramref name="limit"/>.</summary>
    public static List<(string What, string? Expected, string? Got)> Find(JsonElement expected, JsonElement got, int limit)
    {
        List<(string, string?, string?)> found = [];
        Compare("", expected, got, found, limit);
        return found;
    }

    /// <summary>A value as far as it is shown.</summary>
    public static string Shown(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= ShownLength ? text : text[..ShownLength] + "…";
    }

    private static void Compare(string at, JsonElement? expected, JsonElement? got, List<(string, string?, string?)> found, int limit)
    {
        if (found.Count >= limit)
        {
            return;
        }

        if (expected is { ValueKind: JsonValueKind.Object } a && got is { ValueKind: JsonValueKind.Object } b)
        {
            foreach (JsonProperty member in a.EnumerateObject())
            {
                Compare(Join(at, member.Name), member.Value, b.TryGetProperty(member.Name, out JsonElement other) ? other : null, found, limit);
            }

            foreach (JsonProperty member in b.EnumerateObject())
            {
                if (!a.TryGetProperty(member.Name, out _))
                {
                    Compare(Join(at, member.Name), null, member.Value, found, limit);
                }
            }
        }
        else if (expected is { ValueKind: JsonValueKind.Array } c && got is { ValueKind: JsonValueKind.Array } d)
        {
            int index = 0;
            using JsonElement.ArrayEnumerator other = d.EnumerateArray();
            foreach (JsonElement item in c.EnumerateArray())
            {
                Compare($"{at}[{index++}]", item, other.MoveNext() ? other.Current : null, found, limit);
            }

            while (other.MoveNext())
            {
                Compare($"{at}[{index++}]", null, other.Current, found, limit);
            }
        }
        else if (expected is not { } e || got is not { } g || e.ValueKind != g.ValueKind || e.GetRawText() != g.GetRawText())
        {
            found.Add((at, expected is { } x ? Shown(x) : null, got is { } y ? Shown(y) : null));
        }
    }

    private static string Join(string at, string name) => at.Length == 0 ? name : $"{at}.{name}";
}
