using System.Globalization;
using EgressAppliance.Comparison.Bgp.Lab;

namespace EgressAppliance.Comparison.Bgp.Receiver;

/// <summary>Processor time and memory of this process at one moment.</summary>
/// <param name="CpuSeconds">User and system time since its start (getrusage(2)).</param>
/// <param name="RssBytes">Resident memory, VmRSS of /proc/self/status.</param>
/// <param name="AnonymousBytes">Of it, what no file is behind: heaps, stacks, compiled code. RssAnon.</param>
/// <param name="HeapBytes">Managed objects, dead ones that have not been collected included.</param>
/// <param name="CommittedBytes">What the garbage collector holds of the system's memory, as of the last collection.</param>
/// <param name="Collections">Collections of generations 0, 1 and 2.</param>
/// <param name="PauseSeconds">How long they stopped all threads in all.</param>
internal sealed record OwnUsage(
    double CpuSeconds, long RssBytes, long AnonymousBytes, long HeapBytes, long CommittedBytes, IReadOnlyList<int> Collections, double PauseSeconds)
{
    /// <summary>Now.</summary>
    public static OwnUsage Now()
    {
        MemoryUse memory = new ProcessMeter(Environment.ProcessId).Memory();
        return new(
            Environment.CpuUsage.TotalTime.TotalSeconds,
            memory.Rss,
            memory.Anonymous,
            GC.GetTotalMemory(forceFullCollection: false),
            GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes,
            [GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2)],
            GC.GetTotalPauseDuration().TotalSeconds);
    }

    /// <summary>As a JSON object.</summary>
    public string ToJson() => string.Create(CultureInfo.InvariantCulture, $$"""
        {"cpu_seconds":{{CpuSeconds}},"rss_bytes":{{RssBytes}},"anonymous_bytes":{{AnonymousBytes}},"heap_bytes":{{HeapBytes}},"committed_bytes":{{CommittedBytes}},
         "collections":[{{Collections[0]}},{{Collections[1]}},{{Collections[2]}}],"pause_seconds":{{PauseSeconds}}}
        """).ReplaceLineEndings("");
}
