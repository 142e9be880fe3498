namespace EgressAppliance.Net.Lpm;

// Native memory for the variable parts of a lookup table, given out in units of one cache line. Blocks never move: the address space is
// reserved at once, memory is added at its end, and a block is named by its unit number, its distance from the start.
//
// Readers take no locks and leave no trace, so the writer cannot know whether one still stands in a block that it has unlinked.
// Such a block is retired: its content stays as it is. Reclaim gives all retired blocks back for use, but raises Sequence first.
// A reader notes Sequence before it reads the first link, and believes its answer only if Sequence is still the same afterwards:
// then nothing it can have seen was given out anew, because what was retired before its first read was unlinked already.
// Reclaims are rare (a tick, or when much is retired), so is reading again. Memory goes back to the system only in Dispose.

/// <summary>Blocks of native memory, reused by size. One writer; see above for readers.</summary>
internal sealed unsafe class NativeArena : IDisposable
{
    /// <summary>Bytes of a unit: one cache line.</summary>
    public const int UnitBytes = 64;

    private const uint MaxUnits = 1 << 27;
    private const uint GrowthUnits = AddressSpace.HugePageBytes / UnitBytes;

    // A reader that stands in a block given out anew may compute an entry's place up to 318 words beyond the block's start.
    private const nuint GuardBytes = 4096;
    private const long ReclaimUnits = 16384;

    private readonly AddressSpace _memory = new(unchecked((nuint)MaxUnits * UnitBytes) + GuardBytes);
    private readonly Stack<uint>[] _free;
    private readonly List<(uint Unit, int Units)> _retired = [];
    private uint _next;
    private uint _end;
    private long _sequence;
    private long _usedUnits;
    private long _retiredUnits;
    private long _blocks;

    /// <param name="maxUnits">Largest block in units.</param>
    public NativeArena(int maxUnits)
    {
        _free = new Stack<uint>[maxUnits + 1];
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] = new Stack<uint>();
        }

        Start = _memory.Start;
    }

    /// <summary>Where the memory starts.</summary>
    public byte* Start { get; }

    /// <summary>Raised before retired blocks are given out again.</summary>
    public long Sequence => Volatile.Read(ref _sequence);

    /// <summary>Blocks in use.</summary>
    public long Blocks => Volatile.Read(ref _blocks);

    /// <summary>Bytes of the blocks in use.</summary>
    public long UsedBytes => Volatile.Read(ref _usedUnits) * UnitBytes;

    /// <summary>Bytes that wait for the next reclaim.</summary>
    public long RetiredBytes => Volatile.Read(ref _retiredUnits) * UnitBytes;

    /// <summary>Bytes taken from the system.</summary>
    public long ReservedBytes => Volatile.Read(ref _end) * (long)UnitBytes;

    /// <summary>True if nothing was given out again since <paramref name="sequence"/> was read.</summary>
    public bool Unchanged(long sequence)
    {
        // The reads of table memory must not drift below the second read of the sequence.
        Volatile.ReadBarrier();
        return _sequence == sequence;
    }

    /// <summary>The memory of a block; something readable for a number that was never given out. The number's upper bits are ignored.</summary>
    public byte* Resolve(uint unit) => Resolve(Start, unit);

    /// <summary>The same for loops that keep <see cref="Start"/> at hand.</summary>
    public static byte* Resolve(byte* start, uint unit)
    {
        // Invariant: the masked number is below MaxUnits, and that much address space is readable, with the guard behind it.
        return start + ((nuint)(unit & (MaxUnits - 1)) * UnitBytes);
    }

    /// <summary>Takes a block of one or more units; its content is arbitrary.</summary>
    /// <exception cref="InvalidOperationException">The arena is at its limit of 8 GiB.</exception>
    /// <exception cref="InsufficientMemoryException">The system has no more.</exception>
    public uint Allocate(int units)
    {
        if (!_free[units].TryPop(out uint unit))
        {
            if (_end - _next < (uint)units)
            {
                Grow();
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
        _memory.Dispose();
    }

    private void Grow()
    {
        if (_end == MaxUnits)
        {
            throw new InvalidOperationException("The lookup table is at its limit of 8 GiB.");
        }

        _memory.Open((nuint)_end * UnitBytes, GrowthUnits * UnitBytes);
        Volatile.Write(ref _end, _end + GrowthUnits);
    }
}
