using System.Runtime.CompilerServices;

namespace EgressAppliance.Net.Lpm;

// IPv6: an index of the first 20 bits, tables of 4096 entries for the next 12, then nodes of 8 bits each, up to 12 levels: a /32 is found
// in a table, a /48 two nodes below.
//
// The index and the tables together answer all of the first 32 bits at two loads, the first of which is nearly always in the cache: some 700
// index entries lead to all prefixes of the Internet. A table lives as long as prefixes longer than /20 lie under its index entry; the
// writer counts them. Nodes hold runs of equal slots (IPv6Node).
//
// Ownership works as in the direct index: within a prefix, the entries with the cover's id are those the cover owns.
//
// This file looks up; IPv6Lookup.Changes.cs changes.

/// <summary>The compiled table of IPv6 prefixes.</summary>
internal sealed unsafe partial class IPv6Lookup : IDisposable
{
    private const int IndexBits = 20;
    private const int TableBits = 12;
    private const int TopBits = IndexBits + TableBits;
    private const int TableEntries = 1 << TableBits;
    private const int TableUnits = TableEntries * sizeof(uint) / NativeArena.UnitBytes;
    private const int NodeBits = 8;
    private const int Lanes = 128;

    /// <summary>First level.</summary>
    public DirectIndex Index { get; } = new(IndexBits);

    /// <summary>Second level.</summary>
    public NativeArena Tables { get; } = new(TableUnits);

    /// <summary>All levels below.</summary>
    public NativeArena Nodes { get; } = new(IPv6Node.MaxUnits);

    /// <summary>The id of one address.</summary>
    public uint Lookup(ulong high, ulong low)
    {
        Top top;
        while (true)
        {
            (long tables, long nodes) = (Tables.Sequence, Nodes.Sequence);
            FindTop(Index.Entries, Tables.Start, high, &top);
            uint entry = *top.Place;
            for (int depth = TopBits; (int)entry < 0 && depth < 128; depth += NodeBits)
            {
                // Invariant: a node that was given out anew meanwhile still lies in a chunk with a guard behind it.
                entry = *IPv6Node.Find(Node(entry), Slot(high, low, depth));
            }

            if (Tables.Unchanged(tables) && Nodes.Unchanged(nodes))
            {
                return entry;
            }
        }
    }

    /// <summary>The ids of many addresses; the spans are equally long.</summary>
    /// <remarks>Optimized at first use: see <see cref="IPv4Lookup"/>.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Lookup(ReadOnlySpan<ulong> high, ReadOnlySpan<ulong> low, Span<uint> ids)
    {
        Top* tops = stackalloc Top[Lanes];
        Top* next = stackalloc Top[Lanes];
        // Invariant: each group of lanes lies within the length that all three spans have.
        fixed (ulong* h = high)
        fixed (ulong* l = low)
        fixed (uint* output = ids)
        {
            int at = 0;
            while (at < ids.Length)
            {
                (long tables, long nodes) = (Tables.Sequence, Nodes.Sequence);
                int count = Math.Min(Lanes, ids.Length - at);
                FindTops(h + at, tops, count);
                while (count > 0)
                {
                    // The next group's entries are asked for before this group is looked up.
                    int following = Math.Min(Lanes, ids.Length - at - count);
                    FindTops(h + at + count, next, following);
                    LookupGroup(h + at, l + at, output + at, tops, count);
                    if (!Tables.Unchanged(tables) || !Nodes.Unchanged(nodes))
                    {
                        break;
                    }

                    at += count;
                    count = following;
                    Top* done = tops;
                    tops = next;
                    next = done;
                }
            }
        }
    }

    public void Dispose()
    {
        Index.Dispose();
        Tables.Dispose();
        Nodes.Dispose();
    }

    private static byte Slot(ulong high, ulong low, int depth) =>
        (byte)(depth < 64 ? high >> (64 - NodeBits - depth) : low >> (128 - NodeBits - depth));

    // An entry of the index may become the name of a table from one read to the next, and would then pass for that of a node. So it is read
    // once, here; only entries of tables are left to be read when their line has come.
    private static void FindTop(uint* index, byte* tables, ulong high, Top* top)
    {
        // Invariant: a 20-bit index into 2^20 entries, a 12-bit one into a table of 2^12.
        uint entry = Volatile.Read(ref index[high >> (64 - IndexBits)]);
        uint* inTable = (uint*)NativeArena.Resolve(tables, entry) + ((high >> (64 - TopBits)) & (TableEntries - 1));
        top->Value = entry;
        top->Place = (int)entry >= 0 ? &top->Value : inTable;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void FindTops(ulong* high, Top* tops, int count)
    {
        // Invariant: count addresses are readable, and there is room for as many entries.
        uint* index = Index.Entries;
        byte* start = Tables.Start;
        for (nuint i = 0; i < (nuint)count; i++)
        {
            FindTop(index, start, high[i], tops + i);
            Prefetch.Line(tops[i].Place);
        }
    }

    // All lanes go down together, one level at a time, and each asks for its next node before the others read theirs, so that the misses
    // overlap. A lane that has its id falls out by not being counted: a branch for it would be mispredicted once in nearly every lookup.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void LookupGroup(ulong* high, ulong* low, uint* output, Top* tops, int count)
    {
        // Invariant: at most Lanes lanes are active, and each is below count.
        uint* lanes = stackalloc uint[Lanes];
        IPv6Node** nodes = stackalloc IPv6Node*[Lanes];
        byte* start = Nodes.Start;
        nuint active = 0;
        for (nuint lane = 0; lane < (nuint)count; lane++)
        {
            uint entry = *tops[lane].Place;
            output[lane] = entry;
            lanes[active] = (uint)lane;
            nodes[active] = AskForNode(start, entry);
            active += entry >> 31;
        }

        for (int depth = TopBits; active > 0 && depth < 128; depth += NodeBits)
        {
            ulong* half = depth < 64 ? high : low;
            int shift = 64 - NodeBits - (depth & 63);
            nuint asked = active;
            active = 0;
            for (nuint i = 0; i < asked; i++)
            {
                uint lane = lanes[i];
                uint entry = *IPv6Node.Find(nodes[i], (byte)(half[lane] >> shift));
                output[lane] = entry;
                lanes[active] = lane;
                nodes[active] = AskForNode(start, entry);
                active += entry >> 31;
            }
        }
    }

    // The node that an entry names, on its way into the cache. An id names none: then it is the arena's first, which is always there.
    private static IPv6Node* AskForNode(byte* start, uint entry)
    {
        IPv6Node* node = (IPv6Node*)NativeArena.Resolve(start, entry & (uint)((int)entry >> 31));
        Prefetch.Line(node);
        return node;
    }

    private IPv6Node* Node(uint entry) => (IPv6Node*)Nodes.Resolve(entry);

    private uint* Table(uint entry) => (uint*)Tables.Resolve(entry);

    // The entry for the first 32 bits: where it lies in a table, or where there is none, the index entry read.
    private struct Top
    {
        public uint* Place;
        public uint Value;
    }
}
