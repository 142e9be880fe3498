namespace EgressAppliance.Bgp.Rib;

/// <summary>Numbers by index that are mostly 0: an array of them is made only where one is not.</summary>
internal sealed class SparseNumbers
{
    private const int ChunkShift = 14;
    private const int ChunkSize = 1 << ChunkShift;
    private uint[]?[] _chunks = [];
    private int _made;

    /// <summary>Bytes of the arrays.</summary>
    public long MemoryBytes => (long)_made * ChunkSize * sizeof(uint);

    /// <summary>The number at an index, 0 where none was put.</summary>
    public uint this[uint index]
    {
        get
        {
            uint chunk = index >> ChunkShift;
            return chunk < _chunks.Length && _chunks[chunk] is { } numbers ? numbers[index & (ChunkSize - 1)] : 0;
        }

        set
        {
            uint chunk = index >> ChunkShift;
            uint[]? numbers = chunk < _chunks.Length ? _chunks[chunk] : null;
            if (numbers is null)
            {
                if (value == 0)
                {
                    return;
                }

                numbers = Make(chunk);
            }

            numbers[index & (ChunkSize - 1)] = value;
        }
    }

    private uint[] Make(uint chunk)
    {
        if (chunk >= _chunks.Length)
        {
            Array.Resize(ref _chunks, (int)Math.Max(chunk + 1, 2 * (uint)_chunks.Length));
        }

        _made++;
        return _chunks[chunk] = new uint[ChunkSize];
    }
}
