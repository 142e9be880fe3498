using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

// A full table arrives in the order of its attribute sets, which is no order of prefixes: each change would go down the trie by nodes that are in no
// cache, a microsecond of waiting each. What is read in one go is therefore gathered, sorted by the upper bits of its addresses and applied so that neighbours
// follow one another and find their way in the cache. The sort is stable, so changes of one path stay in the order in which they came; what the
// table is after them is the same as without.

/// <summary>
/// Changes of one source that are gathered and then applied together. Used under the table's lock; a change is in the table when <see cref="Flush"/> returned.
/// </summary>
internal sealed class RouteIntake(RibTable table, int source)
{
    /// <summary>Changes gathered at most.</summary>
    public const int Capacity = 262144;

    private const int FirstRoom = 256;
    private Change[] _changes = new Change[FirstRoom];
    private Change[] _sorted = [];
    private int _count;

    /// <summary>Changes gathered.</summary>
    public int Count => _count;

    /// <summary>True if it must be flushed before the next change.</summary>
    public bool IsFull => _count == Capacity;

    /// <summary>Notes an announcement and takes a user of the set with it.</summary>
    public void Announce(IpPrefix prefix, uint pathId, uint set)
    {
        table.AddUser(set);
        Add(prefix, pathId, set);
    }

    /// <summary>Notes a withdrawal.</summary>
    public void Withdraw(IpPrefix prefix, uint pathId) => Add(prefix, pathId, 0);

    /// <summary>Applies everything and returns how many paths are new.</summary>
    public int Flush()
    {
        if (_count == 0)
        {
            return 0;
        }

        Change[] ordered = Sort();
        int added = table.Apply(source, ordered.AsSpan(0, _count));
        _count = 0;
        return added;
    }

    /// <summary>Forgets everything: the source is gone.</summary>
    public void Clear()
    {
        foreach (ref Change change in _changes.AsSpan(0, _count))
        {
            if (change.Set != 0)
            {
                table.Release(change.Set);
            }
        }

        _count = 0;
        Shrink();
    }

    /// <summary>Gives back the memory that only a table being loaded needs.</summary>
    public void Shrink()
    {
        if (_count == 0 && _changes.Length > FirstRoom)
        {
            _changes = new Change[FirstRoom];
            _sorted = [];
        }
    }

    private void Add(IpPrefix prefix, uint pathId, uint set)
    {
        if (_count == _changes.Length)
        {
            Array.Resize(ref _changes, Math.Min(Capacity, 4 * _count));
        }

        _changes[_count++] = new Change(prefix, pathId, set);
    }

    /// <summary>Sorts by the upper bits of the addresses, a digit at a time from the lower to the upper, each pass stable.</summary>
    private Change[] Sort()
    {
        const int Worthwhile = 64;
        const int DigitBits = 12;
        const int Digits = 1 << DigitBits;
        if (_count < Worthwhile)
        {
            return _changes;
        }

        if (_sorted.Length < _changes.Length)
        {
            _sorted = new Change[_changes.Length];
        }

        Span<int> places = stackalloc int[Digits];
        foreach (int shift in (ReadOnlySpan<int>)[64 - (2 * DigitBits), 64 - DigitBits])
        {
            places.Clear();
            ReadOnlySpan<Change> from = _changes.AsSpan(0, _count);
            foreach (ref readonly Change change in from)
            {
                places[(int)(change.Bits >> shift) & (Digits - 1)]++;
            }

            int sum = 0;
            foreach (ref int place in places)
            {
                (place, sum) = (sum, sum + place);
            }

            foreach (ref readonly Change change in from)
            {
                _sorted[places[(int)(change.Bits >> shift) & (Digits - 1)]++] = change;
            }

            (_changes, _sorted) = (_sorted, _changes);
        }

        return _changes;
    }

    /// <summary>One change; set 0 is a withdrawal.</summary>
    public readonly struct Change(IpPrefix prefix, uint pathId, uint set)
    {
        private readonly ulong _low = prefix.Address.Low;
        private readonly byte _length = prefix.Length;
        private readonly IpFamily _family = prefix.Family;

        public ulong Bits { get; } = prefix.Address.High;

        public uint PathId { get; } = pathId;

        public uint Set { get; } = set;

        public IpPrefix Prefix => IpPrefix.Create(IpAddr.FromBits(_family, Bits, _low), _length);
    }
}
