using System.Runtime.InteropServices;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Flow;

/// <summary>
/// Pays counts of flow records out evenly over the time that they stand for, so that a record of a minute is a minute's rate, and not a spike of the cycle in which it arrived.
/// </summary>
/// <remarks>
/// Counts are kept by cell: a prefix on a link. A cell holds the sum of the rates of all its records, so that a record costs one change of that sum now and one when it ends.
/// The ends stand in a ring of <see cref="Buckets"/> times, over which the longest duration is spread; an end is moved up to the next of these, and the rate is what then
/// brings exactly the record's counts. The ends of a cell in a bucket are one entry.
///
/// A prefix may go while its records are being paid out, and its id may be another's some cycles later. So each snapshot looks whether the cell's prefix is still held, and
/// if not, gives what follows to the prefix that now has the destination of the cell's first record. A snapshot must come between any two calls of <see cref="PrefixTable.Tick"/>.
///
/// Bounded: cells, and entries of the ring. What finds no room counts at once, by the link alone or by its cell, and is counted as such. Not thread-safe. Times are milliseconds of
/// any clock that does not go back.
/// </remarks>
public sealed class FlowPayout
{
    /// <summary>Ends within the longest duration that are told apart.</summary>
    public const int Buckets = 256;

    private readonly PrefixTable _table;
    private readonly Dictionary<int, Ending>[] _ring = [.. Enumerable.Range(0, Buckets + 2).Select(_ => new Dictionary<int, Ending>())];
    private readonly Dictionary<(uint Id, LinkId Link), int> _index = [];
    private readonly List<Cell> _cells = [];
    private readonly Stack<int> _free = new();
    private readonly long _longest;
    private readonly double _width;
    private readonly int _maxCells;
    private readonly int _maxEndings;
    private long _bucket;
    private bool _started;

    /// <summary>Nothing to pay out.</summary>
    /// <param name="table">The prefixes.</param>
    /// <param name="longest">Longest duration.</param>
    /// <param name="maxCells">Most cells.</param>
    /// <param name="maxEndings">Most entries of the ring.</param>
    public FlowPayout(PrefixTable table, TimeSpan longest, int maxCells = 1 << 20, int maxEndings = 1 << 20)
    {
        _table = table;
        _longest = (long)longest.TotalMilliseconds;
        _width = (double)_longest / Buckets;
        _maxCells = maxCells;
        _maxEndings = maxEndings;
    }

    /// <summary>Cells held.</summary>
    public int Cells => _cells.Count - _free.Count;

    /// <summary>Entries of the ring.</summary>
    public int Endings { get; private set; }

    /// <summary>Records that were paid out at once, or by their link alone, for want of room.</summary>
    public long Unspread { get; private set; }

    /// <summary>Adds a record.</summary>
    /// <param name="destination">Its destination.</param>
    /// <param name="link">The link that it left by.</param>
    /// <param name="bytes">IP bytes, scaled by the sampling interval.</param>
    /// <param name="packets">Packets, scaled.</param>
    /// <param name="seen">Packets that were looked at.</param>
    /// <param name="duration">Time to pay it out in, milliseconds; clamped to the longest. 0 or less: at once.</param>
    /// <param name="now">Now, milliseconds.</param>
    /// <returns>Whether a prefix matched.</returns>
    public bool Add(IpAddr destination, LinkId link, double bytes, double packets, double seen, long duration, long now)
    {
        Advance(now);
        uint id = _table.Lookup.Lookup(destination);
        int slot = CellOf(id, link, destination, now);
        ref Cell cell = ref CollectionsMarshal.AsSpan(_cells)[slot];
        long bucket = (long)Math.Ceiling((now + Math.Min(duration, _longest)) / _width) - 1;
        double length = ((bucket + 1) * _width) - now;
        Dictionary<int, Ending>? ends = duration > 0 && length > 0 ? _ring[bucket % _ring.Length] : null;
        if (ends is null || (Endings >= _maxEndings && !ends.ContainsKey(slot)))
        {
            Unspread += ends is null ? 0 : 1;
            cell.Due = new Amount(cell.Due.Bytes + bytes, cell.Due.Packets + packets, cell.Due.Seen + seen);
            return id != 0;
        }

        cell.Settle(now);
        Amount rate = new(bytes / length, packets / length, seen / length);
        cell.Rate += rate;
        cell.Active++;
        ref Ending ending = ref CollectionsMarshal.GetValueRefOrAddDefault(ends, slot, out bool known);
        Endings += known ? 0 : 1;
        ending = new Ending(ending.Rate + rate, ending.Records + 1);
        return id != 0;
    }

    /// <summary>What is due since the previous call, as cells with their own sampling interval.</summary>
    /// <param name="now">Now, milliseconds.</param>
    public List<CounterCell> Take(long now)
    {
        Advance(now);
        List<CounterCell> due = new(Cells);
        Span<Cell> cells = CollectionsMarshal.AsSpan(_cells);
        for (int slot = 0; slot < cells.Length; slot++)
        {
            ref Cell cell = ref cells[slot];
            if (!cell.Used)
            {
                continue;
            }

            cell.Settle(now);
            Follow(ref cell, slot);
            bool last = cell.Active == 0;
            long bytes = (long)(last ? Math.Round(cell.Due.Bytes) : cell.Due.Bytes);
            long packets = (long)(last ? Math.Round(cell.Due.Packets) : cell.Due.Packets);
            if (bytes > 0 || packets > 0)
            {
                due.Add(new CounterCell(cell.Id, cell.Link, packets, bytes) { Sampling = cell.Due.Seen > 0 ? Math.Max(1, cell.Due.Packets / cell.Due.Seen) : 1 });

                // The rest of a packet goes on to the next, with what was looked at of it.
                double left = cell.Due.Packets > 0 ? Math.Max(0, cell.Due.Packets - packets) / cell.Due.Packets : 0;
                cell.Due = new Amount(cell.Due.Bytes - bytes, cell.Due.Packets * left, cell.Due.Seen * left);
            }

            if (last)
            {
                Free(ref cell, slot);
            }
        }

        return due;
    }

    private int CellOf(uint id, LinkId link, IpAddr destination, long now)
    {
        if (_index.TryGetValue((id, link), out int slot))
        {
            return slot;
        }

        if (id != 0 && Cells >= _maxCells)
        {
            Unspread++;
            return CellOf(0, link, destination, now);
        }

        if (!_free.TryPop(out slot))
        {
            slot = _cells.Count;
            _cells.Add(default);
        }

        _cells[slot] = new Cell { Used = true, Id = id, Link = link, Prefix = id == 0 ? default : _table.PrefixOf(id), Destination = destination, Settled = now };
        _index[(id, link)] = slot;
        return slot;
    }

    /// <summary>Ends the records whose time is over.</summary>
    private void Advance(long now)
    {
        long current = (long)(now / _width);
        long from = _started ? _bucket : current;
        for (long bucket = from; bucket < Math.Min(current, from + _ring.Length); bucket++)
        {
            End(bucket);
        }

        _bucket = Math.Max(current, from);
        _started = true;
    }

    private void End(long bucket)
    {
        Dictionary<int, Ending> ends = _ring[bucket % _ring.Length];
        if (ends.Count == 0)
        {
            return;
        }

        double at = (bucket + 1) * _width;
        Span<Cell> cells = CollectionsMarshal.AsSpan(_cells);
        foreach ((int slot, Ending ending) in ends)
        {
            ref Cell cell = ref cells[slot];
            cell.Settle(at);
            cell.Active -= ending.Records;

            // Sums of floating-point numbers do not come back to nothing by themselves.
            cell.Rate = cell.Active == 0 ? default : cell.Rate - ending.Rate;
        }

        Endings -= ends.Count;
        ends.Clear();
    }

    /// <summary>A cell whose prefix went goes on as that of the prefix that now has its first destination.</summary>
    private void Follow(ref Cell cell, int slot)
    {
        if (cell.Id == 0)
        {
            return;
        }

        uint id = _table.Lookup.Lookup(cell.Destination);
        if (id == cell.Id && _table.PrefixOf(id) == cell.Prefix)
        {
            return;
        }

        // A more specific one may have come beside it.
        if (_table.TryGetId(cell.Prefix, out uint held))
        {
            id = held;
        }

        if (id == cell.Id)
        {
            return;
        }

        Unlist(cell, slot);
        cell.Id = id;
        cell.Prefix = id == 0 ? default : _table.PrefixOf(id);

        // Where there is a cell already, this one only ends what it began.
        _index.TryAdd((id, cell.Link), slot);
    }

    private void Free(ref Cell cell, int slot)
    {
        Unlist(cell, slot);
        cell = default;
        _free.Push(slot);
    }

    private void Unlist(in Cell cell, int slot)
    {
        if (_index.TryGetValue((cell.Id, cell.Link), out int listed) && listed == slot)
        {
            _index.Remove((cell.Id, cell.Link));
        }
    }

    private readonly record struct Amount(double Bytes, double Packets, double Seen)
    {
        public static Amount operator +(Amount a, Amount b) => new(a.Bytes + b.Bytes, a.Packets + b.Packets, a.Seen + b.Seen);

        public static Amount operator -(Amount a, Amount b) => new(a.Bytes - b.Bytes, a.Packets - b.Packets, a.Seen - b.Seen);
    }

    private readonly record struct Ending(Amount Rate, int Records);

    private struct Cell
    {
        public bool Used;
        public uint Id;
        public LinkId Link;
        public int Active;
        public IpPrefix Prefix;
        public IpAddr Destination;

        /// <summary>Counts for the next snapshot.</summary>
        public Amount Due;

        /// <summary>Counts a millisecond of all records that are being paid out.</summary>
        public Amount Rate;

        /// <summary>Until when the rate is in what is due, milliseconds.</summary>
        public double Settled;

        public void Settle(double at)
        {
            double elapsed = at - Settled;
            if (elapsed <= 0)
            {
                return;
            }

            if (Active > 0)
            {
                Due = new Amount(Due.Bytes + (Rate.Bytes * elapsed), Due.Packets + (Rate.Packets * elapsed), Due.Seen + (Rate.Seen * elapsed));
            }

            Settled = at;
        }
    }
}
