using EgressAppliance.Net.Lpm;

namespace EgressAppliance.Net;

// The data path asks this table once for each packet, the control plane changes it with each BGP UPDATE that brings or takes a prefix.
// Both families start with an array indexed by the upper bits (DirectIndex), 24 for IPv4, 20 for IPv6. What is longer hangs below: blocks of
// 256 ids for IPv4 (IPv4Lookup), tables of 4096 entries and then nodes of runs for IPv6 (IPv6Lookup). Decision record 0003 says why.
//
// Readers never lock, write nothing that is shared and never wait. The writer changes each address's answer by one store, so a reader
// sees the answer before or after a change and nothing else. Memory that a reader may still stand in is given out again only after a
// sequence number was raised, which the reader checks before it believes what it read (NativeArena).

/// <summary>
/// The longest-prefix-match table of the data path, compiled from a <see cref="PrefixTable"/>: address → prefix id, 0 where no prefix matches.
/// Reads are lock-free and may run on any thread while the one writer updates. No lookup may run when or after the table is disposed.
/// </summary>
public sealed class LpmTable : IDisposable
{
    private readonly IPv4Lookup _ipv4 = new();
    private readonly IPv6Lookup _ipv6 = new();
    private bool _disposed;

    internal LpmTable()
    {
    }

    /// <summary>The id of one IPv4 address (host order).</summary>
    public uint LookupIPv4(uint address) => _ipv4.Lookup(address);

    /// <summary>The id of one IPv6 address.</summary>
    public uint LookupIPv6(ulong high, ulong low) => _ipv6.Lookup(high, low);

    /// <summary>The id of one address of either family.</summary>
    public uint Lookup(IpAddr address) =>
        address.Family == IpFamily.IPv4 ? LookupIPv4(address.IPv4Value) : LookupIPv6(address.High, address.Low);

    /// <summary>Looks up many IPv4 addresses at once, prefetching, which hides the memory latency that a single lookup waits for.</summary>
    /// <param name="addresses">Addresses, host order.</param>
    /// <param name="ids">Takes an id for each; at least as long.</param>
    /// <exception cref="ArgumentException">There is less room for ids than there are addresses.</exception>
    public void LookupIPv4(ReadOnlySpan<uint> addresses, Span<uint> ids)
    {
        CheckRoom(addresses.Length, ids.Length);
        _ipv4.Lookup(addresses, ids[..addresses.Length]);
    }

    /// <summary>Looks up many IPv6 addresses at once.</summary>
    /// <param name="high">Upper halves.</param>
    /// <param name="low">Lower halves, as many.</param>
    /// <param name="ids">Takes an id for each; at least as long.</param>
    /// <exception cref="ArgumentException">The halves differ in number, or there is less room for ids.</exception>
    public void LookupIPv6(ReadOnlySpan<ulong> high, ReadOnlySpan<ulong> low, Span<uint> ids)
    {
        CheckRoom(high.Length, ids.Length);
        CheckRoom(high.Length, low.Length);
        _ipv6.Lookup(high, low[..high.Length], ids[..high.Length]);
    }

    /// <summary>Asks for the memory by which an IPv4 address will be looked up; for code that knows addresses some time before their batch is full.</summary>
    public IPv4Prefetch IPv4Prefetch => new(_ipv4.Index);

    /// <summary>What the table takes, for status pages and metrics. Any thread; the numbers may be of slightly different moments.</summary>
    public LpmStatistics GetStatistics() => new()
    {
        IndexBytes = _ipv4.Index.Bytes + _ipv6.Index.Bytes,
        IPv4Blocks = _ipv4.Arena.Blocks,
        IPv6Tables = _ipv6.Tables.Blocks,
        IPv6Nodes = _ipv6.Nodes.Blocks,
        UsedBytes = _ipv4.Arena.UsedBytes + _ipv6.Tables.UsedBytes + _ipv6.Nodes.UsedBytes,
        RetiredBytes = _ipv4.Arena.RetiredBytes + _ipv6.Tables.RetiredBytes + _ipv6.Nodes.RetiredBytes,
        ReservedBytes = _ipv4.Arena.ReservedBytes + _ipv6.Tables.ReservedBytes + _ipv6.Nodes.ReservedBytes,
        Reclaims = _ipv4.Arena.Sequence + _ipv6.Tables.Sequence + _ipv6.Nodes.Sequence,
        HasHugePages = _ipv4.Index.HasHugePages && _ipv6.Index.HasHugePages,
    };

    /// <summary>Gives the memory back to the system.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _ipv4.Dispose();
            _ipv6.Dispose();
        }
    }

    /// <summary>Gives the addresses of a new prefix that its cover owns to the prefix. Writer only.</summary>
    internal void Add(IpPrefix prefix, uint id, uint cover)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (prefix.Family == IpFamily.IPv4)
        {
            _ipv4.Add(prefix, id, cover);
        }
        else
        {
            _ipv6.Add(prefix, id, cover);
        }
    }

    /// <summary>Gives the addresses of a prefix that is gone to its cover. Writer only.</summary>
    internal void Remove(IpPrefix prefix, uint id, uint cover)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (prefix.Family == IpFamily.IPv4)
        {
            _ipv4.Remove(prefix, id, cover);
        }
        else
        {
            _ipv6.Remove(prefix, id, cover);
        }
    }

    /// <summary>Lets memory that updates have left behind be used again. Writer only.</summary>
    internal void Reclaim()
    {
        _ipv4.Arena.Reclaim();
        _ipv6.Tables.Reclaim();
        _ipv6.Nodes.Reclaim();
    }

    private static void CheckRoom(int needed, int room)
    {
        if (room < needed)
        {
            throw new ArgumentException($"{needed} places are needed, {room} are there.");
        }
    }
}
