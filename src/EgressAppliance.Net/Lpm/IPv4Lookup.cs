using System.Runtime.CompilerServices;

namespace EgressAppliance.Net.Lpm;

// IPv4: DIR-24-8. The direct index answers all that is not longer than /24 in one load. Where longer prefixes exist, the entry names
// a block of 256 ids, one for each last octet. A block lives as long as prefixes longer than /24 lie under its entry; the writer
// counts them. Removing the last of them makes all 256 ids equal, and the entry takes that id back.

/// <summary>The compiled table of IPv4 prefixes.</summary>
internal sealed unsafe class IPv4Lookup : IDisposable
{
    private const int IndexBits = 24;
    private const int BlockEntries = 256;
    private const int BlockUnits = BlockEntries * sizeof(uint) / NativeArena.UnitBytes;

    // How far ahead entries are asked for. Measured: 16 ahead leaves half of the time in waiting, 128 is the best of 16, 32, 64 and 128.
    private const int Ahead = 128;

    // Lookups between two branches: a block is needed so rarely that eight are tested at once.
    private const int Group = 8;
    private readonly Dictionary<uint, int> _longPrefixes = [];

    /// <summary>First level.</summary>
    public DirectIndex Index { get; } = new(IndexBits);

    /// <summary>Second level.</summary>
    public NativeArena Arena { get; } = new(BlockUnits);

    /// <summary>The id of one address.</summary>
    public uint Lookup(uint address)
    {
        // Invariant: a 24-bit index into 2^24 entries.
        uint entry = Index.Entries[address >> 8];
        return (int)entry >= 0 ? entry : LookupInBlock(address);
    }

    /// <summary>The ids of many addresses; the spans are equally long.</summary>
    /// <remarks>Optimized at first use, as all loops of the data path: a replay of a file is over before tiered compilation would notice them.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Lookup(ReadOnlySpan<uint> addresses, Span<uint> ids)
    {
        uint* entries = Index.Entries;
        // Invariant: at + Group, and at + Ahead + Group where so much is asked for, are at most the length that both spans have.
        fixed (uint* input = addresses)
        fixed (uint* output = ids)
        {
            int count = addresses.Length;
            int first = Math.Min(Ahead, count);
            for (int i = 0; i < first; i++)
            {
                Prefetch.Line(entries + (input[i] >> 8));
            }

            int at = 0;
            for (; at <= count - Ahead - Group; at += Group)
            {
                PrefetchGroup(entries, input + at + Ahead);
                LookupGroup(entries, input + at, output + at);
            }

            for (; at <= count - Group; at += Group)
            {
                LookupGroup(entries, input + at, output + at);
            }

            for (; at < count; at++)
            {
                output[at] = Lookup(input[at]);
            }
        }
    }

    /// <summary>Gives the addresses of a prefix that its cover owns to the prefix.</summary>
    public void Add(IpPrefix prefix, uint id, uint cover)
    {
        if (prefix.Length <= IndexBits)
        {
            Repaint(prefix, cover, id);
            return;
        }

        uint index = prefix.Address.IPv4Value >> 8;
        uint entry = Index.Entries[index];
        if ((entry & DirectIndex.BlockFlag) != 0)
        {
            _longPrefixes[index]++;
            BlockRange(entry, prefix).Replace(cover, id);
            return;
        }

        uint unit = Arena.Allocate(BlockUnits);
        uint named = unit | DirectIndex.BlockFlag;
        Block(named).Fill(entry);
        BlockRange(named, prefix).Replace(cover, id);
        _longPrefixes.Add(index, 1);
        Index.Publish(index, named);
    }

    /// <summary>Gives the addresses that a prefix owns to its cover.</summary>
    public void Remove(IpPrefix prefix, uint id, uint cover)
    {
        if (prefix.Length <= IndexBits)
        {
            Repaint(prefix, id, cover);
            return;
        }

        uint index = prefix.Address.IPv4Value >> 8;
        uint entry = Index.Entries[index];
        BlockRange(entry, prefix).Replace(id, cover);
        if (--_longPrefixes[index] == 0)
        {
            _longPrefixes.Remove(index);
            Index.Publish(index, Block(entry)[0]);
            Arena.Retire(entry & ~DirectIndex.BlockFlag, BlockUnits);
            Arena.ReclaimIfMany();
        }
    }

    public void Dispose()
    {
        Index.Dispose();
        Arena.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // 128 times for a batch: LookupBenchmarks.
    private static void PrefetchGroup(uint* entries, uint* input)
    {
        // Invariant: the caller's next Group addresses are readable.
        Prefetch.Line(entries + (input[0] >> 8));
        Prefetch.Line(entries + (input[1] >> 8));
        Prefetch.Line(entries + (input[2] >> 8));
        Prefetch.Line(entries + (input[3] >> 8));
        Prefetch.Line(entries + (input[4] >> 8));
        Prefetch.Line(entries + (input[5] >> 8));
        Prefetch.Line(entries + (input[6] >> 8));
        Prefetch.Line(entries + (input[7] >> 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // 128 times for a batch: LookupBenchmarks.
    private void LookupGroup(uint* entries, uint* input, uint* output)
    {
        // Invariant: the caller's next Group addresses are readable, as many ids writable.
        uint a = entries[input[0] >> 8];
        uint b = entries[input[1] >> 8];
        uint c = entries[input[2] >> 8];
        uint d = entries[input[3] >> 8];
        uint e = entries[input[4] >> 8];
        uint f = entries[input[5] >> 8];
        uint g = entries[input[6] >> 8];
        uint h = entries[input[7] >> 8];
        if ((int)(a | b | c | d | e | f | g | h) >= 0)
        {
            output[0] = a;
            output[1] = b;
            output[2] = c;
            output[3] = d;
            output[4] = e;
            output[5] = f;
            output[6] = g;
            output[7] = h;
            return;
        }

        for (int i = 0; i < Group; i++)
        {
            output[i] = Lookup(input[i]);
        }
    }

    private uint LookupInBlock(uint address)
    {
        while (true)
        {
            long sequence = Arena.Sequence;
            uint entry = Volatile.Read(ref Index.Entries[address >> 8]);
            if ((int)entry >= 0)
            {
                return entry;
            }

            // Invariant: a published entry names a block whose chunk exists, and blocks hold 256 ids.
            uint id = ((uint*)Arena.Resolve(entry & ~DirectIndex.BlockFlag))[(byte)address];
            if (Arena.Unchanged(sequence))
            {
                return id;
            }
        }
    }

    private void Repaint(IpPrefix prefix, uint from, uint to)
    {
        Span<uint> range = Index.Range(prefix.Address.High, prefix.Length);
        range.Replace(from, to);
        int at = 0;
        for (int next; (next = DirectIndex.IndexOfBlock(range[at..])) >= 0; at += next + 1)
        {
            Block(range[at + next]).Replace(from, to);
        }
    }

    private Span<uint> BlockRange(uint entry, IpPrefix prefix) =>
        Block(entry).Slice((byte)prefix.Address.IPv4Value, 1 << (32 - prefix.Length));

    // Invariant: the entry names a block of this arena, which has BlockEntries entries.
    private Span<uint> Block(uint entry) => new(Arena.Resolve(entry & ~DirectIndex.BlockFlag), BlockEntries);
}
