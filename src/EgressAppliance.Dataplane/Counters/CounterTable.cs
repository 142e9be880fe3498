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

    /// <summary>How many packets ahead of the addition a cell's cache line is asked for.</summary>
    private const int PrefetchDistance = 24;

    private readonly CounterPages _pages = new(PageCells * sizeof(Cell));
    private int _rowShift = 2;
    private nint[] _directory;
    private (uint PrefixId, ushort Link)[] _changed = new (uint, ushort)[256];

    public CounterTable()
    {
        _directory = NewDirectory();
    }

    /// <summary>Cells that hold something.</summary>
    public int ChangedCells { get; private set; }

    /// <summary>Bytes held by pages and lists.</summary>
    public long StateBytes => _pages.Bytes + (8L * _directory.Length) + (8L * _changed.Length);

    /// <summary>Counts one batch: packet i went to prefix <c>ids[i]</c> by <c>links[i]</c> with <c>lengths[i]</c> IP bytes.</summary>
    /// <remarks>Optimized at first use: a replay is over before tiered compilation would notice.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(ReadOnlySpan<uint> ids, ReadOnlySpan<byte> links, ReadOnlySpan<uint> lengths)
    {
        links = links[..ids.Length];
        lengths = lengths[..ids.Length];

        // Invariant: i is below the length that all three have. The directory is pinned, and read anew after it may have been replaced.
        fixed (uint* id = ids)
        fixed (byte* link = links)
        fixed (uint* length = lengths)
        {
            nint* directory = Directory(out int rowShift);
            int count = ids.Length;
            for (int i = 0; i < count; i++)
            {
                int ahead = Math.Min(i + PrefetchDistance, count - 1);
                Prefetch(directory, rowShift, id[ahead], link[ahead]);
                Cell* page = Page(directory, rowShift, id[i], link[i]);
                if (page == null)
                {
                    page = AddPage(id[i], link[i]);
                    directory = Directory(out rowShift);
                }

                Cell* cell = page + (id[i] & (PageCells - 1));
                if (cell->Packets == 0)
                {
                    NoteChange(id[i], link[i]);
                }

                cell->Packets++;
                cell->IpBytes += length[i];
            }
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
        foreach ((uint prefixId, ushort link) in _changed.AsSpan(0, ChangedCells))
        {
            ref Cell cell = ref CellOf(prefixId, link);
            target.Add(prefixId, (byte)link, cell.Packets, cell.IpBytes);
            cell = default;
        }

        ChangedCells = 0;
    }

    /// <summary>Takes everything out and leaves the table empty.</summary>
    public CounterCell[] Drain()
    {
        CounterCell[] result = new CounterCell[ChangedCells];
        for (int i = 0; i < result.Length; i++)
        {
            (uint prefixId, ushort link) = _changed[i];
            ref Cell cell = ref CellOf(prefixId, link);
            result[i] = new(prefixId, new LinkId(link), cell.Packets, cell.IpBytes);
            cell = default;
        }

        ChangedCells = 0;
        return result;
    }

    /// <summary>Gives the memory back. The table must not be used any more.</summary>
    public void Dispose() => _pages.Dispose();

    private static void Prefetch(nint* directory, int rowShift, uint prefixId, byte link)
    {
        if (Sse.IsSupported)
        {
            // Only a hint: where there is no page yet, the address is not one that could be read, and nothing is.
            Sse.Prefetch0(Page(directory, rowShift, prefixId, link) + (prefixId & (PageCells - 1)));
        }
    }

    /// <summary>The page that a cell is in, or null.</summary>
    private static Cell* Page(nint* directory, int rowShift, uint prefixId, byte link)
    {
        // Invariant: a row has 2^rowShift places, and a link's row begins at link × 2^rowShift.
        uint page = prefixId >> PageShift;
        return page >> rowShift == 0 ? (Cell*)directory[(link << rowShift) + (int)page] : null;
    }

    private ref Cell CellOf(uint prefixId, ushort link)
    {
        // Invariant: only cells whose page exists are noted as changed.
        return ref Unsafe.AsRef<Cell>(Page(Directory(out int rowShift), rowShift, prefixId, (byte)link) + (prefixId & (PageCells - 1)));
    }

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

        _changed[ChangedCells++] = (prefixId, link);
    }

    private struct Cell
    {
        public long Packets;
        public long IpBytes;
    }
}
