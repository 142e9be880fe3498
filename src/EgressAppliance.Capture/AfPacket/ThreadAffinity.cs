using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>Binds threads to CPUs.</summary>
internal static unsafe class ThreadAffinity
{
    /// <summary>CPUs that a mask has room for.</summary>
    public const int MaxCpus = 1024;

    /// <summary>Lets the calling thread run on one CPU only; the error's text if that is refused (a cgroup may withhold the CPU).</summary>
    public static string? BindCurrentThread(int cpu)
    {
        ulong* mask = stackalloc ulong[MaxCpus / 64];
        new Span<ulong>(mask, MaxCpus / 64).Clear();
        mask[cpu / 64] = 1UL << (cpu % 64);
        return LibC.SetAffinity(0, MaxCpus / 8, mask) == 0 ? null : $"the reading thread cannot run on CPU {cpu}: {LibC.LastErrorText()}";
    }
}
