using System.Runtime.InteropServices;

namespace EgressAppliance.Net.Lpm;

/// <summary>
/// Asks the kernel for 2 MiB pages (madvise(2), MADV_HUGEPAGE): with 4 KiB pages nearly every lookup in a 64 MiB table misses the TLB as well.
/// </summary>
internal static unsafe partial class HugePages
{
    /// <summary>Bytes of a huge page on x86-64 and arm64.</summary>
    public const int Size = 2 << 20;

    private const int MadvHugePage = 14;

    /// <summary>Advises the whole huge pages of a range.</summary>
    /// <returns>False where the system has none to offer, which costs speed only.</returns>
    public static bool Advise(void* address, nuint bytes) =>
        OperatingSystem.IsLinux() && Madvise(address, bytes, MadvHugePage) == 0;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* address, nuint length, int advice);
}
