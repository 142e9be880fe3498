using System.Numerics;

namespace EgressAppliance.Net;

// A path-compressed binary trie of the prefixes of one family. A node stands either for a prefix that is held (value above 0)
// or for the point where two of them part (value 0, always with two children). Every other chain of single children is skipped,
// so n prefixes need at most 2n - 1 nodes, whatever their length.
//
// Nodes are structs of 16 bytes in arrays of fixed size and name each other by number, 0 being none: a full Internet table is a hundred
// arrays for the garbage collector, not two million objects, and growing copies nothing. Freed nodes are chained through Left. What a
// node lacks of an IPv6 prefix, all but the first 32 bits, lies in arrays of its own.
//
// Every operation goes down the same way: only by the bits at which nodes branch, without a look at those skipped, noting the nodes
// passed. Then the key is compared once, with the last of them: since each node lies inside those above it, the nodes that contain the
// key are exactly those passed which are no longer than the bits that agree. So a step costs one node, and a key one more line for IPv6.
//
// Order of walking is pre-order, which is the order of IpPrefix.CompareTo: by address, and a cover before what it covers.
// Insert and remove tell the value of the longest proper cover, found on the way down for nothing: it is all that the compiled
// lookup table needs to know from the trie to follow the change.

/// <summary>
/// A path-compressed binary trie from the prefixes of one family to numbers above 0: exact and longest match, covering and covered
/// prefixes, ordered walk, insert and remove. Not safe for concurrent use.
/// </summary>
public sealed class PatriciaTrie
{
    // One node for each length there is.
    private const int MaxPath = 129;
    private readonly IpFamily _family;
    private readonly TrieChunks<Node> _nodes = new();
    private readonly TrieChunks<Rest>? _rests;
    private int _root;
    private int _free;
    private int _used = 1;
    private int _nodeCount;

    /// <summary>An empty trie.</summary>
    /// <param name="family">The only family it will take.</param>
    public PatriciaTrie(IpFamily family)
    {
        _family = family;
        _rests = family == IpFamily.IPv6 ? new() : null;
    }

    /// <summary>Prefixes held.</summary>
    public int Count { get; private set; }

    /// <summary>Nodes in use, branch points included.</summary>
    public int NodeCount => _nodeCount;

    /// <summary>Bytes of the node arrays, free nodes included.</summary>
    public long MemoryBytes => _nodes.MemoryBytes + (_rests?.MemoryBytes ?? 0);

    /// <summary>Adds a prefix unless it is there.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="value">What to keep for it, above 0.</param>
    /// <param name="existing">The value it already has, or 0.</param>
    /// <param name="cover">The value of the longest other prefix that contains it, or 0.</param>
    /// <returns>True if added, false if it was there and stays as it was.</returns>
    public bool TryInsert(IpPrefix prefix, uint value, out uint existing, out uint cover) =>
        TryInsert(prefix, value, out existing, out cover, out _);

    /// <summary>The same, telling the node for <see cref="SetValue"/>.</summary>
    internal bool TryInsert(IpPrefix prefix, uint value, out uint existing, out uint cover, out int node)
    {
        Check(prefix);
        ArgumentOutOfRangeException.ThrowIfZero(value);
        Span<int> path = stackalloc int[MaxPath];
        int passed = Descend(prefix.Address, prefix.Length, path, out int holding, out int common);
        int parent = holding > 0 ? path[holding - 1] : 0;
        existing = 0;
        if (parent != 0 && _nodes[parent].Length == prefix.Length)
        {
            node = parent;
            existing = _nodes[node].Value;
            cover = existing != 0 ? 0 : CoverOf(path[..(holding - 1)]);
            if (existing != 0)
            {
                return false;
            }

            // A branch point becomes a prefix.
            _nodes[node].Value = value;
            Count++;
            return true;
        }

        cover = CoverOf(path[..holding]);
        node = NewNode(prefix, value);
        int top = node;
        if (holding < passed)
        {
            if (common < prefix.Length)
            {
                top = NewNode(IpPrefix.Create(prefix.Address, common), 0);
                Link(top, prefix.Address, node);
            }

            Link(top, KeyOf(path[holding]), path[holding]);
        }

        Link(parent, prefix.Address, top);
        Count++;
        return true;
    }

    /// <summary>Changes the value of a node that was just told, before any other change.</summary>
    internal void SetValue(int node, uint value) => _nodes[node].Value = value;

    /// <summary>Removes a prefix.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="value">The value it had, or 0.</param>
    /// <param name="cover">The value of the longest other prefix that contains it, or 0.</param>
    /// <returns>False if it was not there.</returns>
    public bool TryRemove(IpPrefix prefix, out uint value, out uint cover)
    {
        Check(prefix);
        Span<int> path = stackalloc int[MaxPath];
        Descend(prefix.Address, prefix.Length, path, out int holding, out _);
        int at = holding > 0 ? path[holding - 1] : 0;
        value = at != 0 && _nodes[at].Length == prefix.Length ? _nodes[at].Value : 0;
        cover = 0;
        if (value == 0)
        {
            return false;
        }

        cover = CoverOf(path[..(holding - 1)]);
        Count--;
        ref Node node = ref _nodes[at];
        node.Value = 0;
        if (node.Left != 0 && node.Right != 0)
        {
            return true;
        }

        int child = node.Left | node.Right;
        int parent = holding > 1 ? path[holding - 2] : 0;
        Link(parent, prefix.Address, child);
        FreeNode(at);
        if (child == 0 && parent != 0 && _nodes[parent].Value == 0)
        {
            // The parent was a branch point and has one branch left.
            Link(holding > 2 ? path[holding - 3] : 0, prefix.Address, _nodes[parent].Left | _nodes[parent].Right);
            FreeNode(parent);
        }

        return true;
    }

    /// <summary>The value of exactly this prefix.</summary>
    public bool TryGet(IpPrefix prefix, out uint value)
    {
        Check(prefix);
        Span<int> path = stackalloc int[MaxPath];
        Descend(prefix.Address, prefix.Length, path, out int holding, out _);
        int at = holding > 0 ? path[holding - 1] : 0;
        value = at != 0 && _nodes[at].Length == prefix.Length ? _nodes[at].Value : 0;
        return value != 0;
    }

    /// <summary>The longest prefix that contains the address.</summary>
    public bool TryLongestMatch(IpAddr address, out IpPrefix prefix, out uint value)
    {
        CheckFamily(address.Family);
        Span<int> path = stackalloc int[MaxPath];
        Descend(address, address.BitLength, path, out int holding, out _);
        while (holding > 0)
        {
            ref readonly Node node = ref _nodes[path[--holding]];
            if (node.Value != 0)
            {
                prefix = IpPrefix.Create(address, node.Length);
                value = node.Value;
                return true;
            }
        }

        prefix = default;
        value = 0;
        return false;
    }

    /// <summary>Writes the prefixes that contain this one, itself included if held, shortest first.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="destination">Room for the result; 129 entries are always enough.</param>
    /// <returns>How many were written.</returns>
    public int CopyCovering(IpPrefix prefix, Span<PrefixEntry> destination)
    {
        Check(prefix);
        Span<int> path = stackalloc int[MaxPath];
        Descend(prefix.Address, prefix.Length, path, out int holding, out _);
        int written = 0;
        for (int i = 0; i < holding && written < destination.Length; i++)
        {
            ref readonly Node node = ref _nodes[path[i]];
            if (node.Value != 0)
            {
                destination[written++] = new(IpPrefix.Create(prefix.Address, node.Length), node.Value);
            }
        }

        return written;
    }

    /// <summary>Writes prefixes in order, starting at or after a given one, so that a walk can be done in parts.</summary>
    /// <param name="from">Where to start; it need not be held.</param>
    /// <param name="inclusive">Whether <paramref name="from"/> itself, if held, is part of the result.</param>
    /// <param name="within">Where to end: only prefixes inside this one, in which <paramref name="from"/> must lie.</param>
    /// <param name="destination">Room for the result.</param>
    /// <returns>How many were written; fewer than the room given means that the walk is at its end.</returns>
    public int CopyOrdered(IpPrefix from, bool inclusive, IpPrefix within, Span<PrefixEntry> destination)
    {
        Check(from);
        Span<int> pending = stackalloc int[MaxPath + 1];
        int top = Seek(from, inclusive, pending);
        int written = 0;
        while (top > 0 && written < destination.Length)
        {
            int at = pending[--top];
            ref readonly Node node = ref _nodes[at];
            IpPrefix prefix = PrefixAt(at);
            if (!within.Contains(prefix))
            {
                break;
            }

            if (node.Value != 0)
            {
                destination[written++] = new(prefix, node.Value);
            }

            top = Push(pending, top, node.Right);
            top = Push(pending, top, node.Left);
        }

        return written;
    }

    /// <summary>All entries in order. The trie must not change meanwhile.</summary>
    public IEnumerable<PrefixEntry> Walk() => Walk(Everything());

    /// <summary>The prefixes inside this one, itself included if held, in order. The trie must not change meanwhile.</summary>
    public IEnumerable<PrefixEntry> Walk(IpPrefix within)
    {
        Check(within);
        PrefixEntry[] part = new PrefixEntry[128];
        int got = CopyOrdered(within, inclusive: true, within, part);
        while (got > 0)
        {
            for (int i = 0; i < got; i++)
            {
                yield return part[i];
            }

            got = got < part.Length ? 0 : CopyOrdered(part[got - 1].Prefix, inclusive: false, within, part);
        }
    }

    private IpPrefix Everything() => IpPrefix.Create(IpAddr.FromBits(_family, 0, 0), 0);

    private static int Push(Span<int> pending, int top, int at)
    {
        if (at != 0)
        {
            pending[top++] = at;
        }

        return top;
    }

    // Fills the stack of a pre-order walk so that what it yields are the nodes after the given prefix.
    private int Seek(IpPrefix from, bool inclusive, Span<int> pending)
    {
        Span<int> path = stackalloc int[MaxPath];
        int passed = Descend(from.Address, from.Length, path, out int holding, out int common);
        int top = 0;
        for (int i = 0; i < holding; i++)
        {
            ref readonly Node node = ref _nodes[path[i]];
            if (node.Length == from.Length)
            {
                if (inclusive)
                {
                    return Push(pending, top, path[i]);
                }

                top = Push(pending, top, node.Right);
                return Push(pending, top, node.Left);
            }

            if (!from.Address.Bit(node.Length))
            {
                top = Push(pending, top, node.Right);
            }
        }

        // The next node does not hold the prefix: it lies inside, or on one side.
        bool after = holding < passed && (common == from.Length || !from.Address.Bit(common));
        return after ? Push(pending, top, path[holding]) : top;
    }

    // Goes down by the key's bits to the first node that is not shorter than the length, or to the end, and notes the nodes passed.
    // The first `holding` of them contain the key; `common` bits of the key, at most the length, agree with those of the last.
    private int Descend(IpAddr key, int length, Span<int> path, out int holding, out int common)
    {
        int passed = 0;
        int at = _root;
        int last = 0;
        while (at != 0)
        {
            path[passed++] = at;
            ref readonly Node node = ref _nodes[at];
            last = node.Length;
            at = last >= length ? 0 : key.Bit(last) ? node.Right : node.Left;
        }

        common = 0;
        holding = passed;
        if (passed > 0)
        {
            common = Math.Min(CommonLength(KeyOf(path[passed - 1]), key), Math.Min(last, length));
            while (holding > 0 && _nodes[path[holding - 1]].Length > common)
            {
                holding--;
            }
        }

        return passed;
    }

    // The value of the last node that has one.
    private uint CoverOf(ReadOnlySpan<int> path)
    {
        uint cover = 0;
        for (int i = path.Length - 1; i >= 0 && cover == 0; i--)
        {
            cover = _nodes[path[i]].Value;
        }

        return cover;
    }

    // Makes the child the branch of its parent that the key takes; parent 0 is the root's own link.
    private void Link(int parent, IpAddr key, int child)
    {
        if (parent == 0)
        {
            _root = child;
            return;
        }

        ref Node node = ref _nodes[parent];
        if (key.Bit(node.Length))
        {
            node.Right = child;
        }
        else
        {
            node.Left = child;
        }
    }

    private static int CommonLength(IpAddr a, IpAddr b)
    {
        int common = BitOperations.LeadingZeroCount(a.High ^ b.High);
        return common < 64 ? common : 64 + BitOperations.LeadingZeroCount(a.Low ^ b.Low);
    }

    private IpAddr KeyOf(int at)
    {
        uint first = _nodes[at].First;
        if (_rests is null)
        {
            return IpAddr.FromIPv4(first);
        }

        ref readonly Rest rest = ref _rests[at];
        return IpAddr.FromIPv6(((ulong)first << 32) | rest.Second, ((ulong)rest.Third << 32) | rest.Fourth);
    }

    private IpPrefix PrefixAt(int at) => IpPrefix.Create(KeyOf(at), _nodes[at].Length);

    private int NewNode(IpPrefix prefix, uint value)
    {
        int at = _free;
        if (at != 0)
        {
            _free = _nodes[at].Left;
        }
        else
        {
            if (_used > Node.MaxIndex)
            {
                throw new InvalidOperationException("The trie is full.");
            }

            _nodes.MakeRoom(_used);
            _rests?.MakeRoom(_used);
            at = _used++;
        }

        IpAddr key = prefix.Address;
        _nodes[at] = new Node((uint)(key.High >> 32), prefix.Length, value);
        if (_rests is not null)
        {
            _rests[at] = new Rest { Second = (uint)key.High, Third = (uint)(key.Low >> 32), Fourth = (uint)key.Low };
        }

        _nodeCount++;
        return at;
    }

    private void FreeNode(int at)
    {
        _nodes[at] = new Node { Left = _free };
        _free = at;
        _nodeCount--;
    }

    private void Check(IpPrefix prefix) => CheckFamily(prefix.Family);

    private void CheckFamily(IpFamily family)
    {
        if (family != _family)
        {
            throw new ArgumentException($"A trie of {_family} does not take {family}.");
        }
    }

    // The length lies in the upper bits of the two links, four in each.
    private struct Node(uint first, int length, uint value)
    {
        public const int MaxIndex = (1 << IndexBits) - 1;
        private const int IndexBits = 28;
        private uint _left = (uint)length >> 4 << IndexBits;
        private uint _right = (uint)length << IndexBits;

        public readonly uint First = first;

        public uint Value = value;

        public int Left
        {
            readonly get => (int)(_left & MaxIndex);
            set => _left = (_left & ~(uint)MaxIndex) | (uint)value;
        }

        public int Right
        {
            readonly get => (int)(_right & MaxIndex);
            set => _right = (_right & ~(uint)MaxIndex) | (uint)value;
        }

        public readonly int Length => (int)((_left >> IndexBits << 4) | (_right >> IndexBits));
    }

    private struct Rest
    {
        public uint Second;
        public uint Third;
        public uint Fourth;
    }
}
