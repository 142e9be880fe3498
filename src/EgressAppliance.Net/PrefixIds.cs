namespace EgressAppliance.Net;

// Ids index the counters of every worker, so they are dense, and a number must not pass to another prefix while counts for the old
// one may still be under way: the removed id rests until two ticks (snapshots) have passed. A prefix that comes back within
// that time gets its own id again. So a session that flaps does not double the id space, and the counters go on where they were.

/// <summary>Gives out the ids of a <see cref="PrefixTable"/>. One writer; <see cref="PrefixOf"/> from any thread.</summary>
internal sealed class PrefixIds
{
    private const int FirstPages = 4;
    private const int PageShift = 12;
    private const int PageSize = 1 << PageShift;
    private readonly Stack<uint> _free = [];
    private readonly Dictionary<IpPrefix, Rest> _resting = [];
    private List<IpPrefix> _removedNow = [];
    private List<IpPrefix> _removedBefore = [];
    private IpPrefix[]?[] _pages = new IpPrefix[]?[FirstPages];
    private long _ticks;
    private long _version;
    private int _capacity = 1;

    /// <summary>One more than the largest id ever given.</summary>
    public int Capacity => Volatile.Read(ref _capacity);

    /// <summary>Ids that rest after a removal.</summary>
    public int Resting => _resting.Count;

    /// <summary>An id for a prefix that has none.</summary>
    public uint Take(IpPrefix prefix)
    {
        if (_resting.Remove(prefix, out Rest rest))
        {
            return rest.Id;
        }

        if (_free.TryPop(out uint id))
        {
            Write(id, prefix);
            return id;
        }

        id = (uint)_capacity;
        int page = (int)(id >> PageShift);
        if (page == _pages.Length)
        {
            IpPrefix[]?[] longer = new IpPrefix[]?[2 * page];
            _pages.CopyTo(longer, 0);
            Volatile.Write(ref _pages, longer);
        }

        if (_pages[page] is null)
        {
            Volatile.Write(ref _pages[page], new IpPrefix[PageSize]);
        }

        Write(id, prefix);
        Volatile.Write(ref _capacity, (int)id + 1);
        return id;
    }

    /// <summary>Lets the id of a removed prefix rest.</summary>
    public void Release(IpPrefix prefix, uint id)
    {
        _resting.Add(prefix, new Rest(id, _ticks));
        _removedNow.Add(prefix);
    }

    /// <summary>Frees ids that were released before the previous tick and not taken back since.</summary>
    public void Tick()
    {
        foreach (IpPrefix prefix in _removedBefore)
        {
            // A prefix that came back and went again rests anew, from its later removal.
            if (_resting.TryGetValue(prefix, out Rest rest) && rest.Since < _ticks)
            {
                _resting.Remove(prefix);
                _free.Push(rest.Id);
            }
        }

        _removedBefore.Clear();
        (_removedBefore, _removedNow) = (_removedNow, _removedBefore);
        _ticks++;
    }

    /// <summary>The prefix that has or last had the id; a default value for one never given. Any thread.</summary>
    public IpPrefix PrefixOf(uint id)
    {
        if (id >= (uint)Capacity)
        {
            return default;
        }

        IpPrefix[] page = Volatile.Read(ref _pages)[id >> PageShift]!;
        while (true)
        {
            // A prefix is too long for one load, so a read that a write went through is done again.
            long version = Volatile.Read(ref _version);
            IpPrefix prefix = page[id & (PageSize - 1)];
            Volatile.ReadBarrier();
            if ((version & 1) == 0 && _version == version)
            {
                return prefix;
            }

            Thread.SpinWait(1);
        }
    }

    private void Write(uint id, IpPrefix prefix)
    {
        Interlocked.Increment(ref _version);
        _pages[id >> PageShift]![id & (PageSize - 1)] = prefix;
        Interlocked.Increment(ref _version);
    }

    private readonly record struct Rest(uint Id, long Since);
}
