using System.Runtime.InteropServices;

namespace EgressAppliance.Net.Lpm;

// The first level of both families: 2^24 entries of 32 bits, indexed by the upper 24 bits of an address. An entry is either the id
// of the longest match of all addresses under it, 0 for none, or, with the top bit set, the name of a block that tells more.
//
// Entries carry no prefix length. They need none: the entries under a prefix that are owned by its cover are those which hold the
// cover's id, since an id stands for one prefix. So adding a prefix replaces the cover's id by its own in its range, and removing it
// replaces its own id by the cover's. Each entry changes by one aligned 32-bit store, which readers see whole; vector stores do not
// tear such elements on the processors that .NET runs on, and there is one writer, so rewriting an unchanged neighbour is harmless.

/// <summary>2^24 entries in native memory. One writer, any number of readers.</summary>
internal sealed unsafe class DirectIndex : IDisposable
{
    /// <summary>Address bits that choose an entry.</summary>
    public const int Bits = 24;

    /// <summary>Set in an entry that names a block.</summary>
    public const uint BlockFlag = 0x8000_0000;

    /// <summary>Bytes of the index.</summary>
    public const long Bytes = (1L << Bits) * sizeof(uint);

    private readonly void* _allocation;

    public DirectIndex()
    {
        // Invariant: the allocation is a huge page longer than the table, so that the aligned table ends inside it. AllocZeroed takes
        // fresh pages from the system for this size: memory is used only where entries are written or read.
        _allocation = NativeMemory.AllocZeroed((nuint)(Bytes + HugePages.Size));
        Entries = (uint*)(((nuint)_allocation + HugePages.Size - 1) & ~(nuint)(HugePages.Size - 1));
        HasHugePages = HugePages.Advise(Entries, (nuint)Bytes);
    }

    /// <summary>The table.</summary>
    public uint* Entries { get; }

    /// <summary>Whether the kernel took the advice to use huge pages.</summary>
    public bool HasHugePages { get; }

    /// <summary>The entries under the upper <paramref name="length"/> bits, at most 24, of a left-aligned address.</summary>
    public Span<uint> Range(ulong high, int length)
    {
        // Invariant: host bits are zero, so first + count never exceeds 2^24.
        return new(Entries + (high >> (64 - Bits)), 1 << (Bits - length));
    }

    /// <summary>Publishes an entry after everything that it leads to.</summary>
    public void Publish(uint index, uint entry) => Volatile.Write(ref Entries[index], entry);

    /// <summary>The place of the first entry that names a block, or -1.</summary>
    public static int IndexOfBlock(ReadOnlySpan<uint> entries) => entries.IndexOfAnyInRange(BlockFlag, uint.MaxValue);

    public void Dispose() => NativeMemory.Free(_allocation);
}
