using System.Numerics;

namespace EgressAppliance.Net.Lpm;

// IPv6: the direct index for the first 24 bits, then nodes of 8 bits each, up to 13 levels: a /32 is found one node below the index,
// a /48 three. Nodes hold runs of equal slots (IPv6Node).
//
// A change rewrites the nodes whose runs it moves and no other. Entries that only change their value are stored in place. A node whose
// runs move is written anew beside the old one, and so is its parent if that needs other runs for it; then one 32-bit store, in the
// first node upwards that keeps its shape or in the index, publishes all of them, and the old ones are retired. So each address goes
// from its old answer to its new one at one store. A node whose slots all have one id is replaced by that id.
//
// Ownership works as in the direct index: within a prefix, the entries with the cover's id are those the cover owns.

/// <summary>The compiled table of IPv6 prefixes.</summary>
internal sealed unsafe class IPv6Lookup : IDisposable
{
    private const int NodeBits = 8;
    private const int Lanes = 16;

    /// <summary>First level.</summary>
    public DirectIndex Index { get; } = new();

    /// <summary>Nodes.</summary>
    public NativeArena Arena { get; } = new();

    /// <summary>The id of one address.</summary>
    public uint Lookup(ulong high, ulong low)
    {
        // Invariant: a 24-bit index into 2^24 entries.
        uint entry = Index.Entries[high >> (64 - DirectIndex.Bits)];
        return (int)entry >= 0 ? entry : LookupInNodes(high, low);
    }

    /// <summary>The ids of many addresses; the spans are equally long.</summary>
    public void Lookup(ReadOnlySpan<ulong> high, ReadOnlySpan<ulong> low, Span<uint> ids)
    {
        // Invariant: each group of lanes lies within the length that all three spans have.
        fixed (ulong* h = high)
        fixed (ulong* l = low)
        fixed (uint* output = ids)
        {
            PrefetchIndex(h, Math.Min(Lanes, ids.Length));
            for (int at = 0; at < ids.Length; at += Lanes)
            {
                int count = Math.Min(Lanes, ids.Length - at);
                PrefetchIndex(h + at + count, Math.Min(Lanes, ids.Length - at - count));
                long sequence;
                do
                {
                    sequence = Arena.Sequence;
                    LookupGroup(h + at, l + at, output + at, count);
                }
                while (!Arena.Unchanged(sequence));
            }
        }
    }

    /// <summary>Gives the addresses of a prefix that its cover owns to the prefix.</summary>
    public void Add(IpPrefix prefix, uint id, uint cover) => Change(prefix, cover, id);

    /// <summary>Gives the addresses that a prefix owns to its cover.</summary>
    public void Remove(IpPrefix prefix, uint id, uint cover) => Change(prefix, id, cover);

    public void Dispose()
    {
        Index.Dispose();
        Arena.Dispose();
    }

    private static byte Slot(ulong high, ulong low, int depth) =>
        (byte)(depth < 64 ? high >> (64 - NodeBits - depth) : low >> (128 - NodeBits - depth));

    private void PrefetchIndex(ulong* high, int count)
    {
        // Invariant: the caller's count addresses are readable.
        for (int i = 0; i < count; i++)
        {
            Prefetch.Line(Index.Entries + (high[i] >> (64 - DirectIndex.Bits)));
        }
    }

    private uint LookupInNodes(ulong high, ulong low)
    {
        while (true)
        {
            long sequence = Arena.Sequence;
            uint entry = Volatile.Read(ref Index.Entries[high >> (64 - DirectIndex.Bits)]);
            for (int depth = DirectIndex.Bits; (int)entry < 0 && depth < 128; depth += NodeBits)
            {
                IPv6Node* node = Node(entry);
                if (node == null)
                {
                    break;
                }

                // Invariant: a node that was given out anew meanwhile still lies in a chunk with a guard behind it.
                entry = *IPv6Node.Find(node, Slot(high, low, depth));
            }

            if (Arena.Unchanged(sequence))
            {
                return entry;
            }
        }
    }

    // All lanes go down together, one level at a time: first every lane asks for its node, then for its entry, so that the misses overlap.
    private void LookupGroup(ulong* high, ulong* low, uint* output, int count)
    {
        // Invariant: at most Lanes lanes are active, and each is below count.
        void** place = stackalloc void*[Lanes];
        byte* lanes = stackalloc byte[Lanes];
        int active = 0;
        for (int lane = 0; lane < count; lane++)
        {
            uint entry = Index.Entries[high[lane] >> (64 - DirectIndex.Bits)];
            output[lane] = entry;
            active = Descend(entry, lane, place, lanes, active);
        }

        for (int depth = DirectIndex.Bits; active > 0 && depth < 128; depth += NodeBits)
        {
            for (int i = 0; i < active; i++)
            {
                int lane = lanes[i];
                place[i] = IPv6Node.Find((IPv6Node*)place[i], Slot(high[lane], low[lane], depth));
                Prefetch.Line(place[i]);
            }

            int asked = active;
            active = 0;
            for (int i = 0; i < asked; i++)
            {
                int lane = lanes[i];
                uint entry = *(uint*)place[i];
                output[lane] = entry;
                active = Descend(entry, lane, place, lanes, active);
            }
        }
    }

    private int Descend(uint entry, int lane, void** place, byte* lanes, int active)
    {
        if ((int)entry < 0)
        {
            // Invariant: active is at most the number of lanes already dealt with in this round.
            void* node = Node(entry);
            if (node != null)
            {
                Prefetch.Line(node);
                place[active] = node;
                lanes[active++] = (byte)lane;
            }
        }

        return active;
    }

    private void Change(IpPrefix prefix, uint from, uint to)
    {
        if (prefix.Length <= DirectIndex.Bits)
        {
            Span<uint> range = Index.Range(prefix.Address.High, prefix.Length);
            range.Replace(from, to);
            int at = 0;
            for (int next; (next = DirectIndex.IndexOfBlock(range[at..])) >= 0; at += next + 1)
            {
                Repaint(range[at + next], from, to);
            }

            return;
        }

        uint index = (uint)(prefix.Address.High >> (64 - DirectIndex.Bits));
        uint old = Index.Entries[index];
        uint changed = ChangeBelow(old, DirectIndex.Bits, prefix, from, to);
        if (changed != old)
        {
            Index.Publish(index, changed);
        }

        Arena.ReclaimIfMany();
    }

    // Makes the change within one slot of the level above and returns the slot's entry, which is the same unless its node moved.
    private uint ChangeBelow(uint entry, int depth, IpPrefix prefix, uint from, uint to)
    {
        byte slot = Slot(prefix.Address.High, prefix.Address.Low, depth);
        bool ends = prefix.Length <= depth + NodeBits;
        uint below = 0;
        if (!ends)
        {
            // Invariant: the writer sees only nodes in use, whose entries are in place.
            uint* place = (int)entry < 0 ? IPv6Node.Find(Node(entry), slot) : &entry;
            uint old = *place;
            below = ChangeBelow(old, depth + NodeBits, prefix, from, to);
            if (below == old)
            {
                return entry;
            }

            if ((int)entry < 0 && (int)below < 0 && (int)old < 0)
            {
                Volatile.Write(ref *place, below);
                return entry;
            }
        }

        int end = ends ? slot + (1 << (depth + NodeBits - prefix.Length)) : slot + 1;
        IPv6Runs runs = default;
        if ((int)entry >= 0)
        {
            Splice(ref runs, 0, IPv6Node.Slots, entry, slot, end, ends ? Repaint(entry, from, to) : below);
        }
        else
        {
            IPv6Node* node = Node(entry);
            uint* values = IPv6Node.Entries(node);
            int count = node->Runs;
            int start = 0;
            for (int run = 0; run < count; run++)
            {
                int next = NextStart(node, start);
                uint value = values[run];
                bool outside = next <= slot || start >= end;
                uint inside = outside ? value : ends ? Repaint(value, from, to) : below;
                Splice(ref runs, start, next, value, slot, end, inside);
                start = next;
            }
        }

        return Replace(entry, runs);
    }

    private uint Replace(uint entry, in IPv6Runs runs)
    {
        IPv6Node* node = (int)entry < 0 ? Node(entry) : null;
        if (node != null && runs.SameShape(node))
        {
            // Invariant: the same shape has the same number of entries.
            uint* values = IPv6Node.Entries(node);
            for (int i = 0; i < runs.Count; i++)
            {
                if (values[i] != runs[i])
                {
                    Volatile.Write(ref values[i], runs[i]);
                }
            }

            return entry;
        }

        uint replacement = runs[0];
        if (runs.Count > 1 || (int)replacement < 0)
        {
            uint unit = Arena.Allocate(IPv6Node.UnitsFor(runs.Count));
            replacement = unit | DirectIndex.BlockFlag;
            runs.WriteTo(Node(replacement));
        }

        if (node != null)
        {
            Arena.Retire(entry & ~DirectIndex.BlockFlag, IPv6Node.UnitsFor(node->Runs));
        }

        return replacement;
    }

    // Appends the run [start, next) with the part of it that lies in [from, end) changed.
    private static void Splice(ref IPv6Runs runs, int start, int next, uint value, int from, int end, uint inside)
    {
        int first = Math.Max(start, from);
        int last = Math.Min(next, end);
        if (first >= last)
        {
            runs.Append(start, value);
            return;
        }

        if (start < first)
        {
            runs.Append(start, value);
        }

        runs.Append(first, inside);
        if (last < next)
        {
            runs.Append(last, value);
        }
    }

    // Changes everything under an entry that lies wholly inside the prefix: values only, so all of it in place.
    private uint Repaint(uint entry, uint from, uint to)
    {
        if ((int)entry >= 0)
        {
            return entry == from ? to : entry;
        }

        // Invariant: the writer sees only nodes in use.
        IPv6Node* node = Node(entry);
        uint* values = IPv6Node.Entries(node);
        int count = node->Runs;
        for (int i = 0; i < count; i++)
        {
            uint changed = Repaint(values[i], from, to);
            if (changed != values[i])
            {
                Volatile.Write(ref values[i], changed);
            }
        }

        return entry;
    }

    private static int NextStart(IPv6Node* node, int start)
    {
        // Invariant: word runs from 0 to 3.
        int from = start + 1;
        for (int word = from >> 6; word < 4; word++)
        {
            ulong left = node->Starts[word] & (word == from >> 6 ? ulong.MaxValue << (from & 63) : ulong.MaxValue);
            if (left != 0)
            {
                return (word << 6) + BitOperations.TrailingZeroCount(left);
            }
        }

        return IPv6Node.Slots;
    }

    private IPv6Node* Node(uint entry) => (IPv6Node*)Arena.Resolve(entry & ~DirectIndex.BlockFlag);
}
