namespace EgressAppliance.Net;

// Three parts that change together. The tries of record, one for each family, know every prefix by its id, and the ids know
// which prefix each has. The lookup table is compiled from them step by step: whenever a prefix comes or goes, the trie tells the id of its cover, and the table
// passes the addresses between the two. Nothing is ever rebuilt as a whole.
//
// A change gives the prefix its id first and enters it in the table last, and leaves the table first, so an id that a lookup
// returns always has a prefix. A default route may change all 2^24 entries, which takes milliseconds; longer prefixes
// change few and take microseconds.
//
// One lock guards tries and ids. It is the control plane's: the writer takes it for each change, other threads for questions to the
// tries. Lookups and PrefixOf never take it.

/// <summary>
/// The prefixes that traffic is counted by: the Patricia trie of record, the dense ids of its entries and the lookup table
/// compiled from it. One writer (<see cref="Add"/>, <see cref="Remove"/>, <see cref="Tick"/>); everything else may be called from any
/// thread, and <see cref="Lookup"/> is used without locks.
/// </summary>
public sealed class PrefixTable : IDisposable
{
    private const int WalkPart = 1024;
    private readonly Lock _gate = new();
    private readonly PrefixIds _ids;
    private readonly PatriciaTrie _ipv4;
    private readonly PatriciaTrie _ipv6;
    private int _count;

    /// <summary>An empty table.</summary>
    public PrefixTable()
        : this(new PrefixIds())
    {
    }

    internal PrefixTable(PrefixIds ids)
    {
        _ids = ids;
        _ipv4 = new(IpFamily.IPv4, ids);
        _ipv6 = new(IpFamily.IPv6, ids);
    }

    /// <summary>The compiled table for the data path.</summary>
    public LpmTable Lookup { get; } = new();

    /// <summary>Number of prefixes held.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>One more than the largest id ever given: the size that arrays indexed by id need.</summary>
    public int IdCapacity => _ids.Capacity;

    /// <summary>Adds a prefix and returns its id (1 or more); a prefix already there keeps its id, and one whose id still rests gets it back.</summary>
    /// <exception cref="ArgumentException">The prefix is a default value.</exception>
    /// <exception cref="InvalidOperationException">All of 2^24 - 1 ids are in use or rest; nothing was changed.</exception>
    public uint Add(IpPrefix prefix)
    {
        PatriciaTrie trie = TrieOf(prefix.Family);
        lock (_gate)
        {
            return AddLocked(trie, prefix, out _);
        }
    }

    /// <summary>Takes the lock for a run of changes, until the result is disposed of. Questions to the tries wait meanwhile, lookups do not.</summary>
    public Changes BeginChanges() => new(this);

    /// <summary>
    /// Adds many prefixes under one lock, as when a table is loaded. Whatever their order, new ids are given in the order of the addresses: neighbours
    /// share paths in the trie and lines of the table, so a full table loads in a quarter of the time.
    /// </summary>
    /// <exception cref="ArgumentException">One of them is a default value; none was added.</exception>
    /// <exception cref="InvalidOperationException">All of 2^24 - 1 ids are in use or rest; those before the one in hand were added.</exception>
    public void AddRange(ReadOnlySpan<IpPrefix> prefixes)
    {
        ulong[] words = new ulong[prefixes.Length];
        List<IpPrefix> tooLong = [];
        int packed = 0;
        foreach (IpPrefix prefix in prefixes)
        {
            TrieOf(prefix.Family);
            if (PackedPrefix.TryPack(prefix, out words[packed]))
            {
                packed++;
            }
            else
            {
                tooLong.Add(prefix);
            }
        }

        Array.Sort(words, 0, packed);
        lock (_gate)
        {
            foreach (ulong word in words.AsSpan(0, packed))
            {
                IpPrefix prefix = PackedPrefix.Unpack(word);
                AddLocked(TrieOf(prefix.Family), prefix, out _);
            }

            foreach (IpPrefix prefix in tooLong)
            {
                AddLocked(_ipv6, prefix, out _);
            }
        }
    }

    /// <summary>Removes a prefix. Its id rests until <see cref="Tick"/> was called twice, so that counts in flight cannot reach another prefix.</summary>
    /// <returns>False if it was not there.</returns>
    /// <exception cref="ArgumentException">The prefix is a default value.</exception>
    public bool Remove(IpPrefix prefix)
    {
        PatriciaTrie trie = TrieOf(prefix.Family);
        lock (_gate)
        {
            return RemoveLocked(trie, prefix);
        }
    }

    /// <summary>The id of exactly this prefix.</summary>
    public bool TryGetId(IpPrefix prefix, out uint id)
    {
        PatriciaTrie trie = TrieOf(prefix.Family);
        lock (_gate)
        {
            return trie.TryGet(prefix, out id);
        }
    }

    /// <summary>The longest prefix that contains the address.</summary>
    public bool TryLongestMatch(IpAddr address, out IpPrefix prefix, out uint id)
    {
        PatriciaTrie trie = TrieOf(address.Family);
        lock (_gate)
        {
            return trie.TryLongestMatch(address, out prefix, out id);
        }
    }

    /// <summary>The prefix that has this id, also while the id rests after a removal; a default value for an id never given. Safe from any thread.</summary>
    public IpPrefix PrefixOf(uint id) => _ids.PrefixOf(id);

    /// <summary>The prefixes that contain this one, itself included if held, shortest first.</summary>
    public IReadOnlyList<PrefixEntry> Covering(IpPrefix prefix)
    {
        PatriciaTrie trie = TrieOf(prefix.Family);
        PrefixEntry[] entries = new PrefixEntry[prefix.Length + 1];
        lock (_gate)
        {
            return entries[..trie.CopyCovering(prefix, entries)];
        }
    }

    /// <summary>
    /// The prefixes inside this one, itself included if held, in order. The lock is taken for a thousand entries at a time: a prefix that
    /// comes or goes during the walk may or may not be seen, all others are seen once.
    /// </summary>
    public IEnumerable<PrefixEntry> Covered(IpPrefix prefix)
    {
        PatriciaTrie trie = TrieOf(prefix.Family);
        return Walk(trie, prefix);
    }

    /// <summary>All prefixes, IPv4 first, in order; with the same promise as <see cref="Covered"/>.</summary>
    public IEnumerable<PrefixEntry> Entries() =>
        Covered(IpPrefix.Create(IpAddr.FromIPv4(0), 0)).Concat(Covered(IpPrefix.Create(IpAddr.FromIPv6(0, 0), 0)));

    /// <summary>Ends a snapshot period: ids removed before the previous call may be given again.</summary>
    public void Tick()
    {
        lock (_gate)
        {
            _ids.Tick();
            Lookup.Reclaim();
        }
    }

    /// <summary>What the table takes, for status pages and metrics.</summary>
    public PrefixTableStatistics GetStatistics()
    {
        lock (_gate)
        {
            return new()
            {
                IPv4Prefixes = _ipv4.Count,
                IPv6Prefixes = _ipv6.Count,
                RestingIds = _ids.Resting,
                IdBytes = _ids.MemoryBytes,
                TrieBytes = _ipv4.MemoryBytes + _ipv6.MemoryBytes,
                Lookup = Lookup.GetStatistics(),
            };
        }
    }

    /// <inheritdoc cref="LpmTable.Dispose"/>
    public void Dispose() => Lookup.Dispose();

    private bool RemoveLocked(PatriciaTrie trie, IpPrefix prefix)
    {
        if (!trie.TryRemove(prefix, out uint id, out uint cover))
        {
            return false;
        }

        Lookup.Remove(prefix, id, cover);
        _ids.Release(prefix, id);
        Volatile.Write(ref _count, _count - 1);
        return true;
    }

    private uint AddLocked(PatriciaTrie trie, IpPrefix prefix, out bool added)
    {
        added = false;
        if (!trie.TryInsert(prefix, out uint id, out uint cover))
        {
            return id;
        }

        try
        {
            Lookup.Add(prefix, id, cover);
        }
        catch
        {
            // Disposed, or out of memory: trie and lookup table must still tell the same.
            trie.TryRemove(prefix, out _, out _);
            _ids.Release(prefix, id);
            throw;
        }

        Volatile.Write(ref _count, _count + 1);
        added = true;
        return id;
    }

    private IEnumerable<PrefixEntry> Walk(PatriciaTrie trie, IpPrefix within)
    {
        PrefixEntry[] part = new PrefixEntry[WalkPart];
        IpPrefix from = within;
        bool inclusive = true;
        int got;
        do
        {
            lock (_gate)
            {
                got = trie.CopyOrdered(from, inclusive, within, part);
            }

            for (int i = 0; i < got; i++)
            {
                yield return part[i];
            }

            from = got > 0 ? part[got - 1].Prefix : from;
            inclusive = false;
        }
        while (got == part.Length);
    }

    private PatriciaTrie TrieOf(IpFamily family) => family switch
    {
        IpFamily.IPv4 => _ipv4,
        IpFamily.IPv6 => _ipv6,
        _ => throw new ArgumentException("A default value is neither an address nor a prefix."),
    };

    /// <summary>A run of changes under one hold of the lock. Made by <see cref="BeginChanges"/>, used by one thread, to be disposed of soon.</summary>
    public readonly ref struct Changes
    {
        private readonly PrefixTable _table;
        private readonly Lock.Scope _scope;

        internal Changes(PrefixTable table)
        {
            _table = table;
            _scope = table._gate.EnterScope();
        }

        /// <summary>As <see cref="PrefixTable.Add"/>, telling whether the prefix is new.</summary>
        public uint Add(IpPrefix prefix, out bool added) => _table.AddLocked(_table.TrieOf(prefix.Family), prefix, out added);

        /// <summary>As <see cref="PrefixTable.Remove"/>.</summary>
        public bool Remove(IpPrefix prefix) => _table.RemoveLocked(_table.TrieOf(prefix.Family), prefix);

        /// <summary>As <see cref="PrefixTable.TryGetId"/>.</summary>
        public bool TryGetId(IpPrefix prefix, out uint id) => _table.TrieOf(prefix.Family).TryGet(prefix, out id);

        /// <summary>Gives the lock back.</summary>
        public void Dispose() => _scope.Dispose();
    }
}
