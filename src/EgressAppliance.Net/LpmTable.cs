namespace EgressAppliance.Net;

/// <summary>
/// The longest-prefix-match table of the data path, compiled from a <see cref="PrefixTable"/>: address → prefix id, 0 where no prefix matches.
/// Reads are lock-free and may run on any thread while the one writer updates.
/// </summary>
public sealed class LpmTable : IDisposable
{
    /// <summary>The id of one IPv4 address (host order).</summary>
    public uint LookupIPv4(uint address) => throw new NotSupportedException();

    /// <summary>The id of one IPv6 address.</summary>
    public uint LookupIPv6(ulong high, ulong low) => throw new NotSupportedException();

    /// <summary>Looks up many IPv4 addresses at once, prefetching, which hides the memory latency that a single lookup waits for.</summary>
    public void LookupIPv4(ReadOnlySpan<uint> addresses, Span<uint> ids) => throw new NotSupportedException();

    /// <summary>Looks up many IPv6 addresses at once.</summary>
    public void LookupIPv6(ReadOnlySpan<ulong> high, ReadOnlySpan<ulong> low, Span<uint> ids) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
