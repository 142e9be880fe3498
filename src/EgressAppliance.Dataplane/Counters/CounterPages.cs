using System.Runtime.ConstrainedExecution;
using EgressAppliance.Net.Lpm;

namespace EgressAppliance.Dataplane.Counters;

/// <summary>
/// Zeroed native memory for counters, cut into pages, taken from the system in huge pages: counters are hit at random, and with 4 KiB pages nearly every
/// packet would miss the TLB as well as the cache. Pages are never given back singly. One thread at a time.
/// </summary>
internal sealed unsafe class CounterPages : CriticalFinalizerObject, IDisposable
{
    private readonly int _pageBytes;
    private readonly List<AddressSpace> _chunks = [];
    private byte* _next;
    private int _left;

    /// <summary>Pages of a size that divides a huge page.</summary>
    public CounterPages(int pageBytes) => _pageBytes = pageBytes;

    /// <summary>Frees the memory of an owner that forgot to.</summary>
    ~CounterPages() => Free();

    /// <summary>Bytes taken from the system.</summary>
    public long Bytes => (long)_chunks.Count * AddressSpace.HugePageBytes;

    /// <summary>Whether the kernel took the advice to use huge pages.</summary>
    public bool HasHugePages { get; private set; }

    /// <summary>A new page, all zero, aligned to its size.</summary>
    /// <exception cref="InsufficientMemoryException">The system has no more.</exception>
    public byte* Add()
    {
        if (_left == 0)
        {
            AddressSpace chunk = new(AddressSpace.HugePageBytes);
            _chunks.Add(chunk);
            HasHugePages = chunk.Open(0, AddressSpace.HugePageBytes);
            _next = chunk.Start;
            _left = AddressSpace.HugePageBytes / _pageBytes;
        }

        // Invariant: pages left are within the chunk, whose size they divide.
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
        _chunks.ForEach(chunk => chunk.Dispose());
        _chunks.Clear();
        _left = 0;
    }
}
