namespace EgressAppliance.Decision.Cost;

/// <summary>
/// Goes on from the levels of the last proposal. What is found from the mix of one moment differs from the next one's, and every excursion of a level upwards that
/// traffic follows is billed to the end of the month; to raise a level later than possible loses nothing, because what fits under the lower one uses up no free sample.
/// </summary>
internal static class LevelSmoothing
{
    /// <summary>The levels to aim at.</summary>
    public static long[] Smooth(CostState state, long[] fresh, CostPlan? previous, CostOptions options)
    {
        if (previous is null || previous.Links.Count != fresh.Length)
        {
            return fresh;
        }

        double passed = Math.Max(0, (state.Snapshot.Time - previous.Time).TotalSeconds);
        double part = passed / (passed + options.LevelSmoothing.TotalSeconds);
        long[] level = new long[fresh.Length];
        for (int i = 0; i < level.Length; i++)
        {
            LevelLink link = state.LevelLinks[i];
            CostLink last = previous.Links[i];
            if (last.Name != link.Name)
            {
                return fresh;
            }

            long next = last.LevelBps + (long)((fresh[i] - last.LevelBps) * part);
            level[i] = Math.Clamp(next, link.FloorBps, link.CeilingBps);
        }

        return level;
    }
}
