using System.Numerics;

namespace EgressAppliance.Net;

// A hash table from prefixes to ids that keeps nothing but the ids, since PrefixPages has the prefix of each: open addressing with linear
// probing, one word a slot. The eight bits that an id leaves of it hold a part of the hash, so that a look at the pages is only needed
// where the prefix is most likely the one looked for. Removal moves later entries of the run back, so there are no marks that would
// make it longer and longer.
//
// How long an id rests is told by two sets: those released since the last tick, and those released before it. A tick frees the second.
// A session that ends lets a whole table rest at once. So a tick that frees most of the entries does not take them out one by one but
// builds the table anew from those that stay, in the size that they need.

/// <summary>The ids of removed prefixes until two ticks have passed. Not safe for concurrent use.</summary>
internal sealed class RestingIds(PrefixPages pages)
{
    private const int FewestSlots = 64;

    // A table no larger than this is kept even if it is empty.
    private const int SmallSlots = 1024;
    private const int TagShift = PrefixIds.Bits;
    private IdSet _now = new();
    private IdSet _before = new();
    private uint[] _slots = [];

    /// <summary>Ids that rest.</summary>
    public int Count => _now.Count + _before.Count;

    /// <summary>Bytes of the table and the sets.</summary>
    public long MemoryBytes => ((long)_slots.Length * sizeof(uint)) + _now.MemoryBytes + _before.MemoryBytes;

    /// <summary>Lets the id of this prefix, which does not rest yet, rest from now on.</summary>
    public void Add(uint id, IpPrefix prefix)
    {
        if (4L * (Count + 1) > 3L * _slots.Length)
        {
            Rebuild(new uint[Math.Max(FewestSlots, 2 * _slots.Length)]);
        }

        _now.Add(id);
        Insert(id, Hash(prefix));
    }

    /// <summary>Ends the rest of the id of this prefix, if one rests.</summary>
    public bool TryTake(IpPrefix prefix, out uint id)
    {
        id = 0;
        if (Count == 0)
        {
            return false;
        }

        uint hash = Hash(prefix);
        for (int at = Home(hash); _slots[at] != 0; at = Next(at))
        {
            uint slot = _slots[at];
            if (slot >> TagShift == Tag(hash) && pages[slot & PrefixIds.MaxId] == prefix)
            {
                id = slot & PrefixIds.MaxId;
                RemoveAt(at);
                if (!_now.Remove(id))
                {
                    _before.Remove(id);
                }

                if (Count == 0 && _slots.Length > SmallSlots)
                {
                    _slots = [];
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>Moves the ids that were released before the previous tick to the free ones.</summary>
    public void Tick(IdSet free)
    {
        if (_before.Count > 0)
        {
            // What can fail for want of memory comes first.
            free.MakeRoomFor(_before);
            if (_before.Count >= _now.Count)
            {
                uint[] slots = RoomFor(_now.Count);
                _before.MoveTo(free);
                Rebuild(slots);
            }
            else
            {
                for (uint id = _before.Next(0); id != 0; id = _before.Next(id))
                {
                    RemoveAt(SlotOf(id));
                }

                _before.MoveTo(free);
            }
        }

        (_before, _now) = (_now, _before);
    }

    private static uint Tag(uint hash) => hash & ((1u << (32 - TagShift)) - 1);

    /// <summary>Keyed by a random number of the process, so that nobody can announce prefixes that meet in one place.</summary>
    private static uint Hash(IpPrefix prefix)
    {
        (ulong high, ulong low) = (prefix.Address.High, prefix.Address.Low);
        uint own = ((uint)prefix.Family << 8) | prefix.Length;
        return low == 0
            ? (uint)HashCode.Combine((uint)(high >> 32), (uint)high, own)
            : (uint)HashCode.Combine((uint)(high >> 32), (uint)high, own, (uint)(low >> 32), (uint)low);
    }

    // The upper bits of the hash; the tag has the lower ones.
    private int Home(uint hash) => (int)(hash >> (32 - BitOperations.Log2((uint)_slots.Length)));

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
    }

    private int SlotOf(uint id)
    {
        int at = Home(Hash(pages[id]));
        while ((_slots[at] & PrefixIds.MaxId) != id)
        {
            at = Next(at);
        }

        return at;
    }

    // The array there is, or one that is much smaller if that will do.
    private uint[] RoomFor(int count)
    {
        int needed = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(FewestSlots, 2 * count));
        return _slots.Length > SmallSlots && needed <= _slots.Length / 4 ? new uint[needed] : _slots;
    }

    // All entries anew, in the order of the ids, so that the pages are read from front to back.
    private void Rebuild(uint[] slots)
    {
        Array.Clear(slots);
        _slots = slots;
        foreach (IdSet set in (ReadOnlySpan<IdSet>)[_before, _now])
        {
            for (uint id = set.Next(0); id != 0; id = set.Next(id))
            {
                Insert(id, Hash(pages[id]));
            }
        }
    }
}
