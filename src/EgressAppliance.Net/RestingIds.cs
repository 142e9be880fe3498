namespace EgressAppliance.Net;

// The ids are found by their prefixes in 64 hash tables, chosen by the hash, instead of one: a session that ends lets a million ids rest within a second, and
// a table that grows then is a sixty-fourth of them, not a pause of 50 ms for everybody who waits for the lock.
//
// How long an id rests is told by two sets: those released since the last tick, and those released before it. A tick frees the second. One that frees
// most of the ids does not take them out one by one but fills the tables anew with those that stay, in the size that they need.

/// <summary>The ids of removed prefixes until two ticks have passed. Not safe for concurrent use.</summary>
internal sealed class RestingIds
{
    private const int PartBits = 6;
    private readonly PrefixPages _pages;
    private readonly RestingSlots[] _parts;
    private IdSet _now = new();
    private IdSet _before = new();

    /// <summary>None rests.</summary>
    /// <param name="pages">Tells the prefix of each id.</param>
    public RestingIds(PrefixPages pages)
    {
        _pages = pages;
        _parts = [.. Enumerable.Range(0, 1 << PartBits).Select(_ => new RestingSlots(pages))];
    }

    /// <summary>Ids that rest.</summary>
    public int Count => _now.Count + _before.Count;

    /// <summary>Bytes of the tables and the sets.</summary>
    public long MemoryBytes => _parts.Sum(part => part.MemoryBytes) + _now.MemoryBytes + _before.MemoryBytes;

    /// <summary>Lets the id of this prefix, which does not rest yet, rest from now on.</summary>
    public void Add(uint id, IpPrefix prefix)
    {
        _now.MakeRoomFor(id);
        uint hash = RestingSlots.Hash(prefix);
        PartOf(hash).Add(id, hash);
        _now.Add(id);
    }

    /// <summary>Ends the rest of the id of this prefix, if one rests.</summary>
    public bool TryTake(IpPrefix prefix, out uint id)
    {
        id = 0;
        if (Count == 0)
        {
            return false;
        }

        uint hash = RestingSlots.Hash(prefix);
        id = PartOf(hash).Take(prefix, hash);
        if (id != 0 && !_now.Remove(id))
        {
            _before.Remove(id);
        }

        return id != 0;
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
                foreach (RestingSlots part in _parts)
                {
                    part.Clear();
                }

                Refill();
                _before.MoveTo(free);
            }
            else
            {
                for (uint id = _before.Next(0); id != 0; id = _before.Next(id))
                {
                    uint hash = RestingSlots.Hash(_pages[id]);
                    PartOf(hash).Remove(id, hash);
                }

                _before.MoveTo(free);
            }
        }

        (_before, _now) = (_now, _before);
        foreach (RestingSlots part in _parts)
        {
            part.Trim();
        }
    }

    private RestingSlots PartOf(uint hash) => _parts[hash >> (32 - PartBits)];

    // In the order of the ids, so that the pages are read from front to back. They were there before, so there is room.
    private void Refill()
    {
        for (uint id = _now.Next(0); id != 0; id = _now.Next(id))
        {
            uint hash = RestingSlots.Hash(_pages[id]);
            PartOf(hash).Add(id, hash);
        }
    }
}
