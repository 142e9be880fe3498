namespace EgressAppliance.Host.Config;

/// <summary>Finds what somebody most likely meant to type.</summary>
public static class NearestName
{
    /// <summary>
    /// The candidate with the smallest edit distance to <paramref name="name"/>, or null if even that one differs in more than a third of the
    /// letters (at least two). A candidate whose first word is <paramref name="name"/> comes before all others.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(candidates);
        string? best = null;
        int bestDistance = Math.Max(2, name.Length / 3) + 1;
        foreach (string candidate in candidates)
        {
            if (candidate.StartsWith(name + "_", StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }

            // A wholly different short name is no help: "bmp" is not a misspelt "bgp" if all letters differ.
            int distance = Distance(name, candidate);
            if (distance < bestDistance && distance < Math.Max(name.Length, candidate.Length))
            {
                best = candidate;
                bestDistance = distance;
            }
        }

        return best;
    }

    /// <summary>The candidates that differ least, nearest first.</summary>
    public static IReadOnlyList<string> Rank(string name, IEnumerable<string> candidates, int count) =>
        [.. candidates.Distinct().OrderBy(c => Distance(name, c)).ThenBy(c => c, StringComparer.Ordinal).Take(count)];

    /// <summary>Edit distance: insertions, deletions, substitutions and swaps of neighbours, letters compared without case.</summary>
    public static int Distance(string left, string right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        int[] previous2 = new int[right.Length + 1];
        int[] previous = [.. Enumerable.Range(0, right.Length + 1)];
        int[] current = new int[right.Length + 1];
        for (int i = 1; i <= left.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                bool same = Same(left[i - 1], right[j - 1]);
                int best = Math.Min(Math.Min(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && Same(left[i - 1], right[j - 2]) && Same(left[i - 2], right[j - 1]))
                {
                    best = Math.Min(best, previous2[j - 2] + 1);
                }

                current[j] = best;
            }

            (previous2, previous, current) = (previous, current, previous2);
        }

        return previous[right.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
