using System.Runtime.CompilerServices;

namespace EgressAppliance.Net.Lpm;

/// <summary>Asks for the memory by which IPv4 addresses will be looked up. Valid as long as its <see cref="LpmTable"/>.</summary>
public readonly unsafe struct IPv4Prefetch
{
    private readonly uint* _entries;

    internal IPv4Prefetch(DirectIndex index) => _entries = index.Entries;

    /// <summary>Asks for the entry of an address; only a hint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // In the decoder's loop: DecodeBenchmarks.
    public void Ask(uint address) => Prefetch.Line(_entries + (address >> 8));
}
