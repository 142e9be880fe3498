using System.Numerics;

namespace EgressAppliance.Net;

// A hash table from prefixes to ids that keeps nothing but the ids, since PrefixPages has the prefix of each: open addressing with linear
// probing, one word a slot. The eight bits that an id leaves of it hold a part of the hash, so that a look at the pages is only needed
// where the prefix is most likely the one looked for. Removal moves later entries of the run back, so there are no marks that would
// make it longer and longer.

/// <summary>Ids found by their prefixes. Not safe for concurrent use.</summary>
internal sealed class RestingSlots(PrefixPages pages)
{
    private const int FewestSlots = 64;

    // A table no larger than this is kept even if it is empty.
    private const int SmallSlots = 256;
    private const int TagShift = PrefixIds.Bits;
    private uint[] _slots = [];
    private int _count;

    /// <summary>Bytes of the table.</summary>
    public long MemoryBytes => (long)_slots.Length * sizeof(uint);

    /// <summary>Adds an id that is not there. When that fails for want of memory, nothing was changed.</summary>
    public void Add(uint id, uint hash)
    {
        if (4L * (_count + 1) > 3L * _slots.Length)
        {
            MoveTo(new uint[Math.Max(FewestSlots, 2 * _slots.Length)]);
        }

        Insert(id, hash);
        _count++;
    }

    /// <summary>Removes the id of this prefix and returns it, or 0 if there is none.</summary>
    public uint Take(IpPrefix prefix, uint hash)
    {
        if (_count == 0)
        {
            return 0;
        }

        for (int at = Home(hash); _slots[at] != 0; at = Next(at))
        {
            uint slot = _slots[at];
            uint id = slot & PrefixIds.MaxId;
            if (slot >> TagShift == Tag(hash) && pages[id] == prefix)
            {
                RemoveAt(at);
                return id;
            }
        }

        return 0;
    }

    /// <summary>Removes an id that is there.</summary>
    public void Remove(uint id, uint hash)
    {
        int at = Home(hash);
        while ((_slots[at] & PrefixIds.MaxId) != id)
        {
            at = Next(at);
        }

        RemoveAt(at);
    }

    /// <summary>Removes all ids; the room stays.</summary>
    public void Clear()
    {
        Array.Clear(_slots);
        _count = 0;
    }

    /// <summary>Gives room back of which much more is there than the ids need.</summary>
    public void Trim()
    {
        int needed = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(FewestSlots, 2 * _count));
        if (_slots.Length > SmallSlots && needed <= _slots.Length / 4)
        {
            MoveTo(new uint[needed]);
        }
    }

    /// <summary>Keyed by a random number of the process, so that nobody can announce prefixes that meet in one place.</summary>
    public static uint Hash(IpPrefix prefix)
    {
        (ulong high, ulong low) = (prefix.Address.High, prefix.Address.Low);
        uint own = ((uint)prefix.Family << 8) | prefix.Length;
        return low == 0
            ? (uint)HashCode.Combine((uint)(high >> 32), (uint)high, own)
            : (uint)HashCode.Combine((uint)(high >> 32), (uint)high, own, (uint)(low >> 32), (uint)low);
    }

    private static uint Tag(uint hash) => hash & ((1u << (32 - TagShift)) - 1);

    // All ids of a table may agree in the upper bits of the hash, by which it was chosen among others; so the lower ones are spread over all.
    private int Home(uint hash) => (int)((hash * 0x9E37_79B1u) >> (32 - BitOperations.Log2((uint)_slots.Length)));

    private int Next(int at) => (at + 1) & (_slots.Length - 1);

    private void Insert(uint id, uint hash)
    {
        int at = Home(hash);
        while (_slots[at] != 0)
        {
            at = Next(at);
        }

        _slots[at] = (Tag(hash) << TagShift) | id;
    }

    private void RemoveAt(int hole)
    {
        int mask = _slots.Length - 1;
        for (int at = Next(hole); _slots[at] != 0; at = Next(at))
        {
            // It may move back to the hole unless that lies before its home.
            int home = Home(Hash(pages[_slots[at] & PrefixIds.MaxId]));
            if (((at - home) & mask) >= ((at - hole) & mask))
            {
                _slots[hole] = _slots[at];
                hole = at;
            }
        }

        _slots[hole] = 0;
        _count--;
        if (_count == 0 && _slots.Length > SmallSlots)
        {
            _slots = [];
        }
    }

    private void MoveTo(uint[] slots)
    {
        uint[] old = _slots;
        _slots = slots;
        foreach (uint slot in old)
        {
            uint id = slot & PrefixIds.MaxId;
            if (id != 0)
            {
                Insert(id, Hash(pages[id]));
            }
        }
    }
}
