namespace EgressAppliance.Host.Interfaces;

/// <summary>Finds what an operator may have meant.</summary>
internal static class NearestNames
{
    /// <summary>The names that differ least (edit distance, case ignored), nearest first.</summary>
    public static IReadOnlyList<string> Find(string wanted, IEnumerable<string> names, int count = 3) =>
        [.. names.Distinct().OrderBy(name => Distance(wanted, name)).ThenBy(name => name, StringComparer.Ordinal).Take(count)];

    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1;
                int best = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + cost);
                diagonal = row[j];
                row[j] = best;
            }
        }

        return row[^1];
    }
}
