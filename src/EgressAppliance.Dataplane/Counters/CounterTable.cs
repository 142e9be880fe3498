using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Counters;

/// <summary>
/// Packets and IP bytes per (prefix id, link) since the table was last drained. One thread at a time.
/// </summary>
/// <remarks>
/// Cells of 16 bytes stand in pages of 16,384 prefixes (256 KiB) of native memory; a directory of pointers, a row for each link, finds the page, which
/// exists only once a packet of that link has hit it. A prefix leaves by one link, or a few, so the memory is what the hit part of the table needs, not
/// prefixes × links: at most 16 B × prefixes × links hit, and 8 B for each cell that changed since the last drain (the list by which draining
/// needs no scan). A full table of 1.25 M prefixes on one link is 20 MB, and 10 MB of list. Pages are kept when drained.
///
/// Consecutive packets hit unrelated cells, each a cache miss; so the line of a cell is asked for some packets before it is added to.
/// </remarks>
internal sealed unsafe class CounterTable : IDisposable
{
    private const int PageShift = 14;
    private const int PageCells = 1 << PageShift;
    private const int Links = LinkId.MaxValue + 1;

    /// <summary>Packets whose cells are asked for before the first of them is added to.</summary>
    private const int GroupSize = 64;

    private readonly CounterPages _pages = new(PageCells * sizeof(Cell));
    private int _rowShift = 2;
    private nint[] _directory;
    private ulong[] _changed = new ulong[1024];

    public CounterTable()
    {
        _directory = NewDirectory();
    }

    /// <summary>Cells that hold something.</summary>
    public int ChangedCells { get; private set; }

    /// <summary>Bytes held by pages and lists.</summary>
    public long StateBytes => _pages.Bytes + (8L * _directory.Length) + (8L * _changed.Length);

    /// <summary>Counts one batch: packet i went to prefix <c>ids[i]</c> by <c>links[i]</c> with <c>lengths[i]</c> IP bytes.</summary>
    public void Add(ReadOnlySpan<uint> ids, ReadOnlySpan<byte> links, ReadOnlySpan<uint> lengths)
    {
        links = links[..ids.Length];
        lengths = lengths[..ids.Length];
        if (_changed.Length - ChangedCells < ids.Length)
        {
            Array.Resize(ref _changed, Math.Max(_changed.Length * 2, ChangedCells + ids.Length));
        }

        // Invariant: places stay below the length that all three have; the list of changes has room for all; cells are found before they are added to.
        Cell** cells = stackalloc Cell*[GroupSize];
        Cell** nextCells = stackalloc Cell*[GroupSize];
        fixed (uint* id = ids)
        fixed (byte* link = links)
        fixed (uint* length = lengths)
        fixed (ulong* changed = _changed)
        {
            ulong* nextChange = changed + ChangedCells;
            int count = FindGroup(id, link, ids.Length, cells);
            for (int at = 0; at < ids.Length;)
            {
                // The next group's lines are asked for before this one is added, which gives them time to come.
                int next = at + count;
                int nextCount = FindGroup(id + next, link + next, ids.Length - next, nextCells);
                nextChange = AddToCells(cells, id + at, link + at, length + at, count, nextChange);
                Cell** used = cells;
                cells = nextCells;
                nextCells = used;
                at = next;
                count = nextCount;
            }

            ChangedCells = (int)(nextChange - changed);
        }
    }

    /// <summary>Adds to one cell.</summary>
    public void Add(uint prefixId, byte link, long packets, long ipBytes)
    {
        nint* directory = Directory(out int rowShift);
        Cell* page = Page(directory, rowShift, prefixId, link);
        page = page == null ? AddPage(prefixId, link) : page;

        // Invariant: a page has a cell for every value of the lower bits of an id.
        Cell* cell = page + (prefixId & (PageCells - 1));
        if (cell->Packets == 0)
        {
            NoteChange(prefixId, link);
        }

        cell->Packets += packets;
        cell->IpBytes += ipBytes;
    }

    /// <summary>Moves everything into another table and leaves this one empty.</summary>
    public void DrainTo(CounterTable target)
    {
        foreach (ulong change in _changed.AsSpan(0, ChangedCells))
        {
            Cell* cell = CellOf(change);
            target.Add((uint)change, (byte)(change >> 32), cell->Packets, cell->IpBytes);
            *cell = default;
        }

        ChangedCells = 0;
    }

    /// <summary>Takes everything out and leaves the table empty.</summary>
    public CounterCell[] Drain()
    {
        CounterCell[] result = new CounterCell[ChangedCells];
        for (int i = 0; i < result.Length; i++)
        {
            ulong change = _changed[i];
            Cell* cell = CellOf(change);
            result[i] = new((uint)change, new LinkId((byte)(change >> 32)), cell->Packets, cell->IpBytes);
            *cell = default;
        }

        ChangedCells = 0;
        return result;
    }

    /// <summary>Gives the memory back. The table must not be used any more.</summary>
    public void Dispose() => _pages.Dispose();

    /// <summary>Finds the cells of the next group, adding pages that are missing; gives its size.</summary>
    private int FindGroup(uint* ids, byte* links, int left, Cell** cells)
    {
        int count = Math.Min(GroupSize, left);
        for (int found = 0; (found = FindCells(ids, links, found, count, cells)) < count;)
        {
            AddPage(ids[found], links[found]);
        }

        return count;
    }

    // The two loops call nothing and are not inlined, so that their values stay in registers. Optimized at first use: a replay is over before tiered compilation would notice.

    /// <summary>Finds the cells of a group from a place on, and asks for their lines; gives the first place whose page is missing, or the count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private int FindCells(uint* ids, byte* links, int from, int count, Cell** cells)
    {
        nint* directory = Directory(out int rowShift);
        for (int i = from; i < count; i++)
        {
            Cell* page = Page(directory, rowShift, ids[i], links[i]);
            if (page == null)
            {
                return i;
            }

            cells[i] = page + (ids[i] & (PageCells - 1));
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(cells[i]);
            }
        }

        return count;
    }

    /// <summary>Adds a group to its cells, and to the list those that held nothing; gives the list's new end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static ulong* AddToCells(Cell** cells, uint* ids, byte* links, uint* lengths, int count, ulong* changed)
    {
        for (int i = 0; i < count; i++)
        {
            Cell* cell = cells[i];
            *changed = Change(ids[i], links[i]);
            changed += Unsafe.BitCast<bool, byte>(cell->Packets == 0);
            cell->Packets++;
            cell->IpBytes += lengths[i];
        }

        return changed;
    }

    private static ulong Change(uint prefixId, byte link) => prefixId | ((ulong)link << 32);

    /// <summary>The page that a cell is in, or null.</summary>
    private static Cell* Page(nint* directory, int rowShift, uint prefixId, byte link)
    {
        // Invariant: a row has 2^rowShift places, and a link's row begins at link × 2^rowShift.
        uint page = prefixId >> PageShift;
        return page >> rowShift == 0 ? (Cell*)directory[(link << rowShift) + (int)page] : null;
    }

    // Invariant: only cells whose page exists are listed as changed.
    private Cell* CellOf(ulong change) =>
        Page(Directory(out int rowShift), rowShift, (uint)change, (byte)(change >> 32)) + ((uint)change & (PageCells - 1));

    private nint* Directory(out int rowShift)
    {
        // Invariant: allocated pinned, and reachable from this object as long as the pointer is used.
        rowShift = _rowShift;
        return (nint*)Unsafe.AsPointer(ref _directory[0]);
    }

    private nint[] NewDirectory() => GC.AllocateArray<nint>(Links << _rowShift, pinned: true);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Cell* AddPage(uint prefixId, byte link)
    {
        int page = (int)(prefixId >> PageShift);
        if (page >> _rowShift != 0)
        {
            nint[] old = _directory;
            int oldRow = 1 << _rowShift;
            while (page >> _rowShift != 0)
            {
                _rowShift++;
            }

            _directory = NewDirectory();
            for (int row = 0; row < Links; row++)
            {
                old.AsSpan(row * oldRow, oldRow).CopyTo(_directory.AsSpan(row << _rowShift));
            }
        }

        nint added = (nint)_pages.Add();
        _directory[(link << _rowShift) + page] = added;
        return (Cell*)added;
    }

    private void NoteChange(uint prefixId, byte link)
    {
        if (ChangedCells == _changed.Length)
        {
            Array.Resize(ref _changed, _changed.Length * 2);
        }

        _changed[ChangedCells++] = Change(prefixId, link);
    }

    private struct Cell
    {
        public long Packets;
        public long IpBytes;
    }
}
