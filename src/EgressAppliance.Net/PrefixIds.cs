namespace EgressAppliance.Net;

// Ids index the counters of every worker, so they are dense, and a number must not pass to another prefix while counts for the old
// one may still be under way: the removed id rests until two ticks (snapshots) have passed. A prefix that comes back within
// that time gets its own id again. So a session that flaps does not double the id space, and the counters go on where they were.
//
// Three parts: the prefix of each id (PrefixPages), which readers of any thread ask for; the ids that rest, found by their prefixes
// (RestingIds); and the ids that are free, a bit each, of which the lowest is given first.

/// <summary>Gives out the ids of a <see cref="PrefixTable"/>. One writer; <see cref="PrefixOf"/> from any thread.</summary>
internal sealed class PrefixIds
{
    /// <summary>Bits of an id, so that it fits a word together with the length of a prefix.</summary>
    public const int Bits = 24;

    /// <summary>The largest id there can be: the prefixes of an Internet table fourteen times over.</summary>
    public const uint MaxId = (1u << Bits) - 1;

    private readonly PrefixPages _pages = new();
    private readonly RestingIds _resting;
    private readonly IdSet _free = new();
    private readonly uint _largest;
    private int _capacity = 1;

    /// <summary>None given yet.</summary>
    /// <param name="largest">The largest id to give, at most <see cref="MaxId"/>.</param>
    public PrefixIds(uint largest = MaxId)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(largest, MaxId);
        _largest = largest;
        _resting = new RestingIds(_pages);
    }

    /// <summary>One more than the largest id ever given.</summary>
    public int Capacity => Volatile.Read(ref _capacity);

    /// <summary>Ids that rest after a removal.</summary>
    public int Resting => _resting.Count;

    /// <summary>Bytes of all arrays.</summary>
    public long MemoryBytes => _pages.MemoryBytes + _resting.MemoryBytes + _free.MemoryBytes;

    /// <summary>An id for a prefix that has none.</summary>
    /// <exception cref="InvalidOperationException">All ids up to the largest are in use or rest; nothing was changed.</exception>
    public uint Take(IpPrefix prefix)
    {
        if (_resting.TryTake(prefix, out uint id))
        {
            return id;
        }

        id = _free.Lowest();
        if (id != 0)
        {
            _pages.Set(id, prefix);
            _free.Remove(id);
            return id;
        }

        id = (uint)_capacity;
        if (id > _largest)
        {
            throw new InvalidOperationException($"There cannot be more than {_largest} prefixes.");
        }

        _pages.Set(id, prefix);
        Volatile.Write(ref _capacity, (int)id + 1);
        return id;
    }

    /// <summary>Lets the id of a removed prefix rest.</summary>
    public void Release(IpPrefix prefix, uint id) => _resting.Add(id, prefix);

    /// <summary>Frees ids that were released before the previous tick and not taken back since.</summary>
    public void Tick() => _resting.Tick(_free);

    /// <summary>The prefix that has or last had the id; a default value for one never given. Any thread.</summary>
    public IpPrefix PrefixOf(uint id) => id < (uint)Capacity ? _pages[id] : default;
}
