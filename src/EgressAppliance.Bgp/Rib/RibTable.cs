using System.Runtime.InteropServices;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>What an announcement did to the table.</summary>
public enum RibChange
{
    /// <summary>The same path was there already.</summary>
    None,

    /// <summary>A new path.</summary>
    Added,

    /// <summary>The path's attributes changed.</summary>
    Replaced,
}

/// <summary>
/// The paths of all sources by prefix: the Adj-RIBs-In in one table, because every question asked of them is about one prefix over all
/// sources. A source is a peer, or one table of a router that is watched over BMP.
/// </summary>
/// <remarks>
/// <para>Made to be small, and to be fast where the memory is the limit. Which prefixes there are is known once, by the <see cref="PrefixTable"/> that the data
/// path looks up in; the paths stand beside it: the first of each prefix in an array indexed by the prefix's id, further ones chained to it, 10 bytes each and
/// 4 more where path identifiers are in use, in arrays that hold no references. Attribute sets are octets, each kept once (<see cref="AttributeStore"/>). Objects are made of them only for answers.</para>
/// <para>Chains are short (paths of one prefix). The first is the best path, as far as the router's choice can be seen (<see cref="BestPath"/>); the others are
/// in no order. A change looks at the chain only as far as it can have changed the choice.</para>
/// <para>Not thread-safe. The speaker guards it with one lock and calls listeners under it, which is what gives them their order. The table of prefixes
/// has a lock of its own, taken inside for a change or a run of them.</para>
/// </remarks>
public sealed partial class RibTable
{
    private readonly PrefixTable _prefixes;
    private const uint Further = 1u << 31;
    private readonly TrieChunks<PathNode> _first = new();
    private readonly TrieChunks<PathNode> _further = new();
    private readonly SparseNumbers _firstIds = new();
    private readonly SparseNumbers _furtherIds = new();
    private readonly List<IRibListener> _listeners = [];
    private readonly AttributeStore _attributes = new();
    private readonly List<Source> _sources = [];
    private readonly PathRank[] _ranks = new PathRank[16];
    private int _firstRoom;
    private uint _free;
    private int _furtherUsed;

    /// <summary>An empty table for sources 0 to <paramref name="sources"/> − 1.</summary>
    /// <param name="sources">How many there are at first.</param>
    /// <param name="prefixes">Told of every prefix that comes or goes; nobody else may change it.</param>
    public RibTable(int sources, PrefixTable prefixes)
    {
        ArgumentNullException.ThrowIfNull(prefixes);
        _prefixes = prefixes;
        for (int i = 0; i < sources; i++)
        {
            AddSource();
        }
    }

    /// <summary>Prefixes with a path.</summary>
    public int PrefixCount => _prefixes.Count;

    /// <summary>Distinct attribute sets in use.</summary>
    public int AttributeSetCount => _attributes.Count;

    /// <summary>Bytes of paths and attribute sets; those of the prefixes are told by <see cref="PrefixTable.GetStatistics"/>.</summary>
    public long MemoryBytes => _first.MemoryBytes + _further.MemoryBytes + _firstIds.MemoryBytes + _furtherIds.MemoryBytes + _attributes.MemoryBytes;

    /// <summary>Paths of all sources.</summary>
    public long TotalPaths => _sources.Sum(s => (long)s.IPv4Paths + s.IPv6Paths);

    /// <summary>Paths held of one source and family.</summary>
    public int PathCount(int source, IpFamily family) => family == IpFamily.IPv4 ? _sources[source].IPv4Paths : _sources[source].IPv6Paths;

    /// <summary>Makes room for one more source and returns its number; numbers of sources that were removed are given again.</summary>
    /// <exception cref="InvalidOperationException">There are 65536 sources.</exception>
    public int AddSource()
    {
        int free = _sources.FindIndex(s => s.Removed);
        if (free >= 0)
        {
            _sources[free] = new();
            return free;
        }

        if (_sources.Count > ushort.MaxValue)
        {
            throw new InvalidOperationException("There cannot be more than 65536 sources of routes.");
        }

        _sources.Add(new());
        return _sources.Count - 1;
    }

    /// <summary>Ends a source whose paths are all gone (<see cref="Purge"/>).</summary>
    /// <exception cref="InvalidOperationException">It still has paths.</exception>
    public void RemoveSource(int source)
    {
        if (_sources[source].IPv4Paths + _sources[source].IPv6Paths > 0)
        {
            throw new InvalidOperationException("The source still has paths.");
        }

        _sources[source].Removed = true;
    }

    /// <summary>Adds a listener and tells it of every prefix there is.</summary>
    public void Attach(IRibListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        foreach (PrefixEntry entry in _prefixes.Entries())
        {
            listener.PrefixAdded(entry.Prefix);
        }

        _listeners.Add(listener);
    }

    /// <summary>Adds a path, or replaces the source's path with the same identifier.</summary>
    public RibChange Announce(int source, IpPrefix prefix, uint pathId, PathAttributes attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        uint set = _attributes.Acquire(AttributeBlock.From(attributes));
        using PrefixTable.Changes prefixes = _prefixes.BeginChanges();
        return Announce(prefixes, source, prefix, pathId, set);
    }

    /// <summary>Removes one path. False if it was not there.</summary>
    public bool Withdraw(int source, IpPrefix prefix, uint pathId)
    {
        using PrefixTable.Changes prefixes = _prefixes.BeginChanges();
        return Withdraw(prefixes, source, prefix, pathId);
    }

    /// <summary>
    /// Removes the paths of a source, a part at a time: those of at most <paramref name="step"/> prefixes from <paramref name="cursor"/> on, which begins at 0 and
    /// is moved. Returns false when all were looked at.
    /// </summary>
    public bool Purge(int source, ref uint cursor, int step)
    {
        using PrefixTable.Changes prefixes = _prefixes.BeginChanges();
        for (int done = 0; done < step && cursor < _firstRoom; cursor++, done++)
        {
            if (_first[(int)cursor].Set != 0)
            {
                PurgeChain(prefixes, source, cursor);
            }
        }

        return cursor < _firstRoom && PathCount(source, IpFamily.IPv4) + PathCount(source, IpFamily.IPv6) > 0;
    }

    /// <summary>Hides a source's paths from answers, or shows them: those of a session that ended are no answer even before they are all taken out.</summary>
    public void Hide(int source, bool hidden) => _sources[source].Hidden = hidden;

    /// <summary>Appends the paths of exactly this prefix: the best first, the others in no order.</summary>
    public void CopyPaths(IpPrefix prefix, List<RibPath> into)
    {
        ArgumentNullException.ThrowIfNull(into);
        if (!_prefixes.TryGetId(prefix, out uint id))
        {
            return;
        }

        CopyPaths(id, into);
    }

    /// <summary>Appends the paths of the prefix with this id.</summary>
    internal void CopyPaths(uint id, List<RibPath> into)
    {
        for (uint at = HasPath(id) ? id : 0; at != 0;)
        {
            ref readonly PathNode node = ref Node(at);
            if (!_sources[node.Source].Hidden)
            {
                into.Add(new RibPath(node.Source, PathId(at), AttributeBlock.ToAttributes(_attributes.Block(node.Set))));
            }

            at = node.Next;
        }
    }

    private RibChange Announce(PrefixTable.Changes prefixes, int source, IpPrefix prefix, uint pathId, uint set)
    {
        uint id = prefixes.Add(prefix, out bool added);
        MakeRoom(id);
        if (_first[(int)id].Set == 0)
        {
            _first[(int)id] = new PathNode { Set = set, Source = (ushort)source };
            _firstIds[id] = pathId;
            Count(source, prefix.Family, 1);
            Tell(prefix, added);
            return RibChange.Added;
        }

        for (uint at = id; at != 0; at = Node(at).Next)
        {
            ref PathNode node = ref Node(at);
            if (node.Source == source && PathId(at) == pathId)
            {
                return Replace(id, ref node, prefix, set);
            }
        }

        // One that is better in a step in which each path stands for itself is better than all; one that is worse leaves the choice as it was.
        bool? better = IsBetterThanBest(id, set);
        uint further = TakeFurther();
        ref PathNode first = ref _first[(int)id];
        Node(further) = new PathNode { Set = set, Source = (ushort)source, Next = first.Next };
        SetPathId(further, pathId);
        first.Next = further;
        Count(source, prefix.Family, 1);
        if (better is null)
        {
            MoveBestToFront(id);
        }
        else if (better.Value)
        {
            Exchange(id, further);
        }

        Tell(prefix, added: false);
        return RibChange.Added;
    }

    private RibChange Replace(uint id, ref PathNode node, IpPrefix prefix, uint set)
    {
        uint old = node.Set;
        node.Set = set;
        _attributes.Release(old);
        if (old == set)
        {
            return RibChange.None;
        }

        MoveBestToFront(id);
        Tell(prefix, added: false);
        return RibChange.Replaced;
    }

    private bool Withdraw(PrefixTable.Changes prefixes, int source, IpPrefix prefix, uint pathId)
    {
        if (!prefixes.TryGetId(prefix, out uint id) || !HasPath(id))
        {
            return false;
        }

        uint before = 0;
        for (uint at = id; at != 0; before = at, at = Node(at).Next)
        {
            ref readonly PathNode node = ref Node(at);
            if (node.Source != source || PathId(at) != pathId)
            {
                continue;
            }

            // Without the best there is a new one; and one that was equal to it up to MED may have kept others out.
            bool matters = before == 0 || IsBetterThanBest(id, node.Set) is null;
            Remove(before, at, prefix.Family);
            Settle(prefixes, id, prefix, matters);
            return true;
        }

        return false;
    }

    private void PurgeChain(PrefixTable.Changes prefixes, int source, uint id)
    {
        IpPrefix prefix = default;
        uint before = 0;
        for (uint at = id; at != 0;)
        {
            if (Node(at).Source != source)
            {
                before = at;
                at = Node(at).Next;
                continue;
            }

            prefix = prefix.IsDefault ? _prefixes.PrefixOf(id) : prefix;

            // In the first place the next path stands now, if there is one: it has yet to be looked at.
            at = Remove(before, at, prefix.Family);
        }

        if (!prefix.IsDefault)
        {
            Settle(prefixes, id, prefix, matters: true);
        }
    }

    /// <summary>After a removal: chooses anew, or takes the prefix out with its last path.</summary>
    private void Settle(PrefixTable.Changes prefixes, uint id, IpPrefix prefix, bool matters)
    {
        if (!HasPath(id))
        {
            prefixes.Remove(prefix);
            TellRemoved(prefix);
            return;
        }

        if (matters)
        {
            MoveBestToFront(id);
        }

        Tell(prefix, added: false);
    }

    /// <summary>Takes a path out and returns where the next one is.</summary>
    private uint Remove(uint before, uint at, IpFamily family)
    {
        ref PathNode node = ref Node(at);
        _attributes.Release(node.Set);
        Count(node.Source, family, -1);
        uint next = node.Next;
        if (before != 0)
        {
            Node(before).Next = next;
            FreeFurther(at);
            return next;
        }

        if (next == 0)
        {
            node = default;
            SetPathId(at, 0);
            return 0;
        }

        node = Node(next);
        SetPathId(at, PathId(next));
        FreeFurther(next);
        return at;
    }

    /// <summary>True or false if the steps before MED tell a set of attributes from the best path's, null if it takes the whole comparison.</summary>
    private bool? IsBetterThanBest(uint id, uint set)
    {
        int c = PathRank.CompareBeforeMed(View(set), View(_first[(int)id].Set));
        return c == 0 ? null : c < 0;
    }

    private void MoveBestToFront(uint id)
    {
        if (_first[(int)id].Next == 0)
        {
            return;
        }

        int count = 0;
        for (uint at = id; at != 0; at = Node(at).Next)
        {
            count++;
        }

        PathRank[] ranks = count <= _ranks.Length ? _ranks : new PathRank[count];
        int i = 0;
        for (uint at = id; at != 0; at = Node(at).Next)
        {
            ref readonly PathNode node = ref Node(at);
            ranks[i++] = new PathRank(View(node.Set), node.Source, PathId(at));
        }

        uint best = id;
        for (i = BestPath.Select(ranks.AsSpan(0, count)); i > 0; i--)
        {
            best = Node(best).Next;
        }

        if (best != id)
        {
            Exchange(id, best);
        }
    }

    /// <summary>Lets two paths change places; the chain stays.</summary>
    private void Exchange(uint one, uint other)
    {
        ref PathNode a = ref Node(one);
        ref PathNode b = ref Node(other);
        (a.Set, b.Set) = (b.Set, a.Set);
        (a.Source, b.Source) = (b.Source, a.Source);
        uint pathId = PathId(one);
        SetPathId(one, PathId(other));
        SetPathId(other, pathId);
    }

    private AttributeView View(uint set) => new(_attributes.Block(set));

    private void Count(int source, IpFamily family, int change)
    {
        if (family == IpFamily.IPv4)
        {
            _sources[source].IPv4Paths += change;
        }
        else
        {
            _sources[source].IPv6Paths += change;
        }
    }

    private void Tell(IpPrefix prefix, bool added)
    {
        foreach (IRibListener listener in _listeners)
        {
            if (added)
            {
                listener.PrefixAdded(prefix);
            }

            listener.PathsChanged(prefix);
        }
    }

    private void TellRemoved(IpPrefix prefix)
    {
        foreach (IRibListener listener in _listeners)
        {
            listener.PathsChanged(prefix);
            listener.PrefixRemoved(prefix);
        }
    }

    private bool HasPath(uint id) => id < _firstRoom && _first[(int)id].Set != 0;

    private ref PathNode Node(uint at) => ref (at & Further) == 0 ? ref _first[(int)at] : ref _further[(int)(at & ~Further)];

    private uint PathId(uint at) => (at & Further) == 0 ? _firstIds[at] : _furtherIds[at & ~Further];

    private void SetPathId(uint at, uint pathId)
    {
        if ((at & Further) == 0)
        {
            _firstIds[at] = pathId;
        }
        else
        {
            _furtherIds[at & ~Further] = pathId;
        }
    }

    private void MakeRoom(uint id)
    {
        while (id >= _firstRoom)
        {
            _first.MakeRoom(_firstRoom);
            _firstRoom += TrieChunks<PathNode>.Size;
        }
    }

    private uint TakeFurther()
    {
        if (_free != 0)
        {
            uint reused = _free;
            _free = Node(reused).Next;
            return reused;
        }

        _further.MakeRoom(_furtherUsed);
        return Further | (uint)_furtherUsed++;
    }

    private void FreeFurther(uint at)
    {
        Node(at) = new PathNode { Next = _free };
        SetPathId(at, 0);
        _free = at;
    }

    /// <summary>One path. Next is 0 at the end of a chain; a set of 0 in the first place means that the prefix has no path.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 2)]
    private struct PathNode
    {
        public uint Set;
        public uint Next;
        public ushort Source;
    }

    private sealed class Source
    {
        public int IPv4Paths;
        public int IPv6Paths;
        public bool Hidden;
        public bool Removed;
    }
}
