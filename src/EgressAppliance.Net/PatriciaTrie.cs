using System.Numerics;

namespace EgressAppliance.Net;

// A path-compressed binary trie of the prefixes of one family. A node stands either for a prefix that is held (value above 0)
// or for the point where two of them part (value 0, always with two children). Every other chain of single children is skipped,
// so n prefixes need at most 2n - 1 nodes, whatever their length.
//
// Nodes are structs in one array and name each other by index, 0 being none: a full Internet table is two arrays for the garbage
// collector, not two million objects. Freed nodes are chained through Left. A node is 24 bytes: bits beyond the 64th, which only
// IPv6 prefixes longer than /64 have, lie in an array of their own that IPv4 never allocates and a walk seldom touches.
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
    private const int MaxDepth = 129;
    private const int InitialNodes = 64;
    private readonly IpFamily _family;
    private Node[] _nodes = new Node[InitialNodes];
    private ulong[] _low;
    private int _root;
    private int _free;
    private int _used = 1;
    private int _nodeCount;

    /// <summary>An empty trie.</summary>
    /// <param name="family">The only family it will take.</param>
    public PatriciaTrie(IpFamily family)
    {
        _family = family;
        _low = family == IpFamily.IPv6 ? new ulong[InitialNodes] : [];
    }

    /// <summary>Prefixes held.</summary>
    public int Count { get; private set; }

    /// <summary>Nodes in use, branch points included.</summary>
    public int NodeCount => _nodeCount;

    /// <summary>Bytes of the node arrays, free nodes included.</summary>
    public long MemoryBytes => ((long)_nodes.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<Node>()) + ((long)_low.Length * sizeof(ulong));

    /// <summary>Adds a prefix unless it is there.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="value">What to keep for it, above 0.</param>
    /// <param name="existing">The value it already has, or 0.</param>
    /// <param name="cover">The value of the longest other prefix that contains it, or 0.</param>
    /// <returns>True if added, false if it was there and stays as it was.</returns>
    public bool TryInsert(IpPrefix prefix, uint value, out uint existing, out uint cover)
    {
        Check(prefix);
        ArgumentOutOfRangeException.ThrowIfZero(value);
        IpAddr key = prefix.Address;
        int length = prefix.Length;
        existing = cover = 0;
        int parent = 0;
        int at = _root;
        while (at != 0)
        {
            Node node = _nodes[at];
            int common = CommonLength(at, node, key, length);
            if (common < node.Length)
            {
                return InsertAbove(parent, at, common, prefix, value);
            }

            if (node.Length == length)
            {
                existing = node.Value;
                if (existing == 0)
                {
                    _nodes[at].Value = value;
                    Count++;
                }

                return existing == 0;
            }

            cover = node.Value != 0 ? node.Value : cover;
            parent = at;
            at = key.Bit(node.Length) ? node.Right : node.Left;
        }

        Link(parent, key, NewNode(key, length, value));
        Count++;
        return true;
    }

    /// <summary>Removes a prefix.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="value">The value it had, or 0.</param>
    /// <param name="cover">The value of the longest other prefix that contains it, or 0.</param>
    /// <returns>False if it was not there.</returns>
    public bool TryRemove(IpPrefix prefix, out uint value, out uint cover)
    {
        Check(prefix);
        IpAddr key = prefix.Address;
        value = cover = 0;
        int grandparent = 0;
        int parent = 0;
        int at = _root;
        while (at != 0 && _nodes[at].Length < prefix.Length && Holds(at, key))
        {
            ref readonly Node node = ref _nodes[at];
            cover = node.Value != 0 ? node.Value : cover;
            grandparent = parent;
            parent = at;
            at = key.Bit(node.Length) ? node.Right : node.Left;
        }

        if (at == 0 || _nodes[at].Length != prefix.Length || _nodes[at].Value == 0 || !Holds(at, key))
        {
            cover = 0;
            return false;
        }

        value = _nodes[at].Value;
        _nodes[at].Value = 0;
        Count--;
        if (_nodes[at].Left != 0 && _nodes[at].Right != 0)
        {
            return true;
        }

        int child = _nodes[at].Left | _nodes[at].Right;
        Link(parent, key, child);
        FreeNode(at);
        if (child == 0 && parent != 0 && _nodes[parent].Value == 0)
        {
            // The parent was a branch point and has one branch left.
            Link(grandparent, key, _nodes[parent].Left | _nodes[parent].Right);
            FreeNode(parent);
        }

        return true;
    }

    /// <summary>The value of exactly this prefix.</summary>
    public bool TryGet(IpPrefix prefix, out uint value)
    {
        Check(prefix);
        IpAddr key = prefix.Address;
        int at = _root;
        while (at != 0 && _nodes[at].Length < prefix.Length)
        {
            ref readonly Node node = ref _nodes[at];
            at = key.Bit(node.Length) ? node.Right : node.Left;
        }

        // Bits skipped on the way down are compared here, once.
        value = at != 0 && _nodes[at].Length == prefix.Length && Holds(at, key) ? _nodes[at].Value : 0;
        return value != 0;
    }

    /// <summary>The longest prefix that contains the address.</summary>
    public bool TryLongestMatch(IpAddr address, out IpPrefix prefix, out uint value)
    {
        CheckFamily(address.Family);
        prefix = default;
        value = 0;
        int best = 0;
        int at = _root;
        while (at != 0 && Holds(at, address))
        {
            ref readonly Node node = ref _nodes[at];
            best = node.Value != 0 ? at : best;
            at = node.Length == address.BitLength ? 0 : address.Bit(node.Length) ? node.Right : node.Left;
        }

        if (best == 0)
        {
            return false;
        }

        prefix = IpPrefix.Create(address, _nodes[best].Length);
        value = _nodes[best].Value;
        return true;
    }

    /// <summary>Writes the prefixes that contain this one, itself included if held, shortest first.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="destination">Room for the result; 129 entries are always enough.</param>
    /// <returns>How many were written.</returns>
    public int CopyCovering(IpPrefix prefix, Span<PrefixEntry> destination)
    {
        Check(prefix);
        int written = 0;
        int at = _root;
        while (at != 0 && written < destination.Length && _nodes[at].Length <= prefix.Length && Holds(at, prefix.Address))
        {
            ref readonly Node node = ref _nodes[at];
            if (node.Value != 0)
            {
                destination[written++] = new(IpPrefix.Create(prefix.Address, node.Length), node.Value);
            }

            at = node.Length == prefix.Length ? 0 : prefix.Address.Bit(node.Length) ? node.Right : node.Left;
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
        Span<int> pending = stackalloc int[MaxDepth + 1];
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
        int top = 0;
        int at = _root;
        while (at != 0)
        {
            Node node = _nodes[at];
            int common = CommonLength(at, node, from.Address, from.Length);
            if (common == from.Length)
            {
                if (node.Length > from.Length || inclusive)
                {
                    return Push(pending, top, at);
                }

                top = Push(pending, top, node.Right);
                return Push(pending, top, node.Left);
            }

            bool right = from.Address.Bit(common);
            if (common < node.Length)
            {
                return right ? top : Push(pending, top, at);
            }

            if (!right)
            {
                top = Push(pending, top, node.Right);
            }

            at = right ? node.Right : node.Left;
        }

        return top;
    }

    private bool InsertAbove(int parent, int below, int common, IpPrefix prefix, uint value)
    {
        IpAddr key = prefix.Address;
        int added = NewNode(key, prefix.Length, value);
        int top = added;
        if (common < prefix.Length)
        {
            top = NewNode(IpPrefix.Mask(key, common), common, 0);
            Link(top, key, added);
        }

        Link(top, PrefixAt(below).Address, below);
        Link(parent, key, top);
        Count++;
        return true;
    }

    // Makes the child the branch of its parent that the key takes; parent 0 is the root's own link.
    private void Link(int parent, IpAddr key, int child)
    {
        if (parent == 0)
        {
            _root = child;
        }
        else if (key.Bit(_nodes[parent].Length))
        {
            _nodes[parent].Right = child;
        }
        else
        {
            _nodes[parent].Left = child;
        }
    }

    private int CommonLength(int at, in Node node, IpAddr key, int length)
    {
        int limit = Math.Min(node.Length, length);
        int common = BitOperations.LeadingZeroCount(node.High ^ key.High);
        if (common == 64 && limit > 64)
        {
            common += BitOperations.LeadingZeroCount(_low[at] ^ key.Low);
        }

        return Math.Min(common, limit);
    }

    private bool Holds(int at, IpAddr address)
    {
        ref readonly Node node = ref _nodes[at];
        return CommonLength(at, node, address, node.Length) == node.Length;
    }

    private IpPrefix PrefixAt(int at)
    {
        ref readonly Node node = ref _nodes[at];
        return IpPrefix.Create(IpAddr.FromBits(_family, node.High, _family == IpFamily.IPv6 ? _low[at] : 0), node.Length);
    }

    private int NewNode(IpAddr key, int length, uint value)
    {
        int at = _free;
        if (at != 0)
        {
            _free = _nodes[at].Left;
        }
        else
        {
            if (_used == _nodes.Length)
            {
                Array.Resize(ref _nodes, 2 * _used);
                if (_family == IpFamily.IPv6)
                {
                    Array.Resize(ref _low, 2 * _used);
                }
            }

            at = _used++;
        }

        _nodes[at] = new Node { High = key.High, Value = value, Length = (byte)length };
        if (_family == IpFamily.IPv6)
        {
            _low[at] = key.Low;
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

    private struct Node
    {
        public ulong High;
        public uint Value;
        public int Left;
        public int Right;
        public byte Length;
    }
}
