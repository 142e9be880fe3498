namespace EgressAppliance.Net;

// The prefix of an id is one 64-bit word in a page that never moves, so it is read whole without a lock (PackedPrefix). The few prefixes
// that are too long for that lie in places of 24 bytes beside, and the word names the place. A place may be given to another prefix while
// a slow reader looks at it: therefore such a word also holds a number that no other word has had, and a reader that finds the word
// changed after it has read the place looks again.

/// <summary>The prefixes of ids. One writer; the indexer from any thread.</summary>
internal sealed class PrefixPages
{
    private const int FirstPages = 4;
    private const int PageShift = 12;
    private const int PageSize = 1 << PageShift;
    private const int LongShift = 8;
    private const int LongSize = 1 << LongShift;
    private ulong[]?[] _pages = new ulong[]?[FirstPages];
    private LongPrefix[][] _longs = [];
    private int _pageCount;
    private int _longUsed = 1;
    private int _longFree;
    private ulong _longSeen;

    /// <summary>Bytes of the pages and of the places for long prefixes.</summary>
    public long MemoryBytes => ((long)_pageCount * PageSize * sizeof(ulong)) + ((long)_longs.Length * LongSize * LongPrefix.Bytes);

    /// <summary>The prefix that has the id or had it last, which must have been set.</summary>
    public IpPrefix this[uint id]
    {
        get
        {
            ref ulong place = ref Volatile.Read(ref _pages)[id >> PageShift]![id & (PageSize - 1)];
            while (true)
            {
                ulong word = Volatile.Read(ref place);
                if (!PackedPrefix.IsUnpacked(word))
                {
                    return PackedPrefix.Unpack(word);
                }

                ref LongPrefix full = ref PlaceOf((int)(word >> PackedPrefix.KindBits) & (int)PrefixIds.MaxId);
                (ulong high, ulong low, int length) = (Volatile.Read(ref full.High), Volatile.Read(ref full.Low), Volatile.Read(ref full.Length));
                if (Volatile.Read(ref place) == word)
                {
                    return IpPrefix.Create(IpAddr.FromIPv6(high, low), length);
                }
            }
        }
    }

    /// <summary>Gives the id to a prefix.</summary>
    public void Set(uint id, IpPrefix prefix)
    {
        MakeRoom((int)(id >> PageShift));
        ref ulong place = ref _pages[id >> PageShift]![id & (PageSize - 1)];
        ulong old = place;
        if (!PackedPrefix.TryPack(prefix, out ulong word))
        {
            word = SetLong(prefix);
        }

        Volatile.Write(ref place, word);
        if (PackedPrefix.IsUnpacked(old))
        {
            // The next user of the place writes to it after this word: whoever reads of that finds the word changed, too.
            int freed = (int)(old >> PackedPrefix.KindBits) & (int)PrefixIds.MaxId;
            Interlocked.MemoryBarrier();
            PlaceOf(freed).High = (ulong)_longFree;
            _longFree = freed;
        }
    }

    private ref LongPrefix PlaceOf(int at) => ref Volatile.Read(ref _longs)[at >> LongShift][at & (LongSize - 1)];

    private ulong SetLong(IpPrefix prefix)
    {
        int at = _longFree;
        if (at != 0)
        {
            _longFree = (int)PlaceOf(at).High;
        }
        else
        {
            at = _longUsed;
            if (at >> LongShift == _longs.Length)
            {
                Volatile.Write(ref _longs, [.. _longs, new LongPrefix[LongSize]]);
            }

            _longUsed++;
        }

        PlaceOf(at) = new LongPrefix { High = prefix.Address.High, Low = prefix.Address.Low, Length = prefix.Length };
        return (++_longSeen << (PrefixIds.Bits + PackedPrefix.KindBits)) | ((ulong)at << PackedPrefix.KindBits) | PackedPrefix.Unpacked;
    }

    private void MakeRoom(int page)
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
            _pageCount++;
        }
    }

    private struct LongPrefix
    {
        public const int Bytes = 24;
        public ulong High;
        public ulong Low;
        public int Length;
    }
}
