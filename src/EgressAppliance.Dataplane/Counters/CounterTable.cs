using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Counters;

/// <summary>
/// Packets and IP bytes per (prefix id, link) since the table was last drained. One thread at a time.
/// </summary>
/// <remarks>
/// Cells of 16 bytes stand in pages of 1024 prefixes, one page list per link, and a page exists only once a packet of that link has hit it.
/// A prefix leaves by one link, or a few, so the memory is what the hit part of the table needs, not prefixes × links:
/// at most 16 B × prefixes × links hit, and 8 B for each cell that changed since the last drain (the list by which draining
/// needs no scan). A full table of 1.25 M prefixes on one link is 20 MB, and 10 MB of list. Pages are kept when drained.
///
/// Consecutive packets hit unrelated cells, each a cache miss; the batch loop asks for the line of a cell some packets before it adds to it.
/// </remarks>
internal sealed class CounterTable
{
    private const int PageShift = 10;
    private const int PageCells = 1 << PageShift;

    /// <summary>How many packets ahead of the addition a cell's cache line is asked for.</summary>
    private const int PrefetchDistance = 16;

    private readonly Cell[]?[][] _pages = new Cell[]?[LinkId.MaxValue + 1][];
    private (uint PrefixId, ushort Link)[] _changed = new (uint, ushort)[256];

    public CounterTable()
    {
        Array.Fill(_pages, []);
    }

    /// <summary>Cells that hold something.</summary>
    public int ChangedCells { get; private set; }

    /// <summary>Bytes held by pages and lists.</summary>
    public long StateBytes { get; private set; }

    /// <summary>Counts one batch: packet i went to prefix <c>ids[i]</c> by <c>links[i]</c> with <c>lengths[i]</c> IP bytes.</summary>
    public void Add(ReadOnlySpan<uint> ids, ReadOnlySpan<byte> links, ReadOnlySpan<uint> lengths)
    {
        links = links[..ids.Length];
        lengths = lengths[..ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            int ahead = i + PrefetchDistance;
            if (ahead < ids.Length)
            {
                Prefetch(ids[ahead], links[ahead]);
            }

            Add(ids[i], links[i], 1, lengths[i]);
        }
    }

    /// <summary>Adds to one cell.</summary>
    public void Add(uint prefixId, byte link, long packets, long ipBytes)
    {
        Cell[]?[] pages = _pages[link];
        uint page = prefixId >> PageShift;
        Cell[] cells = page < (uint)pages.Length && pages[page] is { } existing ? existing : AddPage(link, page);
        ref Cell cell = ref cells[prefixId & (PageCells - 1)];
        if (cell.Packets == 0)
        {
            NoteChange(prefixId, link);
        }

        cell.Packets += packets;
        cell.IpBytes += ipBytes;
    }

    /// <summary>Moves everything into another table and leaves this one empty.</summary>
    public void DrainTo(CounterTable target)
    {
        foreach ((uint prefixId, ushort link) in _changed.AsSpan(0, ChangedCells))
        {
            ref Cell cell = ref _pages[link][prefixId >> PageShift]![prefixId & (PageCells - 1)];
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
            ref Cell cell = ref _pages[link][prefixId >> PageShift]![prefixId & (PageCells - 1)];
            result[i] = new(prefixId, new LinkId(link), cell.Packets, cell.IpBytes);
            cell = default;
        }

        ChangedCells = 0;
        return result;
    }

    private unsafe void Prefetch(uint prefixId, byte link)
    {
        Cell[]?[] pages = _pages[link];
        uint page = prefixId >> PageShift;
        if (Sse.IsSupported && page < (uint)pages.Length && pages[page] is { } cells)
        {
            // Only a hint: should the collector move the page meanwhile, a useless line is fetched, nothing is read.
            Sse.Prefetch0(Unsafe.AsPointer(ref cells[prefixId & (PageCells - 1)]));
        }
    }

    private Cell[] AddPage(byte link, uint page)
    {
        Cell[]?[] pages = _pages[link];
        if (page >= (uint)pages.Length)
        {
            int size = (int)Math.Max(page + 1, (uint)pages.Length * 2);
            StateBytes += 8L * (size - pages.Length);
            Array.Resize(ref pages, size);
            _pages[link] = pages;
        }

        StateBytes += (long)PageCells * Unsafe.SizeOf<Cell>();
        return pages[page] = new Cell[PageCells];
    }

    private void NoteChange(uint prefixId, byte link)
    {
        if (ChangedCells == _changed.Length)
        {
            StateBytes += 8L * _changed.Length;
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
