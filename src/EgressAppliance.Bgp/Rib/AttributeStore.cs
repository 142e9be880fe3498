using System.Numerics;
using System.Runtime.InteropServices;

namespace EgressAppliance.Bgp.Rib;

// A full table has some hundred thousand distinct attribute sets of forty to a hundred octets. As objects each would cost several times that, and the
// garbage collector would follow every one of them. Here they lie behind one another in arrays of 1 MiB, which hold no references, and are named by
// the number of their first eight octets:
//
//   hash (4)  users (4)  length (4)  the block itself, padded to a multiple of 8
//
// A table of numbers with linear probing finds equal sets; the hash is seeded anew in each process, since what is hashed comes from peers.
// A set whose last user goes is chained to the free ones of its size, through its hash field. When none is left, the arrays are cut anew from the start; they
// are kept, since a table that was lost comes back as a rule.

/// <summary>
/// Keeps each distinct attribute set (<see cref="AttributeBlock"/>) once and counts its users. Not thread-safe: guarded by the table's owner.
/// </summary>
internal sealed class AttributeStore
{
    private const int UnitBits = 3;
    private const int ChunkBits = 20;
    private const int ChunkBytes = 1 << ChunkBits;
    private const int UnitsPerChunkBits = ChunkBits - UnitBits;
    private const int HeaderLength = 12;
    private const int FirstSlots = 1024;
    private readonly List<byte[]> _chunks = [];
    private readonly ulong _seed = Seed();
    private readonly Dictionary<int, uint> _free = [];
    private uint[] _slots = new uint[FirstSlots];
    private uint _next = 1; // unit 0 stands for "no set"

    /// <summary>Distinct sets in use.</summary>
    public int Count { get; private set; }

    /// <summary>Octets of the arrays and of the table that finds equal sets.</summary>
    public long MemoryBytes => ((long)_chunks.Count * ChunkBytes) + (_slots.Length * sizeof(uint));

    /// <summary>The number of this set, with one more user.</summary>
    public uint Acquire(ReadOnlySpan<byte> block)
    {
        uint hash = Hash(block);
        int slot = (int)(hash & (uint)(_slots.Length - 1));
        for (uint found = _slots[slot]; found != 0; found = _slots[slot])
        {
            Span<byte> entry = Entry(found);
            if (HashOf(entry) == hash && Content(entry).SequenceEqual(block))
            {
                Users(entry)++;
                return found;
            }

            slot = (slot + 1) & (_slots.Length - 1);
        }

        uint set = Allocate(block.Length);
        Span<byte> place = Entry(set);
        HashOf(place) = hash;
        Users(place) = 1;
        LengthOf(place) = block.Length;
        block.CopyTo(place[HeaderLength..]);
        _slots[slot] = set;
        if (++Count > _slots.Length / 4 * 3)
        {
            Rehash(2 * _slots.Length);
        }

        return set;
    }

    /// <summary>One user more.</summary>
    public void AddUser(uint set) => Users(Entry(set))++;

    /// <summary>One user less.</summary>
    public void Release(uint set)
    {
        Span<byte> entry = Entry(set);
        if (--Users(entry) > 0)
        {
            return;
        }

        RemoveSlot(set, HashOf(entry));
        int size = SizeOf(LengthOf(entry));
        HashOf(entry) = _free.GetValueOrDefault(size);
        _free[size] = set;
        if (--Count == 0)
        {
            _free.Clear();
            _next = 1;
        }
    }

    /// <summary>The block of a set in use. Valid until the store changes.</summary>
    public ReadOnlySpan<byte> Block(uint set) => Content(Entry(set));

    /// <summary>
    /// Random octets of the system by way of a random UUID (RFC 9562 section 5.4), of which 8 bits are fixed: the cipher library, from which they could be
    /// had as well, would take 6 MiB for them.
    /// </summary>
    private static ulong Seed()
    {
        Guid random = Guid.NewGuid();
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<Guid, ulong>(new ReadOnlySpan<Guid>(in random));
        return words[0] ^ BitOperations.RotateLeft(words[1], 32);
    }

    private static int SizeOf(int length) => (HeaderLength + length + (1 << UnitBits) - 1) >> UnitBits;

    private static ref uint HashOf(Span<byte> entry) => ref MemoryMarshal.AsRef<uint>(entry);

    private static ref uint Users(Span<byte> entry) => ref MemoryMarshal.AsRef<uint>(entry[4..]);

    private static ref int LengthOf(Span<byte> entry) => ref MemoryMarshal.AsRef<int>(entry[8..]);

    private static Span<byte> Content(Span<byte> entry) => entry.Slice(HeaderLength, LengthOf(entry));

    private Span<byte> Entry(uint set) =>
        _chunks[(int)(set >> UnitsPerChunkBits)].AsSpan((int)(set & ((1u << UnitsPerChunkBits) - 1)) << UnitBits);

    private uint Allocate(int length)
    {
        int units = SizeOf(length);
        if (_free.TryGetValue(units, out uint reused) && reused != 0)
        {
            _free[units] = HashOf(Entry(reused));
            return reused;
        }

        // The longest block, some 130 KiB, fits a chunk several times.
        uint end = _next + (uint)units - 1;
        if (_next >> UnitsPerChunkBits != end >> UnitsPerChunkBits)
        {
            _next = end >> UnitsPerChunkBits << UnitsPerChunkBits;
        }

        if (_next >> UnitsPerChunkBits == _chunks.Count)
        {
            _chunks.Add(GC.AllocateUninitializedArray<byte>(ChunkBytes));
        }

        uint set = _next;
        _next += (uint)units;
        return set;
    }

    private void Rehash(int size)
    {
        uint[] old = _slots;
        _slots = new uint[size];
        foreach (uint set in old)
        {
            if (set != 0)
            {
                int slot = (int)(HashOf(Entry(set)) & (uint)(size - 1));
                while (_slots[slot] != 0)
                {
                    slot = (slot + 1) & (size - 1);
                }

                _slots[slot] = set;
            }
        }
    }

    /// <summary>Empties the slot and moves up what had to be put behind it.</summary>
    private void RemoveSlot(uint set, uint hash)
    {
        int mask = _slots.Length - 1;
        int hole = (int)hash & mask;
        while (_slots[hole] != set)
        {
            hole = (hole + 1) & mask;
        }

        for (int at = (hole + 1) & mask; _slots[at] != 0; at = (at + 1) & mask)
        {
            int home = (int)HashOf(Entry(_slots[at])) & mask;
            if (((at - home) & mask) >= ((at - hole) & mask))
            {
                _slots[hole] = _slots[at];
                hole = at;
            }
        }

        _slots[hole] = 0;
    }

    private uint Hash(ReadOnlySpan<byte> block)
    {
        const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;
        ulong hash = _seed ^ (ulong)block.Length;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(block);
        foreach (ulong word in words)
        {
            hash = BitOperations.RotateLeft((hash ^ word) * Multiplier, 29);
        }

        ulong last = 0;
        foreach (byte octet in block[(words.Length * sizeof(ulong))..])
        {
            last = (last << 8) | octet;
        }

        hash = BitOperations.RotateLeft((hash ^ last) * Multiplier, 29) ^ _seed;
        hash *= Multiplier;
        return (uint)(hash >> 32);
    }
}
