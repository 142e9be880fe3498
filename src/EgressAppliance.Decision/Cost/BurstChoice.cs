namespace EgressAppliance.Decision.Cost;

/// <summary>
/// Which link to fill beyond its level when the demand does not fit under all of them. One link fully rather than several a little, because every link above its
/// level uses up a free sample of its own. The cheapest: a link that bursts already goes on, as that spares moves; otherwise
/// the one with the most free samples left, and of equals the one with the lowest price, which costs least if they run out. Links without which the
/// peaks to come could not be carried are spared while another will do.
/// </summary>
internal static class BurstChoice
{
    /// <summary>The set of links to burst, as a bit mask; 0 for none.</summary>
    public static int Choose(LevelProblem problem, long[] level, CostState state)
    {
        double[] left = problem.FreeLeft(level, 0);
        int free = 0;
        for (int i = 0; i < level.Length; i++)
        {
            free |= problem.IsFree(left[i]) ? 1 << i : 0;
        }

        if (problem.FitsNow(level, 0))
        {
            return free;
        }

        bool HasLeft(int set) => Members(set).All(i => left[i] >= 1);
        int[] able = [.. problem.Sets.Where(set => HasLeft(set) && problem.FitsNow(level, set))];
        if (able.Length == 0)
        {
            // Only rounding leads here: the levels were chosen so that the present demand fits somehow.
            return free;
        }

        int size = able.Min(int.PopCount);
        int[] smallest = [.. able.Where(s => int.PopCount(s) == size)
            .OrderByDescending(s => Members(s).Count(i => state.BurstLast(i, level[i])))
            .ThenByDescending(s => Members(s).Min(i => left[i]))
            .ThenBy(s => Members(s).Sum(i => problem.Links[i].Price))
            .ThenBy(s => s)];
        int spared = smallest.FirstOrDefault(s => problem.IsFeasible(level, s));
        return (spared != 0 ? spared : smallest[0]) | free;
    }

    /// <summary>Whether some burst carries the present demand and leaves enough free samples for what is to come.</summary>
    public static bool CanBurst(LevelProblem problem, long[] level)
    {
        double[] left = problem.FreeLeft(level, 0);
        return problem.Sets.Any(set => Members(set).All(i => left[i] >= 1) && problem.FitsNow(level, set) && problem.IsFeasible(level, set));
    }

    private static IEnumerable<int> Members(int set) => Enumerable.Range(0, 32).Where(i => (set >> i & 1) != 0);
}
