using System.Runtime.CompilerServices;

namespace EgressAppliance.Net;

/// <summary>A list of structs that grows by arrays of fixed size: nothing is copied, and at most one array has room to spare.</summary>
internal sealed class TrieChunks<T>
    where T : struct
{
    /// <summary>Places of one array.</summary>
    public const int Size = 1 << ChunkShift;

    private const int ChunkShift = 14;
    private T[][] _chunks = [];

    /// <summary>Bytes of the arrays.</summary>
    public long MemoryBytes => (long)_chunks.Length * Size * Unsafe.SizeOf<T>();

    /// <summary>A place for which there is room.</summary>
    public ref T this[int index] => ref _chunks[index >> ChunkShift][index & (Size - 1)];

    /// <summary>Makes room for the place after the last.</summary>
    public void MakeRoom(int index)
    {
        int chunk = index >> ChunkShift;
        if (chunk == _chunks.Length)
        {
            // A few hundred references for a full table.
            Array.Resize(ref _chunks, chunk + 1);
            _chunks[chunk] = new T[Size];
        }
    }

    /// <summary>Gives up all arrays: the list is empty again.</summary>
    public void Clear() => _chunks = [];
}
