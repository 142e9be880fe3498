namespace EgressAppliance.Net.Lpm;

// The first level of both families: entries of 32 bits, indexed by the upper bits of an address. An entry is either the id of the
// longest match of all addresses under it, 0 for none, or, with the top bit set, the name of a block that tells more.
//
// Entries carry no prefix length. They need none: the entries under a prefix that are owned by its cover are those which hold the
// cover's id, since an id stands for one prefix. So adding a prefix replaces the cover's id by its own in its range, and removing it
// replaces its own id by the cover's. Each entry changes by one aligned 32-bit store, which readers see whole; vector stores do not
// tear such elements on the processors that .NET runs on, and there is one writer, so rewriting an unchanged neighbour is harmless.

/// <summary>A power of two of entries in native memory. One writer, any number of readers.</summary>
internal sealed unsafe class DirectIndex : IDisposable
{
    /// <summary>Set in an entry that names a block.</summary>
    public const uint BlockFlag = 0x8000_0000;

    private readonly AddressSpace _memory;
    private readonly int _bits;

    /// <param name="bits">Address bits that choose an entry.</param>
    public DirectIndex(int bits)
    {
        _bits = bits;
        // Memory is used only where entries are written.
        _memory = new AddressSpace((nuint)Bytes);
        HasHugePages = _memory.Open(0, (nuint)Bytes);
        Entries = (uint*)_memory.Start;
    }

    /// <summary>Bytes of the index.</summary>
    public long Bytes => sizeof(uint) * (1L << _bits);

    /// <summary>The table.</summary>
    public uint* Entries { get; }

    /// <summary>Whether the kernel took the advice to use huge pages.</summary>
    public bool HasHugePages { get; }

    /// <summary>The entries under the upper <paramref name="length"/> bits, at most those of the index, of a left-aligned address.</summary>
    public Span<uint> Range(ulong high, int length)
    {
        // Invariant: host bits are zero, so first + count never exceeds 2^bits.
        return new(Entries + (high >> (64 - _bits)), 1 << (_bits - length));
    }

    /// <summary>Publishes an entry after everything that it leads to.</summary>
    public void Publish(uint index, uint entry) => Volatile.Write(ref Entries[index], entry);

    /// <summary>The place of the first entry that names a block, or -1.</summary>
    public static int IndexOfBlock(ReadOnlySpan<uint> entries) => entries.IndexOfAnyInRange(BlockFlag, uint.MaxValue);

    public void Dispose() => _memory.Dispose();
}
