namespace EgressAppliance.Net;

/// <summary>
/// The prefixes that traffic is counted by: the Patricia trie of record, the dense ids of its entries and the lookup table
/// compiled from it. One writer; readers use <see cref="Lookup"/> without locks.
/// </summary>
public sealed class PrefixTable : IDisposable
{
    /// <summary>The compiled table for the data path.</summary>
    public LpmTable Lookup { get; } = new();

    /// <summary>Number of prefixes held.</summary>
    public int Count => throw new NotSupportedException();

    /// <summary>One more than the largest id ever given: the size that arrays indexed by id need.</summary>
    public int IdCapacity => throw new NotSupportedException();

    /// <summary>Adds a prefix and returns its id (1 or more); a prefix already there keeps its id.</summary>
    public uint Add(IpPrefix prefix) => throw new NotSupportedException();

    /// <summary>Removes a prefix. Its id rests until <see cref="Tick"/> was called twice, so that counts in flight cannot reach another prefix.</summary>
    public bool Remove(IpPrefix prefix) => throw new NotSupportedException();

    /// <summary>The id of exactly this prefix.</summary>
    public bool TryGetId(IpPrefix prefix, out uint id) => throw new NotSupportedException();

    /// <summary>The longest prefix that contains the address.</summary>
    public bool TryLongestMatch(IpAddr address, out IpPrefix prefix, out uint id) => throw new NotSupportedException();

    /// <summary>The prefix that has this id, also while the id rests after a removal; a default value for an id never given. Safe from any thread.</summary>
    public IpPrefix PrefixOf(uint id) => throw new NotSupportedException();

    /// <summary>Ends a snapshot period: ids removed before the previous call may be given again.</summary>
    public void Tick() => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => Lookup.Dispose();
}
