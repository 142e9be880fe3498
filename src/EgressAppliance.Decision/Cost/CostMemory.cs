namespace EgressAppliance.Decision.Cost;

/// <summary>What one proposal hands to the next, as plain data; nothing is lost but steadiness if it is not kept.</summary>
/// <param name="Time">When it was made.</param>
/// <param name="LevelsFrom">When the levels were last searched for.</param>
/// <param name="Links">The links of the levels, sorted.</param>
/// <param name="LevelsBps">Their levels, bit/s.</param>
/// <param name="MovesLeft">Moves that may be proposed until more time has passed; parts of a move add up.</param>
public sealed record CostMemory(DateTimeOffset Time, DateTimeOffset LevelsFrom, IReadOnlyList<string> Links, IReadOnlyList<long> LevelsBps, double MovesLeft)
{
    /// <summary>
    /// Half of a day's moves may be saved up and half come in again within a day, so that no day, whenever it begins, has more than all of them.
    /// </summary>
    internal static double MovesAt(CostMemory? memory, DateTimeOffset now, CostOptions options)
    {
        double half = Math.Max(0, options.MaxMovesPerDay) / 2.0;
        if (memory is null)
        {
            return half;
        }

        double passed = Math.Clamp((now - memory.Time) / TimeSpan.FromDays(1), 0, 1);
        return Math.Clamp(memory.MovesLeft + (half * passed), 0, half);
    }
}
