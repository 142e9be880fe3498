using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Files;

/// <summary>Everything that a program counted in one file.</summary>
/// <param name="Program">Which program.</param>
/// <param name="Totals">Totals by name.</param>
/// <param name="Cells">Packets and IP bytes by prefix and link.</param>
internal sealed record Counts(string Program, Dictionary<string, long> Totals, Dictionary<string, (long Packets, long IpBytes)> Cells)
{
    /// <summary>Refuses to go on unless another program counted exactly the same.</summary>
    /// <exception cref="ComparisonException">It did not; the message names the first difference.</exception>
    public void RequireEqual(Counts other)
    {
        foreach (string name in Totals.Keys.Union(other.Totals.Keys))
        {
            Require(name, Totals.GetValueOrDefault(name), other.Totals.GetValueOrDefault(name), other);
        }

        foreach (string cell in Cells.Keys.Union(other.Cells.Keys))
        {
            Require(cell, Cells.GetValueOrDefault(cell), other.Cells.GetValueOrDefault(cell), other);
        }
    }

    private void Require<T>(string what, T mine, T others, Counts other)
        where T : IEquatable<T>
    {
        if (!mine.Equals(others))
        {
            throw new ComparisonException($"{what}: {Program} counts {mine}, {other.Program} counts {others}");
        }
    }
}
