using System.Runtime.Intrinsics.X86;

namespace EgressAppliance.Net.Lpm;

/// <summary>A hint to load a cache line soon; nothing where the processor has none to offer through the framework.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Any address will do: a bad one is ignored by the processor.</summary>
    public static void Line(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
