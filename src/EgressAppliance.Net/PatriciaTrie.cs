using System.Numerics;
using System.Runtime.CompilerServices;

namespace EgressAppliance.Net;

// A path-compressed binary trie of the prefixes of one family. A point of it stands either for a prefix that is held, or for the place
// where two of them part and is then always followed by two others. Every other chain of single children is skipped, so n prefixes
// make at most 2n - 1 points, whatever their length.
//
// About half of the points have nothing below them. These leaves take no memory here at all: the link that leads to one is the id of its
// prefix, marked by the upper bit. All other points are nodes, structs of 12 bytes in arrays of fixed size that name each other by
// number, 0 being none: two links, and in one word the length and the id of the prefix held, 0 for a point where others part. A full
// Internet table is some sixty arrays for the garbage collector, not a million objects, and growing copies nothing. A node always has
// something below it: a leaf that gets something below becomes a node, and one that loses the last becomes a leaf again. Freed nodes
// are chained through Left, and all are given back when the trie is empty.
//
// No key is kept here either. What the prefix of an id is, PrefixIds knows, in one word of 64 bits for nearly all of them.
//
// Every operation goes down the same way: only by the bits at which nodes branch, without a look at those skipped, noting the points
// passed. Then the key is compared once, with a prefix at or below the last of them: since each point lies inside those above it, the ones
// that contain the key are exactly those passed which are no longer than the bits that agree. So a step costs one node, and a key one
// word. Only where the last point holds no prefix itself the way goes on down to one that does: when a prefix is looked for that is not
// held but lies above others that are.
//
// The nodes passed by the call before are remembered as far as it left them there, and the next one starts where its way parts from that: changes come
// sorted (a table that is loaded, one that is purged), so most of them go only the last few steps.
//
// Order of walking is pre-order, which is the order of IpPrefix.CompareTo: by address, and a cover before what it covers.
// Insert and remove tell the id of the longest proper cover, found on the way down for nothing: it is all that the compiled
// lookup table needs to know from the trie to follow the change.

/// <summary>
/// A path-compressed binary trie from the prefixes of one family to their ids: exact and longest match, covering and covered
/// prefixes, ordered walk, insert and remove. Not safe for concurrent use, of the ids it is given neither.
/// </summary>
/// <remarks>Locals are not cleared: of the arrays on the stack only places are read that were written before.</remarks>
[SkipLocalsInit]
internal sealed partial class PatriciaTrie
{
    // One point for each length there is.
    private const int MaxPath = 129;

    // Marks a link that is the id of a leaf and not the number of a node.
    private const uint Leaf = 1u << 31;
    private readonly IpFamily _family;
    private readonly PrefixIds _ids;
    private readonly TrieChunks<Node> _nodes = new();
    private readonly uint[] _last = new uint[MaxPath];
    private IpAddr _lastKey;
    private int _lastNodes;
    private uint _root;
    private uint _free;
    private int _used = 1;
    private int _partings;

    /// <summary>An empty trie.</summary>
    /// <param name="family">The only family it will take.</param>
    /// <param name="ids">Gives ids to the prefixes that are inserted, and tells which prefix an id has. Tries may share it.</param>
    public PatriciaTrie(IpFamily family, PrefixIds ids)
    {
        _family = family;
        _ids = ids;
    }

    /// <summary>Prefixes held.</summary>
    public int Count { get; private set; }

    /// <summary>Points of the trie: the prefixes and the places where they part.</summary>
    public int PointCount => Count + _partings;

    /// <summary>Points with something below them: the nodes in use.</summary>
    public int NodeCount { get; private set; }

    /// <summary>Bytes of the node arrays, free nodes included.</summary>
    public long MemoryBytes => _nodes.MemoryBytes;

    /// <summary>Adds a prefix unless it is there.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="id">The id it has now, or has had already.</param>
    /// <param name="cover">If added, the id of the longest other prefix that contains it, or 0.</param>
    /// <returns>True if added, false if it was there and stays as it was.</returns>
    /// <exception cref="InvalidOperationException">There are no more ids (<see cref="PrefixIds.Take"/>); nothing was changed.</exception>
    public bool TryInsert(IpPrefix prefix, out uint id, out uint cover)
    {
        Check(prefix);
        Way way = SeekFromLast(prefix);
        int holding = way.Holding;
        if (holding > 0 && LengthAt(way, holding - 1) == prefix.Length)
        {
            uint at = way.Links[holding - 1];
            id = IdOf(at);
            cover = id != 0 ? 0 : CoverOf(way.Links[..(holding - 1)]);
            if (id != 0)
            {
                return false;
            }

            // A place where others part becomes a prefix.
            id = _ids.Take(prefix);
            NodeAt(at).Id = id;
            _partings--;
            Count++;
            return true;
        }

        // What can fail for want of memory or ids comes before the first change.
        MakeRoom(way);
        cover = CoverOf(way.Links[..holding]);
        id = _ids.Take(prefix);
        Attach(prefix, id, way);
        _lastNodes = holding;
        Count++;
        return true;
    }

    /// <summary>Removes a prefix. Its id is not released.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="id">The id it had, or 0.</param>
    /// <param name="cover">If removed, the id of the longest other prefix that contains it, or 0.</param>
    /// <returns>False if it was not there.</returns>
    public bool TryRemove(IpPrefix prefix, out uint id, out uint cover)
    {
        Check(prefix);
        Way way = SeekFromLast(prefix);
        cover = 0;
        id = IdOfExactly(prefix, way);
        if (id == 0)
        {
            return false;
        }

        int at = way.Holding - 1;
        cover = CoverOf(way.Links[..at]);
        _lastNodes = Math.Max(0, Math.Min(_lastNodes, at - 1));
        Count--;
        uint link = way.Links[at];
        if (!IsLeaf(link))
        {
            ref Node node = ref NodeAt(link);
            if (node.Left != 0 && node.Right != 0)
            {
                node.Id = 0;
                _partings++;
                return true;
            }

            LinkTo(way.Links, at, prefix.Address) = node.Left | node.Right;
            FreeNode(link);
            return true;
        }

        LinkTo(way.Links, at, prefix.Address) = 0;
        if (at > 0)
        {
            ShrinkAbove(way.Links, at - 1, prefix.Address);
        }

        if (Count == 0)
        {
            Reset();
        }

        return true;
    }

    /// <summary>The id of exactly this prefix.</summary>
    public bool TryGet(IpPrefix prefix, out uint id)
    {
        Check(prefix);
        Way way = SeekFromLast(prefix);
        id = IdOfExactly(prefix, way);
        return id != 0;
    }

    /// <summary>The longest prefix that contains the address.</summary>
    public bool TryLongestMatch(IpAddr address, out IpPrefix prefix, out uint id)
    {
        CheckFamily(address.Family);
        Way way = new(stackalloc uint[MaxPath]);
        Descend(address, address.BitLength, ref way);
        for (int i = way.Holding - 1; i >= 0; i--)
        {
            id = IdOf(way.Links[i]);
            if (id != 0)
            {
                prefix = IpPrefix.Create(address, LengthAt(way, i));
                return true;
            }
        }

        prefix = default;
        id = 0;
        return false;
    }

    /// <summary>Writes the prefixes that contain this one, itself included if held, shortest first.</summary>
    /// <param name="prefix">A prefix of this trie's family.</param>
    /// <param name="destination">Room for the result; 129 entries are always enough.</param>
    /// <returns>How many were written.</returns>
    public int CopyCovering(IpPrefix prefix, Span<PrefixEntry> destination)
    {
        Check(prefix);
        Way way = new(stackalloc uint[MaxPath]);
        Descend(prefix.Address, prefix.Length, ref way);
        int written = 0;
        for (int i = 0; i < way.Holding && written < destination.Length; i++)
        {
            uint id = IdOf(way.Links[i]);
            if (id != 0)
            {
                destination[written++] = new(IpPrefix.Create(prefix.Address, LengthAt(way, i)), id);
            }
        }

        return written;
    }

    // Starts where the way parts from that of the call before: below a node shorter than what both keys have in common, both take the same branch.
    private Way SeekFromLast(IpPrefix prefix)
    {
        Way way = new(_last);
        int common = Math.Min(CommonLength(_lastKey, prefix.Address), prefix.Length);
        int from = _lastNodes;
        while (from > 0 && NodeAt(_last[from - 1]).Length >= common)
        {
            from--;
        }

        Descend(prefix.Address, prefix.Length, ref way, from);
        _lastKey = prefix.Address;
        _lastNodes = way.Passed > 0 && IsLeaf(_last[way.Passed - 1]) ? way.Passed - 1 : way.Passed;
        return way;
    }

    // Goes down by the key's bits to the first point that is a leaf or not shorter than the length, or to the end. As many points of the way as said
    // are there already, and are nodes shorter than the length.
    private void Descend(IpAddr key, int length, ref Way way, int from = 0)
    {
        Span<uint> links = way.Links;
        int passed = from;
        int last = 0;
        uint link = _root;
        if (from > 0)
        {
            ref readonly Node start = ref NodeAt(links[from - 1]);
            last = start.Length;
            link = key.Bit(last) ? start.Right : start.Left;
        }

        while (link != 0)
        {
            links[passed++] = link;
            if (IsLeaf(link))
            {
                break;
            }

            ref readonly Node node = ref NodeAt(link);
            last = node.Length;
            link = last >= length ? 0 : key.Bit(last) ? node.Right : node.Left;
        }

        if (passed == 0)
        {
            return;
        }

        uint end = links[passed - 1];
        IpPrefix witness = _ids.PrefixOf(IdAtOrBelow(end));
        way.Witness = witness.Address;
        way.LastLength = IsLeaf(end) ? witness.Length : last;
        way.Common = Math.Min(CommonLength(witness.Address, key), Math.Min(way.LastLength, length));
        way.Passed = passed;
        way.Holding = passed;
        while (way.Holding > 0 && LengthAt(way, way.Holding - 1) > way.Common)
        {
            way.Holding--;
        }
    }

    // Hangs a new leaf or node in at the end of the way that led to its place.
    private void Attach(IpPrefix prefix, uint id, in Way way)
    {
        int holding = way.Holding;
        uint top = Leaf | id;
        if (holding < way.Passed)
        {
            // What does not hold the prefix comes to stand below it, or beside it.
            uint other = way.Links[holding];
            if (way.Common == prefix.Length)
            {
                top = way.Witness.Bit(prefix.Length) ? NewNode(prefix.Length, id, 0, other) : NewNode(prefix.Length, id, other, 0);
            }
            else
            {
                top = prefix.Address.Bit(way.Common) ? NewNode(way.Common, 0, other, top) : NewNode(way.Common, 0, top, other);
                _partings++;
            }
        }
        else if (holding > 0 && IsLeaf(way.Links[holding - 1]))
        {
            uint node = NewNode(way.LastLength, IdOf(way.Links[holding - 1]), 0, 0);
            LinkTo(way.Links, holding - 1, prefix.Address) = node;
            way.Links[holding - 1] = node;
        }

        LinkTo(way.Links, holding, prefix.Address) = top;
    }

    // The node at this place of the way has lost a leaf below. One that has nothing below it left becomes a leaf, and a place where
    // two parted the one that is left.
    private void ShrinkAbove(ReadOnlySpan<uint> links, int at, IpAddr key)
    {
        uint link = links[at];
        ref readonly Node node = ref NodeAt(link);
        uint left = node.Left | node.Right;
        if (node.Id != 0 && left != 0)
        {
            return;
        }

        _partings -= node.Id == 0 ? 1 : 0;
        LinkTo(links, at, key) = node.Id != 0 ? Leaf | node.Id : left;
        FreeNode(link);
    }

    private uint IdOfExactly(IpPrefix prefix, in Way way)
    {
        int at = way.Holding - 1;
        return at >= 0 && LengthAt(way, at) == prefix.Length ? IdOf(way.Links[at]) : 0;
    }

    // The id of the last point that has one.
    private uint CoverOf(ReadOnlySpan<uint> links)
    {
        uint cover = 0;
        for (int i = links.Length - 1; i >= 0 && cover == 0; i--)
        {
            cover = IdOf(links[i]);
        }

        return cover;
    }

    private static bool IsLeaf(uint link) => link >= Leaf;

    private ref Node NodeAt(uint link) => ref _nodes[(int)link];

    // 0 at a place where prefixes part.
    private uint IdOf(uint link) => IsLeaf(link) ? link & ~Leaf : NodeAt(link).Id;

    private uint IdAtOrBelow(uint link)
    {
        uint id = IdOf(link);
        while (id == 0)
        {
            link = NodeAt(link).Left;
            id = IdOf(link);
        }

        return id;
    }

    // Only the last point passed can be a leaf.
    private int LengthAt(in Way way, int at) => at == way.Passed - 1 ? way.LastLength : NodeAt(way.Links[at]).Length;

    // The link that leads, on the way of the key, to the point at this place.
    private ref uint LinkTo(ReadOnlySpan<uint> links, int at, IpAddr key)
    {
        if (at == 0)
        {
            return ref _root;
        }

        ref Node node = ref NodeAt(links[at - 1]);
        return ref key.Bit(node.Length) ? ref node.Right : ref node.Left;
    }

    private static int CommonLength(IpAddr a, IpAddr b)
    {
        int common = BitOperations.LeadingZeroCount(a.High ^ b.High);
        return common < 64 ? common : 64 + BitOperations.LeadingZeroCount(a.Low ^ b.Low);
    }

    // An insertion needs at most one node: where it is not below a node that has no other on this side.
    private void MakeRoom(in Way way)
    {
        bool needed = way.Holding < way.Passed || (way.Holding > 0 && IsLeaf(way.Links[way.Holding - 1]));
        if (needed && _free == 0)
        {
            _nodes.MakeRoom(_used);
        }
    }

    private uint NewNode(int length, uint id, uint left, uint right)
    {
        uint at = _free;
        if (at != 0)
        {
            _free = NodeAt(at).Left;
        }
        else
        {
            at = (uint)_used++;
        }

        NodeCount++;
        NodeAt(at) = new Node(length, id) { Left = left, Right = right };
        return at;
    }

    private void FreeNode(uint at)
    {
        NodeAt(at) = new Node { Left = _free };
        _free = at;
        NodeCount--;
    }

    private void Reset()
    {
        if (_used > TrieChunks<Node>.Size)
        {
            _nodes.Clear();
        }

        _used = 1;
        _free = 0;
        _lastNodes = 0;
    }

    private void Check(IpPrefix prefix) => CheckFamily(prefix.Family);

    private void CheckFamily(IpFamily family)
    {
        if (family != _family)
        {
            throw new ArgumentException($"A trie of {_family} does not take {family}.");
        }
    }

    // What going down tells. The first `Holding` of the points passed contain the key; `Common` bits of the key, at most its length, agree
    // with those of the last, for which `Witness` stands: an address inside it.
    private ref struct Way(Span<uint> links)
    {
        public readonly Span<uint> Links = links;
        public int Passed;
        public int Holding;
        public int Common;
        public int LastLength;
        public IpAddr Witness;
    }

    private struct Node(int length, uint id)
    {
        private uint _own = ((uint)length << PrefixIds.Bits) | id;

        public uint Left;
        public uint Right;

        public uint Id
        {
            readonly get => _own & PrefixIds.MaxId;
            set => _own = (_own & ~PrefixIds.MaxId) | value;
        }

        public readonly int Length => (int)(_own >> PrefixIds.Bits);
    }
}
