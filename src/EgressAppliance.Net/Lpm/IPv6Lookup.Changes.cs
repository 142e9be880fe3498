using System.Numerics;

namespace EgressAppliance.Net.Lpm;

// A change rewrites the nodes whose runs it moves and no other. Entries that only change their value are stored in place. A node whose
// runs move is written anew beside the old one, and so is its parent if that needs other runs for it; then one 32-bit store, in the
// first node upwards that keeps its shape, in the table or in the index, publishes all of them, and the old ones are retired. So each
// address goes from its old answer to its new one at one store. A node whose slots all have one id is replaced by that id.
internal sealed unsafe partial class IPv6Lookup
{
    private readonly Dictionary<uint, int> _longPrefixes = [];

    /// <summary>Gives the addresses of a prefix that its cover owns to the prefix.</summary>
    public void Add(IpPrefix prefix, uint id, uint cover)
    {
        if (prefix.Length <= IndexBits)
        {
            Repaint(Index.Range(prefix.Address.High, prefix.Length), cover, id, RepaintTable);
            return;
        }

        uint index = (uint)(prefix.Address.High >> (64 - IndexBits));
        uint entry = Index.Entries[index];
        if ((int)entry < 0)
        {
            ChangeTable(entry, prefix, cover, id);
            _longPrefixes[index]++;
            return;
        }

        uint named = Tables.Allocate(TableUnits) | DirectIndex.BlockFlag;
        TableSpan(named).Fill(entry);
        ChangeTable(named, prefix, cover, id);
        _longPrefixes.Add(index, 1);
        Index.Publish(index, named);
    }

    /// <summary>Gives the addresses that a prefix owns to its cover.</summary>
    public void Remove(IpPrefix prefix, uint id, uint cover)
    {
        if (prefix.Length <= IndexBits)
        {
            Repaint(Index.Range(prefix.Address.High, prefix.Length), id, cover, RepaintTable);
            return;
        }

        uint index = (uint)(prefix.Address.High >> (64 - IndexBits));
        uint entry = Index.Entries[index];
        ChangeTable(entry, prefix, id, cover);
        if (--_longPrefixes[index] == 0)
        {
            _longPrefixes.Remove(index);
            Index.Publish(index, TableSpan(entry)[0]);
            Tables.Retire(entry & ~DirectIndex.BlockFlag, TableUnits);
            Tables.ReclaimIfMany();
        }
    }

    // Makes the change within a table.
    private void ChangeTable(uint entry, IpPrefix prefix, uint from, uint to)
    {
        int slot = (int)(prefix.Address.High >> (64 - TopBits)) & (TableEntries - 1);
        Span<uint> table = TableSpan(entry);
        if (prefix.Length <= TopBits)
        {
            Repaint(table.Slice(slot, 1 << (TopBits - prefix.Length)), from, to, RepaintNode);
            return;
        }

        uint changed = ChangeBelow(table[slot], TopBits, prefix, from, to);
        if (changed != table[slot])
        {
            Volatile.Write(ref table[slot], changed);
        }

        Nodes.ReclaimIfMany();
    }

    // Changes entries that lie wholly inside the prefix, and all that hangs below them: values only, so all of it in place.
    private static void Repaint(Span<uint> entries, uint from, uint to, Action<uint, uint, uint> below)
    {
        entries.Replace(from, to);
        int at = 0;
        for (int next; (next = DirectIndex.IndexOfBlock(entries[at..])) >= 0; at += next + 1)
        {
            below(entries[at + next], from, to);
        }
    }

    private void RepaintTable(uint entry, uint from, uint to) => Repaint(TableSpan(entry), from, to, RepaintNode);

    private void RepaintNode(uint entry, uint from, uint to) => Repaint(entry, from, to);

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
            uint unit = Nodes.Allocate(IPv6Node.UnitsFor(runs.Count));
            replacement = unit | DirectIndex.BlockFlag;
            runs.WriteTo(Node(replacement));
        }

        if (node != null)
        {
            Nodes.Retire(entry & ~DirectIndex.BlockFlag, IPv6Node.UnitsFor(node->Runs));
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

    // Invariant: the entry names a table of this arena, which has TableEntries entries.
    private Span<uint> TableSpan(uint entry) => new(Table(entry), TableEntries);
}
