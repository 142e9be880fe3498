using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The metrics of the process, under the names that Prometheus's own clients give them, and those of the runtime that tell whether its memory or its
/// threads are the trouble.
/// </summary>
internal static class ProcessMetrics
{
    private static readonly double Start = new DateTimeOffset(Process.GetCurrentProcess().StartTime).ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>The commit of the sources, or empty if the build did not know it.</summary>
    public static string Revision { get; } =
        typeof(ProcessMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit, ..] ? commit : "";

    /// <summary>Writes them.</summary>
    public static void Write(MetricWriter text)
    {
        using Process process = Process.GetCurrentProcess();
        text.Gauge("process_start_time_seconds", "When the process started, Unix time.").Sample(Start);
        text.Counter("process_cpu_seconds_total", "Processor time of the process, user and system.").Sample(process.TotalProcessorTime.TotalSeconds);
        text.Gauge("process_resident_memory_bytes", "Resident memory of the process.").Sample(process.WorkingSet64);
        text.Gauge("process_threads", "Threads of the process.").Sample(process.Threads.Count);
        text.Gauge("egress_runtime_heap_bytes", "Managed heap after the latest collection.").Sample(GC.GetGCMemoryInfo().HeapSizeBytes);
        text.Counter("egress_runtime_gc_collections_total", "Collections of the managed heap, by generation.");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            text.Sample(GC.CollectionCount(generation), ("generation", generation.ToString(CultureInfo.InvariantCulture)));
        }

        text.Counter("egress_runtime_gc_pause_seconds_total", "Time for which collections stopped all managed threads.").Sample(GC.GetTotalPauseDuration().TotalSeconds);
        text.Gauge("egress_runtime_thread_pool_queue_length", "Work that waits for a thread of the pool.").Sample(ThreadPool.PendingWorkItemCount);
    }
}
