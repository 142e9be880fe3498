using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EgressAppliance.Tests.Decision.Cost;

/// <summary>
/// The cheapest way to carry a month when all of it is known beforehand, by GLPK: x = the prefix goes by the link in the sample, z = the link exceeds its level in the sample, B = its
/// level. Minimises Σ price × B. Prefixes stay whole, every assignment is allowed in every sample, no link exceeds its ceiling.
/// </summary>
internal static partial class CostOptimum
{
    /// <summary>Solves a month; its rates and limits must be whole Mbit/s.</summary>
    /// <param name="month">The month.</param>
    /// <param name="limit">When the solver gives up on proving more.</param>
    /// <returns>The best bill found and what none can be under: the same when proved to the end, within 1 % or so otherwise.</returns>
    public static async Task<(decimal Found, decimal Bound)> SolveAsync(SyntheticMonth month, TimeSpan limit)
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, Write(month));
            string seconds = ((int)limit.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            string[] arguments = ["--lp", file, "--pcost", "--mipgap", "0.005", "--tmlim", seconds, "-w", file + ".out"];
            using Process process = Process.Start(new ProcessStartInfo("glpsol", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> told = process.StandardOutput.ReadToEndAsync();
            using CancellationTokenSource last = new(limit + TimeSpan.FromMinutes(1));
            await process.WaitForExitAsync(last.Token);

            // "s mip ROWS COLUMNS o|f OBJECTIVE": o is proved to be the optimum, f is feasible.
            string[] status = (await File.ReadAllLinesAsync(file + ".out")).Single(line => line.StartsWith("s mip", StringComparison.Ordinal)).Split(' ');
            Assert.True(status[4] is "o" or "f", await told);
            decimal found = decimal.Parse(status[5], NumberStyles.Float, CultureInfo.InvariantCulture) / 10;
            Match bound = Bounds().Matches(await told).LastOrDefault() ?? Match.Empty;
            return (found, status[4] == "o" ? found : decimal.Parse(bound.Groups[1].Value, NumberStyles.Float, CultureInfo.InvariantCulture) / 10);
        }
        finally
        {
            File.Delete(file);
            File.Delete(file + ".out");
        }
    }

    private static string Write(SyntheticMonth month)
    {
        StringBuilder rows = new("Subject To\n");
        List<string> binaries = [];
        int links = month.Links.Length;
        long[] ceiling = [.. month.Links.Select(l => l.CapacityBps / Lab.M * 90 / 100)];
        for (int t = 0; t < month.Rates.Length; t++)
        {
            StringBuilder[] loads = [.. month.Links.Select(_ => new StringBuilder())];
            for (int p = 0; p < month.Paths.Length; p++)
            {
                int[] ways = [.. month.Paths[p].Select(name => Array.FindIndex(month.Links, l => l.Name == name))];
                rows.Append(string.Join(" + ", ways.Select(l => $"x{p}_{l}_{t}"))).Append(" = 1\n");
                foreach (int l in ways)
                {
                    binaries.Add($"x{p}_{l}_{t}");
                    loads[l].Append(CultureInfo.InvariantCulture, $" + {Whole(month.Rates[t][p])} x{p}_{l}_{t}");
                }
            }

            for (int l = 0; l < links; l++)
            {
                binaries.Add($"z{l}_{t}");
                long above = ceiling[l] - (Whole(month.Links[l].CommitBps ?? 0));
                rows.Append(CultureInfo.InvariantCulture, $"{loads[l]} - B{l} - {above} z{l}_{t} <= 0\n{loads[l]} + 0 B{l} <= {ceiling[l]}\n");
            }
        }

        for (int l = 0; l < links; l++)
        {
            rows.Append(CultureInfo.InvariantCulture, $"{string.Join(" + ", month.Rates.Select((_, t) => $"z{l}_{t}"))} <= {month.FreeSamples}\n");
        }

        // Follows from the rest, but the solver does not see it: with all free samples used up there is one of the largest totals that nobody bursts for.
        long[] totals = [.. month.Rates.Select(r => r.Sum(Whole)).OrderDescending()];
        rows.Append(CultureInfo.InvariantCulture, $"{string.Join(" + ", month.Links.Select((_, l) => $"B{l}"))} >= {totals[links * month.FreeSamples]}\n");
        for (int l = 0; l < links; l++)
        {
            rows.Append(CultureInfo.InvariantCulture, $"1 B{l} >= {totals[month.FreeSamples] - ceiling.Where((_, other) => other != l).Sum()}\n");
        }

        string goal = string.Join(" + ", month.Links.Select((l, i) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(l.PricePerMbps!.Value * 10)} B{i}")));
        string bounds = string.Join("\n ", month.Links.Select((l, i) => $"B{i} >= {Whole(l.CommitBps ?? 0)}"));
        return $"Minimize\n cost: {goal}\n{rows}Bounds\n {bounds}\nBinary\n {string.Join("\n ", binaries)}\nEnd\n";
    }

    private static long Whole(long bps)
    {
        Assert.Equal(0, bps % Lab.M);
        return bps / Lab.M;
    }

    /// <summary>The second figure of a line of progress: "+ 1000: mip = 7.9e+02 >= 7.8e+02 1.3% (18; 13)".</summary>
    [GeneratedRegex(@">=\s+([0-9.e+]+)\s+[0-9.<]+%")]
    private static partial Regex Bounds();
}
