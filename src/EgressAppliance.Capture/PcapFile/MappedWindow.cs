using System.IO.MemoryMappedFiles;

namespace EgressAppliance.Capture.PcapFile;

/// <summary>
/// A part of a file, mapped for as long as somebody holds it: the file, whose current window it is, and each block of frames that lies in it. Any thread.
/// </summary>
internal sealed unsafe class MappedWindow
{
    private readonly MemoryMappedViewAccessor _view;
    private int _holders = 1;

    /// <summary>Maps a part of a file; the caller holds it.</summary>
    public MappedWindow(MemoryMappedFile map, long start, int length)
    {
        _view = map.CreateViewAccessor(start, length, MemoryMappedFileAccess.Read);
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        Memory = pointer + _view.PointerOffset;
        Start = start;
        Length = length;
    }

    /// <summary>First byte; valid while the window is held.</summary>
    public byte* Memory { get; }

    /// <summary>The memory; valid while the window is held.</summary>
    public ReadOnlySpan<byte> Bytes => new(Memory, Length);

    /// <summary>File offset of the first byte.</summary>
    public long Start { get; }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    /// <summary>Another holder, while there is one.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>One holder less; the last one unmaps.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
        }
    }
}
