using System.Buffers;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

// A full table arrives in the order of its attribute sets, which is no order of prefixes: each change would go down the trie by nodes that are in no
// cache, a microsecond of waiting each. Changes are therefore gathered for a moment, sorted by the upper bits of their addresses and applied so that neighbours
// follow one another and find their way in the cache: a third of the time. The sort is stable, so changes of one path stay in the order in which they
// came; what the table is after them is the same as without.
//
// Gathering is done under the speaker's lock. Applying takes it for a slice at a time, so that nobody waits longer than a slice; meanwhile new changes are
// gathered in another array. The order of locks is: session, this intake's own, speaker.

/// <summary>Changes of one source that are gathered and then applied together.</summary>
internal sealed class RouteIntake(RibTable table, int source, Lock gate, LockQueue queue, RouteIntake.Applied applied)
{
    /// <summary>As many changes are worth applying at once; more make it only a little faster. With the rest of an UPDATE they fit an array of the pool.</summary>
    public const int Full = (1 << 16) - 4096;

    private const int Slice = 2048;
    private const int FirstRoom = 256;
    private readonly Lock _applying = new();
    private Change[] _changes = [];
    private List<IpPrefix> _tooLong = [];
    private int _count;
    private int _underWay;

    /// <summary>Called under the speaker's lock after each slice.</summary>
    public delegate void Applied(ReadOnlySpan<Change> slice, IReadOnlyList<IpPrefix> tooLong, int added);

    /// <summary>Changes gathered. Under the speaker's lock, or as a hint.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Changes gathered or being applied. Under the speaker's lock.</summary>
    public int Pending => _count + _underWay;

    /// <summary>Notes an announcement and takes a user of the set with it. Under the speaker's lock.</summary>
    public void Announce(IpPrefix prefix, uint pathId, uint set)
    {
        table.AddUser(set);
        Add(prefix, pathId, set);
    }

    /// <summary>Notes a withdrawal. Under the speaker's lock.</summary>
    public void Withdraw(IpPrefix prefix, uint pathId) => Add(prefix, pathId, 0);

    /// <summary>Applies everything gathered so far. Not under the speaker's lock, which is taken and given back for each slice.</summary>
    public void Flush()
    {
        lock (_applying)
        {
            Change[] changes;
            List<IpPrefix> tooLong;
            int count;
            queue.Come();
            lock (gate)
            {
                queue.Served();
                (changes, tooLong, count) = (_changes, _tooLong, _count);
                (_changes, _count, _underWay) = ([], 0, count);
                _tooLong = tooLong.Count > 0 ? [] : tooLong;
            }

            if (count == 0)
            {
                return;
            }

            Sort(ref changes, count);
            for (int start = 0; start < count; start += Slice)
            {
                ReadOnlySpan<Change> slice = changes.AsSpan(start, Math.Min(Slice, count - start));
                // A few changes are what somebody waits for; a table is what can wait.
                bool few = count <= Slice;
                if (few)
                {
                    queue.Come();
                }
                else
                {
                    queue.GiveWay();
                }

                lock (gate)
                {
                    if (few)
                    {
                        queue.Served();
                    }

                    _underWay -= slice.Length;
                    applied(slice, tooLong, table.Apply(source, slice, tooLong));
                }
            }

            ArrayPool<Change>.Shared.Return(changes);
        }
    }

    /// <summary>Forgets everything: the source is gone. Not under the speaker's lock.</summary>
    public void Clear()
    {
        lock (_applying)
        {
            lock (gate)
            {
                foreach (ref readonly Change change in _changes.AsSpan(0, _count))
                {
                    if (change.Set != 0)
                    {
                        table.Release(change.Set);
                    }
                }

                (_changes, _tooLong, _count, _underWay) = ([], [], 0, 0);
            }
        }
    }

    private void Add(IpPrefix prefix, uint pathId, uint set)
    {
        if (_count == _changes.Length)
        {
            Change[] longer = ArrayPool<Change>.Shared.Rent(_count == 0 ? FirstRoom : _count < Full / 16 ? 16 * _count : 2 * _count);
            _changes.AsSpan(0, _count).CopyTo(longer);
            if (_changes.Length > 0)
            {
                ArrayPool<Change>.Shared.Return(_changes);
            }

            _changes = longer;
        }

        if (!PackedPrefix.TryPack(prefix, out ulong word))
        {
            word = ((ulong)_tooLong.Count << PackedPrefix.KindBits) | PackedPrefix.Unpacked;
            _tooLong.Add(prefix);
        }

        _changes[_count++] = new Change(word, pathId, set);
    }

    /// <summary>Sorts by the upper bits of the addresses, a digit at a time from the lower to the upper, each pass stable.</summary>
    private static void Sort(ref Change[] changes, int count)
    {
        const int Worthwhile = 64;
        const int DigitBits = 12;
        const int Digits = 1 << DigitBits;
        if (count < Worthwhile)
        {
            return;
        }

        Change[] other = ArrayPool<Change>.Shared.Rent(count);
        Span<int> places = stackalloc int[Digits];
        foreach (int shift in (ReadOnlySpan<int>)[64 - (2 * DigitBits), 64 - DigitBits])
        {
            places.Clear();
            ReadOnlySpan<Change> from = changes.AsSpan(0, count);
            foreach (ref readonly Change change in from)
            {
                places[(int)(change.Word >> shift) & (Digits - 1)]++;
            }

            int sum = 0;
            foreach (ref int place in places)
            {
                (place, sum) = (sum, sum + place);
            }

            foreach (ref readonly Change change in from)
            {
                other[places[(int)(change.Word >> shift) & (Digits - 1)]++] = change;
            }

            (changes, other) = (other, changes);
        }

        ArrayPool<Change>.Shared.Return(other);
    }

    /// <summary>One change, 16 bytes.</summary>
    /// <param name="Word">The prefix (<see cref="PackedPrefix"/>), or the place in a list beside of one that is too long to pack, which is rare.</param>
    /// <param name="PathId">Path identifier.</param>
    /// <param name="Set">The attribute set announced; 0 for a withdrawal.</param>
    public readonly record struct Change(ulong Word, uint PathId, uint Set)
    {
        /// <summary>The prefix.</summary>
        public IpPrefix Prefix(IReadOnlyList<IpPrefix> tooLong) =>
            PackedPrefix.IsUnpacked(Word) ? tooLong[(int)(Word >> PackedPrefix.KindBits)] : PackedPrefix.Unpack(Word);
    }
}
