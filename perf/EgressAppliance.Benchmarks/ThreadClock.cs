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

    /// <summary>Keeps the calling thread on one processor (sched_setaffinity(2)), so that the scheduler does not put two measured threads on the same.</summary>
    public static void StayOn(int processor)
    {
        // Invariant: the mask has as many bytes as the call is told.
        ulong mask = 1UL << processor;
        if (SchedSetAffinity(0, sizeof(ulong), &mask) != 0)
        {
            throw new Win32Exception();
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SchedSetAffinity(int thread, nuint bytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int ClockGetTime(int clock, long* time);
}
