using System.Diagnostics;
using System.Globalization;
using System.Text;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Policies;

namespace EgressAppliance.Tests.Decision;

/// <summary>
/// The exact optimum by a solver that shares nothing with the planner: GLPK's branch and cut (<c>glpsol</c>, package glpk-utils) on the goal written as an integer program. Every
/// assignment of prefixes to links that are up and have a path for them is allowed, chains over several links too; a link that a prefix enters which is not native to it ends at or
/// under its ceiling. First the least overload counts, then the fewest prefixes off their native link.
/// </summary>
internal static class Glpk
{
    /// <summary>bit/s in one unit of the program; rates and limits must be whole units, so that the solver's tolerance cannot decide.</summary>
    public const long Unit = Lab.M;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Whether the program is installed.</summary>
    public static bool IsInstalled { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "glpsol")));

    /// <summary>Solves an instance without overrides.</summary>
    /// <returns>Overload in bit/s, and how many prefixes it moves.</returns>
    public static async Task<(long Overload, int Moves)> SolveAsync(DecisionSnapshot snapshot)
    {
        string file = Path.GetTempFileName();
        try
        {
            long weight = snapshot.Prefixes.Count + 1;
            await File.WriteAllTextAsync(file, Write(snapshot, weight));
            using Process process = Process.Start(new ProcessStartInfo("glpsol", ["--lp", file, "--cuts", "-w", file + ".out"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> told = process.StandardOutput.ReadToEndAsync();
            using CancellationTokenSource limit = new(Limit);
            await process.WaitForExitAsync(limit.Token);

            // "s mip ROWS COLUMNS o OBJECTIVE": o says that it is proved to be the optimum.
            string[] status = (await File.ReadAllLinesAsync(file + ".out")).Single(line => line.StartsWith("s mip", StringComparison.Ordinal)).Split(' ');
            Assert.True(status[4] == "o", await told);
            long objective = (long)Math.Round(double.Parse(status[5], CultureInfo.InvariantCulture));
            return (objective / weight * Unit, (int)(objective % weight));
        }
        finally
        {
            File.Delete(file);
            File.Delete(file + ".out");
        }
    }

    private static string Write(DecisionSnapshot snapshot, long weight)
    {
        StringBuilder goal = new("Minimize\n cost: 0 dummy");
        StringBuilder rows = new("Subject To\n");
        List<string> binaries = [];
        int links = snapshot.Links.Count;
        StringBuilder[] loads = [.. snapshot.Links.Select(_ => new StringBuilder())];
        long[] most = new long[links];
        bool[] enterable = new bool[links];
        for (int p = 0; p < snapshot.Prefixes.Count; p++)
        {
            PrefixDemand demand = snapshot.Prefixes[p];
            long rate = Whole(demand.RateBps);
            int[] ways = [.. demand.Paths.Select(name => IndexOf(snapshot, name)).Where(l => snapshot.Links[l].Up)];
            if (ways.Length == 0)
            {
                continue;
            }

            int native = ways[0];
            ways = [.. ways.Where(l => l == native || (!snapshot.Links[l].Drain && Allows(demand.Policy, snapshot.Links[native].Name, snapshot.Links[l].Name)))];
            rows.Append(string.Join(" + ", ways.Select(l => Name(p, l)))).Append(" = 1\n");
            foreach (int l in ways)
            {
                binaries.Add(Name(p, l));
                loads[l].Append(CultureInfo.InvariantCulture, $" + {rate} {Name(p, l)}");
                most[l] += rate;
                if (l != native)
                {
                    goal.Append(CultureInfo.InvariantCulture, $" + {Name(p, l)}");
                    rows.Append(CultureInfo.InvariantCulture, $"{Name(p, l)} - e{l} <= 0\n");
                    enterable[l] = true;
                }
            }
        }

        for (int l = 0; l < links; l++)
        {
            LinkState link = snapshot.Links[l];
            long residual = link.Up ? Whole(link.ResidualBps) : 0;
            goal.Append(CultureInfo.InvariantCulture, $" + {weight} o{l}");
            rows.Append(CultureInfo.InvariantCulture, $"{loads[l]} - 1 o{l} <= {(link.CapacityBps / Unit * 95 / 100) - residual}\n");
            long room = (link.CapacityBps / Unit * 90 / 100) - residual;
            if (enterable[l])
            {
                binaries.Add($"e{l}");
                long excess = Math.Max(0, most[l] - room);
                rows.Append(CultureInfo.InvariantCulture, $"{loads[l]} + {excess} e{l} <= {room + excess}\n");
                if (room < 0)
                {
                    rows.Append(CultureInfo.InvariantCulture, $"e{l} = 0\n");
                }
            }
        }

        return $"{goal}\n{rows}Bounds\n dummy = 0\nBinary\n {string.Join("\n ", binaries)}\nEnd\n";
    }

    private static bool Allows(PrefixPolicy? policy, string native, string link) => policy?.Action switch
    {
        PolicyAction.Deny => false,
        PolicyAction.Pin => policy.Links[0] == link && policy.Links[0] != native,
        _ => true,
    };

    private static string Name(int prefix, int link) => $"x{prefix}_{link}";

    private static int IndexOf(DecisionSnapshot snapshot, string name) => snapshot.Links.Select(link => link.Name).ToList().IndexOf(name);

    private static long Whole(long bps)
    {
        Assert.Equal(0, bps % Unit);
        return bps / Unit;
    }
}
