using EgressAppliance.Decision;

namespace EgressAppliance.Tests.Decision;

/// <summary>Tries every assignment of prefixes to their paths: the least overload, and the fewest moves that reach it.</summary>
internal static class BruteForce
{
    public static (long Overload, int Moves) Solve(DecisionSnapshot snapshot, bool chains)
    {
        string[] names = [.. snapshot.Links.Select(l => l.Name)];
        long[] load = [.. snapshot.Links.Select(l => l.ResidualBps)];
        int[][] paths = [.. snapshot.Prefixes.Select(p => p.Paths.Select(n => Array.IndexOf(names, n)).ToArray())];
        for (int i = 0; i < paths.Length; i++)
        {
            if (paths[i].Length > 0)
            {
                load[paths[i][0]] += snapshot.Prefixes[i].RateBps;
            }
        }

        bool[] over = [.. load.Select((l, i) => l > Threshold(snapshot, i))];
        int[] entered = new int[names.Length];
        (long Overload, int Moves) best = (long.MaxValue, int.MaxValue);
        void Visit(int i, int moves)
        {
            if (i == paths.Length)
            {
                long overload = 0;
                for (int l = 0; l < names.Length; l++)
                {
                    if (entered[l] > 0 && load[l] > snapshot.Links[l].CapacityBps * 90 / 100)
                    {
                        return;
                    }

                    overload += Math.Max(0, load[l] - Threshold(snapshot, l));
                }

                best = (overload, moves).CompareTo(best) < 0 ? (overload, moves) : best;
                return;
            }

            Visit(i + 1, moves);
            long rate = snapshot.Prefixes[i].RateBps;
            for (int p = 1; p < paths[i].Length; p++)
            {
                int from = paths[i][0];
                int to = paths[i][p];
                if (!chains && (!over[from] || over[to]))
                {
                    continue;
                }

                load[from] -= rate;
                load[to] += rate;
                entered[to]++;
                Visit(i + 1, moves + 1);
                entered[to]--;
                load[to] -= rate;
                load[from] += rate;
            }
        }

        Visit(0, 0);
        return best;
    }

    private static long Threshold(DecisionSnapshot snapshot, int link) => snapshot.Links[link].CapacityBps * 95 / 100;
}
