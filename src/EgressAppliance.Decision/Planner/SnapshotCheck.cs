using EgressAppliance.Net;

namespace EgressAppliance.Decision.Planner;

/// <summary>Finds what contradicts itself in a snapshot, before anything is computed from it.</summary>
public static class SnapshotCheck
{
    private const int MaxProblems = 20;

    /// <summary>Largest capacity or rate taken, bit/s: keeps all sums far from overflow (1 Ebit/s).</summary>
    public const long MaxBps = 1_000_000_000_000_000_000;

    /// <summary>What is wrong, in words, at most 20 entries; empty when the snapshot can be planned on.</summary>
    public static IReadOnlyList<string> Problems(DecisionSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        using PrefixIndex index = new(snapshot.Prefixes.Count);
        return Problems(snapshot, index);
    }

    /// <summary>The same; enters the prefixes into an index, all of them if nothing is wrong.</summary>
    internal static IReadOnlyList<string> Problems(DecisionSnapshot snapshot, PrefixIndex index)
    {
        List<string> problems = [];
        Int128 total = 0;
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (LinkState link in snapshot.Links)
        {
            if (string.IsNullOrEmpty(link.Name) || !names.Add(link.Name))
            {
                problems.Add($"link '{link.Name}': the name is empty or not unique");
            }

            // A link that is down may have no speed (ifHighSpeed 0).
            if (link.CapacityBps < (link.Up ? 1 : 0) || link.CapacityBps > MaxBps)
            {
                problems.Add($"link '{link.Name}': capacity {link.CapacityBps} bit/s is out of range");
            }

            if (!Ratio(link.Threshold, 2) || !Ratio(link.Ceiling, 2) || !Ratio(link.Release, 2) || !Ratio(link.ErrorRatio ?? 0, 1))
            {
                problems.Add($"link '{link.Name}': a ratio (threshold, ceiling, release, error) is out of range");
            }

            if (link.ResidualBps < 0)
            {
                problems.Add($"link '{link.Name}': residual {link.ResidualBps} bit/s is negative");
            }

            total += link.ResidualBps;
        }

        ReadOnlySpan<PrefixDemand> demands = ListSpan.Of(snapshot.Prefixes);
        for (int i = 0; i < demands.Length; i++)
        {
            PrefixDemand demand = demands[i];
            if (problems.Count >= MaxProblems)
            {
                return problems;
            }

            if (demand.Prefix.IsDefault || !index.TryAdd(demands, i))
            {
                problems.Add($"prefix {demand.Prefix}: empty or listed twice");
            }

            if (demand.RateBps < 0)
            {
                problems.Add($"prefix {demand.Prefix}: rate {demand.RateBps} bit/s is negative");
            }

            if (demand.Policy?.Problem is { } problem)
            {
                problems.Add($"prefix {demand.Prefix}: policy {demand.Policy.Number}: {problem}");
            }

            if (demand.MeanBps is < 0 or > MaxBps || !Ratio(demand.ErrorRatio ?? 0, 1))
            {
                problems.Add($"prefix {demand.Prefix}: mean {demand.MeanBps} bit/s or error {demand.ErrorRatio} is out of range");
            }

            total += demand.RateBps;
        }

        HashSet<IpPrefix> overridden = new(snapshot.Overrides.Count);
        foreach (ActiveOverride over in snapshot.Overrides)
        {
            if (over.Prefix.IsDefault || !overridden.Add(over.Prefix))
            {
                problems.Add($"override {over.Prefix}: empty or listed twice");
            }

            if (!double.IsFinite(over.AgeSeconds))
            {
                problems.Add($"override {over.Prefix}: age is not a number");
            }
        }

        if (total > MaxBps)
        {
            problems.Add($"the rates sum to {total} bit/s, more than {MaxBps}");
        }

        return problems.Count > MaxProblems ? problems[..MaxProblems] : problems;
    }

    private static bool Ratio(double value, double max) => double.IsFinite(value) && value >= 0 && value <= max;
}
