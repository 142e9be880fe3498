using System.Runtime.InteropServices;

namespace EgressAppliance.Net.Lpm;

// Native memory for the variable parts of a lookup table, given out in units of one cache line. Blocks never move: the arena grows
// by whole chunks, and a block is named by its unit number, from which chunk and offset follow.
//
// Readers take no locks and leave no trace, so the writer cannot know whether one still stands in a block that it has unlinked.
// Such a block is retired: its content stays as it is. Reclaim gives all retired blocks back for use, but raises Sequence first.
// A reader notes Sequence before it reads the first link, and believes its answer only if Sequence is still the same afterwards:
// then nothing it can have seen was given out anew, because what was retired before its first read was unlinked already.
// Reclaims are rare (a tick, or when much is retired), so is reading again. Memory goes back to the system only in Dispose.

/// <summary>Blocks of native memory, grown by chunks and reused by size. One writer; see above for readers.</summary>
internal sealed unsafe class NativeArena : IDisposable
{
    /// <summary>Bytes of a unit: one cache line.</summary>
    public const int UnitBytes = 64;

    /// <summary>Largest block in units.</summary>
    public const int MaxUnits = 17;

    private const int ChunkShift = 15;
    private const int ChunkUnits = 1 << ChunkShift;
    private const nuint ChunkBytes = ChunkUnits * UnitBytes;
    private const int MaxChunks = 4096;

    // A reader that stands in a block given out anew may compute an entry's place up to 318 words beyond the block's start.
    private const nuint GuardBytes = 4096;
    private const long ReclaimUnits = 16384;

    private readonly byte** _chunks;
    private readonly Stack<uint>[] _free = new Stack<uint>[MaxUnits + 1];
    private readonly List<(uint Unit, int Units)> _retired = [];
    private int _chunkCount;
    private uint _next = ChunkUnits;
    private long _sequence;
    private long _usedUnits;
    private long _retiredUnits;
    private long _blocks;

    public NativeArena()
    {
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] = new Stack<uint>();
        }

        // Invariant: all MaxChunks slots exist, null where no chunk is, so that a slot index below MaxChunks is always readable.
        _chunks = (byte**)NativeMemory.AllocZeroed(MaxChunks, (nuint)sizeof(byte*));
    }

    /// <summary>Raised before retired blocks are given out again.</summary>
    public long Sequence => Volatile.Read(ref _sequence);

    /// <summary>Blocks in use.</summary>
    public long Blocks => Volatile.Read(ref _blocks);

    /// <summary>Bytes of the blocks in use.</summary>
    public long UsedBytes => Volatile.Read(ref _usedUnits) * UnitBytes;

    /// <summary>Bytes that wait for the next reclaim.</summary>
    public long RetiredBytes => Volatile.Read(ref _retiredUnits) * UnitBytes;

    /// <summary>Bytes taken from the system.</summary>
    public long ReservedBytes => Volatile.Read(ref _chunkCount) * (long)(ChunkBytes + GuardBytes);

    /// <summary>True if nothing was given out again since <paramref name="sequence"/> was read.</summary>
    public bool Unchanged(long sequence)
    {
        // The reads of table memory must not drift below the second read of the sequence.
        Volatile.ReadBarrier();
        return _sequence == sequence;
    }

    /// <summary>The memory of a block; null for a number that was never given out, as a reader overtaken by a reclaim may hold.</summary>
    public byte* Resolve(uint unit)
    {
        // Invariant: the masked slot is below MaxChunks, and a chunk once set stays until Dispose.
        byte* chunk = _chunks[(unit >> ChunkShift) & (MaxChunks - 1)];
        return chunk == null ? null : chunk + ((unit & (ChunkUnits - 1)) * UnitBytes);
    }

    /// <summary>Takes a block of 1 to <see cref="MaxUnits"/> units; its content is arbitrary.</summary>
    /// <exception cref="InvalidOperationException">The arena is at its limit of 8 GiB.</exception>
    /// <exception cref="OutOfMemoryException">The system has no more.</exception>
    public uint Allocate(int units)
    {
        if (!_free[units].TryPop(out uint unit))
        {
            int room = ChunkUnits - (int)(_next & (ChunkUnits - 1));
            if (_chunkCount == 0 || (_next & (ChunkUnits - 1)) == 0 || room < units)
            {
                AddChunk();
            }

            unit = _next;
            _next += (uint)units;
        }

        Volatile.Write(ref _usedUnits, _usedUnits + units);
        Volatile.Write(ref _blocks, _blocks + 1);
        return unit;
    }

    /// <summary>Puts a block aside that no new reader can reach.</summary>
    public void Retire(uint unit, int units)
    {
        _retired.Add((unit, units));
        Volatile.Write(ref _usedUnits, _usedUnits - units);
        Volatile.Write(ref _retiredUnits, _retiredUnits + units);
        Volatile.Write(ref _blocks, _blocks - 1);
    }

    /// <summary>Reclaims if much is retired. Call between updates only, when everything retired is unlinked.</summary>
    public void ReclaimIfMany()
    {
        if (_retiredUnits >= ReclaimUnits)
        {
            Reclaim();
        }
    }

    /// <summary>Lets all retired blocks be given out again. Call between updates only.</summary>
    public void Reclaim()
    {
        if (_retired.Count == 0)
        {
            return;
        }

        // A full fence: readers see the raised sequence before they can see any block written anew.
        Interlocked.Increment(ref _sequence);
        foreach ((uint unit, int units) in _retired)
        {
            _free[units].Push(unit);
        }

        _retired.Clear();
        Volatile.Write(ref _retiredUnits, 0);
    }

    public void Dispose()
    {
        // Invariant: the owner has been told that no reader is left; each chunk was allocated once and is freed once.
        for (int i = 0; i < _chunkCount; i++)
        {
            NativeMemory.AlignedFree(_chunks[i]);
        }

        NativeMemory.Free(_chunks);
    }

    private void AddChunk()
    {
        if (_chunkCount == MaxChunks)
        {
            throw new InvalidOperationException("The lookup table is at its limit of 8 GiB.");
        }

        // Invariant: the chunk is zeroed before its address is stored, so a stray reader finds a defined value.
        byte* chunk = (byte*)NativeMemory.AlignedAlloc(ChunkBytes + GuardBytes, HugePages.Size);
        HugePages.Advise(chunk, ChunkBytes);
        NativeMemory.Clear(chunk, ChunkBytes + GuardBytes);

        // What is left of the last chunk serves smaller blocks.
        int rest = _chunkCount == 0 ? 0 : (int)(((uint)_chunkCount << ChunkShift) - _next);
        if (rest > 0)
        {
            _free[rest].Push(_next);
        }

        _next = (uint)_chunkCount << ChunkShift;
        Volatile.Write(ref *(nint*)(_chunks + _chunkCount), (nint)chunk);
        Volatile.Write(ref _chunkCount, _chunkCount + 1);
    }
}
