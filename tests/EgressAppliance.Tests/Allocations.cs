namespace EgressAppliance.Tests;

/// <summary>
/// Measures what a piece of code allocates once it is warm. The runtime itself now and then charges a thread for tiering up the code that it
/// runs, so the least of a few runs counts: code that allocates by what it processes does so in every one of them.
/// </summary>
internal static class Allocations
{
    /// <summary>Bytes allocated by the calling thread in the leanest of ten runs.</summary>
    public static long InSteadyState(Action run)
    {
        run();
        long least = long.MaxValue;
        for (int i = 0; i < 10 && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
