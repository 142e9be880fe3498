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
/// The paths of all peers by prefix: the Adj-RIBs-In in one table, because every question asked of them is about one prefix over all peers.
/// </summary>
/// <remarks>
/// <para>Made to be small. A prefix costs one dictionary entry (IPv4: an 8-byte key, address and length) whose value is the first node of a
/// chain; a path costs one 24-byte node in a chunked pool with a free list. Attribute sets are interned. A million IPv4 prefixes
/// with three paths each take some 45 MB of dictionary and 72 MB of nodes; attribute sets come on top: 275 MiB of heap in all with one set for five prefixes (docs/RFCs.md).</para>
/// <para>Chains are short (paths of one prefix), so they are searched in a line and kept in order of arrival.</para>
/// <para>Not thread-safe. The speaker guards it with one lock and calls the listener under it, which is what gives listeners their order.</para>
/// </remarks>
public sealed class RibTable
{
    private const int ChunkBits = 14;
    private const int ChunkSize = 1 << ChunkBits;
    private readonly Dictionary<ulong, int> _ipv4 = [];
    private readonly Dictionary<IPv6Key, int> _ipv6 = [];
    private readonly List<PathNode[]> _chunks = [];
    private readonly List<IRibListener> _listeners = [];
    private readonly AttributeInterner _interner = new();
    private readonly int[] _ipv4Paths;
    private readonly int[] _ipv6Paths;
    private readonly bool[] _hidden;
    private int _free;
    private int _used = 1; // node 0 stands for "no node"

    /// <summary>An empty table for peers 0 to <paramref name="peers"/> − 1.</summary>
    public RibTable(int peers)
    {
        _ipv4Paths = new int[peers];
        _ipv6Paths = new int[peers];
        _hidden = new bool[peers];
    }

    /// <summary>Prefixes with a path.</summary>
    public int PrefixCount => _ipv4.Count + _ipv6.Count;

    /// <summary>Distinct attribute sets in use.</summary>
    public int AttributeSetCount => _interner.Count;

    /// <summary>Paths held of one peer and family.</summary>
    public int PathCount(int peer, IpFamily family) => (family == IpFamily.IPv4 ? _ipv4Paths : _ipv6Paths)[peer];

    /// <summary>Adds a listener and tells it of every prefix there is.</summary>
    public void Attach(IRibListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        foreach (ulong key in _ipv4.Keys)
        {
            listener.PrefixAdded(FromKey(key));
        }

        foreach (IPv6Key key in _ipv6.Keys)
        {
            listener.PrefixAdded(FromKey(key));
        }

        _listeners.Add(listener);
    }

    /// <summary>The interned object of a set, held until <see cref="Release"/>: an UPDATE with many prefixes looks its set up once.</summary>
    public PathAttributes Hold(PathAttributes attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        return _interner.Acquire(attributes);
    }

    /// <summary>Ends a <see cref="Hold"/>.</summary>
    public void Release(PathAttributes attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        _interner.Release(attributes);
    }

    /// <summary>Adds a path, or replaces the peer's path with the same identifier.</summary>
    public RibChange Announce(int peer, IpPrefix prefix, uint pathId, PathAttributes attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        ref int head = ref FindOrAdd(prefix, out bool existed);
        int last = 0;
        for (int at = head; at != 0; at = Node(at).Next)
        {
            ref PathNode node = ref Node(at);
            if (node.Peer == peer && node.PathId == pathId)
            {
                PathAttributes old = node.Attributes!;
                node.Attributes = _interner.Acquire(attributes);
                _interner.Release(old);
                return ReferenceEquals(old, node.Attributes) ? RibChange.None : RibChange.Replaced;
            }

            last = at;
        }

        int added = Take();
        Node(added) = new PathNode { Attributes = _interner.Acquire(attributes), PathId = pathId, Peer = (ushort)peer };
        if (last == 0)
        {
            head = added;
        }
        else
        {
            Node(last).Next = added;
        }

        Counter(peer, prefix.Family)++;
        if (!existed)
        {
            foreach (IRibListener listener in _listeners)
            {
                listener.PrefixAdded(prefix);
            }
        }

        return RibChange.Added;
    }

    /// <summary>Removes one path. False if it was not there.</summary>
    public bool Withdraw(int peer, IpPrefix prefix, uint pathId) => Remove(peer, prefix, pathId, all: false) > 0;

    /// <summary>Removes all paths of a peer for a prefix; returns how many.</summary>
    public int WithdrawPeer(int peer, IpPrefix prefix) => Remove(peer, prefix, 0, all: true);

    /// <summary>Hides a peer's paths from <see cref="CopyPaths"/>, or shows them: those of a session that ended are no answer even before they are all taken out.</summary>
    public void Hide(int peer, bool hidden) => _hidden[peer] = hidden;

    /// <summary>Appends the paths of exactly this prefix, in order of arrival.</summary>
    public void CopyPaths(IpPrefix prefix, List<RibPath> into)
    {
        ArgumentNullException.ThrowIfNull(into);
        for (int at = Head(prefix); at != 0;)
        {
            ref PathNode node = ref Node(at);
            if (!_hidden[node.Peer])
            {
                into.Add(new RibPath(node.Peer, node.PathId, node.Attributes!));
            }

            at = node.Next;
        }
    }

    /// <summary>The prefixes for which the peer has a path: what <see cref="WithdrawPeer"/> must be called for when its session ends.</summary>
    public List<IpPrefix> PrefixesOf(int peer)
    {
        var prefixes = new List<IpPrefix>();
        foreach ((ulong key, int head) in _ipv4)
        {
            if (HasPath(head, peer))
            {
                prefixes.Add(FromKey(key));
            }
        }

        foreach ((IPv6Key key, int head) in _ipv6)
        {
            if (HasPath(head, peer))
            {
                prefixes.Add(FromKey(key));
            }
        }

        return prefixes;
    }

    private int Remove(int peer, IpPrefix prefix, uint pathId, bool all)
    {
        ref int head = ref Find(prefix);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref head))
        {
            return 0;
        }

        int removed = 0;
        int before = 0;
        for (int at = head; at != 0;)
        {
            ref PathNode node = ref Node(at);
            int next = node.Next;
            if (node.Peer == peer && (all || node.PathId == pathId))
            {
                if (before == 0)
                {
                    head = next;
                }
                else
                {
                    Node(before).Next = next;
                }

                _interner.Release(node.Attributes!);
                node = new PathNode { Next = _free };
                _free = at;
                removed++;
            }
            else
            {
                before = at;
            }

            at = next;
        }

        Counter(peer, prefix.Family) -= removed;
        if (head == 0)
        {
            RemoveKey(prefix);
            foreach (IRibListener listener in _listeners)
            {
                listener.PrefixRemoved(prefix);
            }
        }

        return removed;
    }

    private ref int FindOrAdd(IpPrefix prefix, out bool existed)
    {
        if (prefix.Family == IpFamily.IPv4)
        {
            return ref CollectionsMarshal.GetValueRefOrAddDefault(_ipv4, Key4(prefix), out existed);
        }

        return ref CollectionsMarshal.GetValueRefOrAddDefault(_ipv6, Key6(prefix), out existed);
    }

    private ref int Find(IpPrefix prefix)
    {
        if (prefix.Family == IpFamily.IPv4)
        {
            return ref CollectionsMarshal.GetValueRefOrNullRef(_ipv4, Key4(prefix));
        }

        return ref CollectionsMarshal.GetValueRefOrNullRef(_ipv6, Key6(prefix));
    }

    private int Head(IpPrefix prefix) =>
        prefix.Family == IpFamily.IPv4 ? _ipv4.GetValueOrDefault(Key4(prefix)) : _ipv6.GetValueOrDefault(Key6(prefix));

    private void RemoveKey(IpPrefix prefix)
    {
        if (prefix.Family == IpFamily.IPv4)
        {
            _ipv4.Remove(Key4(prefix));
        }
        else
        {
            _ipv6.Remove(Key6(prefix));
        }
    }

    private bool HasPath(int head, int peer)
    {
        for (int at = head; at != 0; at = Node(at).Next)
        {
            if (Node(at).Peer == peer)
            {
                return true;
            }
        }

        return false;
    }

    private ref int Counter(int peer, IpFamily family) => ref (family == IpFamily.IPv4 ? _ipv4Paths : _ipv6Paths)[peer];

    private ref PathNode Node(int index) => ref _chunks[index >> ChunkBits][index & (ChunkSize - 1)];

    private int Take()
    {
        if (_free != 0)
        {
            int reused = _free;
            _free = Node(reused).Next;
            return reused;
        }

        if (_used >> ChunkBits == _chunks.Count)
        {
            _chunks.Add(new PathNode[ChunkSize]);
        }

        return _used++;
    }

    private static ulong Key4(IpPrefix prefix) => ((ulong)prefix.Address.IPv4Value << 8) | prefix.Length;

    private static IPv6Key Key6(IpPrefix prefix) => new(prefix.Address.High, prefix.Address.Low, prefix.Length);

    private static IpPrefix FromKey(ulong key) => IpPrefix.Create(IpAddr.FromIPv4((uint)(key >> 8)), (byte)key);

    private static IpPrefix FromKey(IPv6Key key) => IpPrefix.Create(IpAddr.FromIPv6(key.High, key.Low), key.Length);

    private readonly record struct IPv6Key(ulong High, ulong Low, byte Length);

    private struct PathNode
    {
        public PathAttributes? Attributes;
        public uint PathId;
        public int Next;
        public ushort Peer;
    }
}
