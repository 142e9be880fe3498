using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;
using EgressAppliance.Net.Lpm;

namespace EgressAppliance.Dataplane.Counters;

/// <summary>
/// Zeroed native memory for counters, cut into pages, taken from the system in huge pages: counters are hit at random, and with 4 KiB pages nearly every
/// packet would miss the TLB as well as the cache. Pages are never given back singly. One thread at a time.
/// </summary>
internal sealed unsafe class CounterPages : CriticalFinalizerObject, IDisposable
{
    private readonly int _pageBytes;
    private readonly List<nint> _allocations = [];
    private byte* _next;
    private int _left;

    /// <summary>Pages of a size that divides a huge page.</summary>
    public CounterPages(int pageBytes) => _pageBytes = pageBytes;

    /// <summary>Frees the memory of an owner that forgot to.</summary>
    ~CounterPages() => Free();

    /// <summary>Bytes taken from the system.</summary>
    public long Bytes => (long)_allocations.Count * HugePages.Size;

    /// <summary>A new page, all zero, aligned to its size.</summary>
    public byte* Add()
    {
        if (_left == 0)
        {
            // Invariant: a huge page more than needed, so that the aligned one lies within. What is never touched takes no memory.
            void* allocation = NativeMemory.AllocZeroed(2 * HugePages.Size);
            _allocations.Add((nint)allocation);
            _next = (byte*)(((nuint)allocation + HugePages.Size - 1) & ~(nuint)(HugePages.Size - 1));
            _left = HugePages.Size / _pageBytes;
            HugePages.Advise(_next, HugePages.Size);
        }

        byte* page = _next;
        _next += _pageBytes;
        _left--;
        return page;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        foreach (nint allocation in _allocations)
        {
            NativeMemory.Free((void*)allocation);
        }

        _allocations.Clear();
        _left = 0;
    }
}
