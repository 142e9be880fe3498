using System.Collections.Concurrent;

namespace EgressAppliance.Net;

// Ids index the counters of every worker, so they are dense, and a number must not pass to another prefix while counts for the old
// one may still be under way: the removed id rests until two ticks (snapshots) have passed. A prefix that comes back within
// that time gets its own id again. So a session that flaps does not double the id space, and the counters go on where they were.
//
// The prefix of an id is one 64-bit word in a page that never moves, so it is read whole without a lock (PackedPrefix). The few prefixes
// that are too long for that lie in a dictionary beside the pages.

/// <summary>Gives out the ids of a <see cref="PrefixTable"/>. One writer; <see cref="PrefixOf"/> from any thread.</summary>
internal sealed class PrefixIds
{
    private const int FirstPages = 4;
    private const int PageShift = 12;
    private const int PageSize = 1 << PageShift;
    private readonly Stack<uint> _free = [];
    private readonly Dictionary<ulong, Rest> _resting = [];
    private readonly ConcurrentDictionary<uint, IpPrefix> _long = [];
    private readonly Dictionary<IpPrefix, uint> _restingLong = [];
    private List<ulong> _removedNow = [];
    private List<ulong> _removedBefore = [];
    private ulong[]?[] _pages = new ulong[]?[FirstPages];
    private int _ticks;
    private int _capacity = 1;

    /// <summary>One more than the largest id ever given.</summary>
    public int Capacity => Volatile.Read(ref _capacity);

    /// <summary>Ids that rest after a removal.</summary>
    public int Resting => _resting.Count;

    /// <summary>Bytes of the pages.</summary>
    public long MemoryBytes => (((long)_capacity + PageSize - 1) >> PageShift) * PageSize * sizeof(ulong);

    /// <summary>An id for a prefix that has none.</summary>
    public uint Take(IpPrefix prefix)
    {
        bool packed = PackedPrefix.TryPack(prefix, out ulong word);
        if (!packed && _restingLong.Remove(prefix, out uint resting))
        {
            word = WordOfLong(resting);
            packed = true;
        }

        if (packed && _resting.Remove(word, out Rest rest))
        {
            return rest.Id;
        }

        if (!_free.TryPop(out uint id))
        {
            id = (uint)_capacity;
            AddPage((int)(id >> PageShift));
        }

        Write(id, prefix, packed ? word : WordOfLong(id));
        if (id == (uint)_capacity)
        {
            Volatile.Write(ref _capacity, (int)id + 1);
        }

        return id;
    }

    /// <summary>Lets the id of a removed prefix rest.</summary>
    public void Release(IpPrefix prefix, uint id)
    {
        if (!PackedPrefix.TryPack(prefix, out ulong word))
        {
            word = WordOfLong(id);
            _restingLong.Add(prefix, id);
        }

        _resting.Add(word, new Rest(id, _ticks));
        _removedNow.Add(word);
    }

    /// <summary>Frees ids that were released before the previous tick and not taken back since.</summary>
    public void Tick()
    {
        foreach (ulong word in _removedBefore)
        {
            // A prefix that came back and went again rests anew, from its later removal.
            if (_resting.TryGetValue(word, out Rest rest) && rest.Since != _ticks)
            {
                _resting.Remove(word);
                _free.Push(rest.Id);
                if (PackedPrefix.IsUnpacked(word))
                {
                    _restingLong.Remove(_long[rest.Id]);
                }
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

        ulong[] page = Volatile.Read(ref _pages)[id >> PageShift]!;
        while (true)
        {
            ulong word = Volatile.Read(ref page[id & (PageSize - 1)]);
            if (!PackedPrefix.IsUnpacked(word))
            {
                return PackedPrefix.Unpack(word);
            }

            // If it is gone, the id has passed to a prefix that is packed: the word is another by now.
            if (_long.TryGetValue(id, out IpPrefix prefix))
            {
                return prefix;
            }
        }
    }

    private static ulong WordOfLong(uint id) => ((ulong)id << 2) | PackedPrefix.Unpacked;

    private void AddPage(int page)
    {
        if (page == _pages.Length)
        {
            ulong[]?[] longer = new ulong[]?[2 * page];
            _pages.CopyTo(longer, 0);
            Volatile.Write(ref _pages, longer);
        }

        if (_pages[page] is null)
        {
            Volatile.Write(ref _pages[page], new ulong[PageSize]);
        }
    }

    private void Write(uint id, IpPrefix prefix, ulong word)
    {
        // A reader that finds the word of a long prefix finds the prefix, too, or looks again.
        ref ulong place = ref _pages[id >> PageShift]![id & (PageSize - 1)];
        bool wasLong = PackedPrefix.IsUnpacked(place);
        bool isLong = PackedPrefix.IsUnpacked(word);
        if (isLong)
        {
            _long[id] = prefix;
        }

        Volatile.Write(ref place, word);
        if (wasLong && !isLong)
        {
            _long.TryRemove(id, out _);
        }
    }

    private readonly record struct Rest(uint Id, int Since);
}
