using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EgressAppliance.Benchmarks;

/// <summary>CPU time of the calling thread (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID): what others take of the processor does not count.</summary>
internal static unsafe partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    /// <summary>Nanoseconds.</summary>
    public static long Now()
    {
        // Invariant: the structure has the two 64-bit words that the call fills.
        long* time = stackalloc long[2];
        if (ClockGetTime(ThreadCpuTime, time) != 0)
        {
            throw new Win32Exception();
        }

        return (time[0] * 1_000_000_000) + time[1];
    }

    /// <summary>The middle one.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted.Length == 0 ? double.NaN : (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int ClockGetTime(int clock, long* time);
}
