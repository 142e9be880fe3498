using System.Numerics;

namespace EgressAppliance.Net;

/// <summary>A set of ids above 0, one bit each up to the largest it has ever held. Not safe for concurrent use.</summary>
internal sealed class IdSet
{
    private const int WordShift = 6;
    private const int WordMask = (1 << WordShift) - 1;
    private ulong[] _words = [];

    // In words before this one there are no ids.
    private int _lowest;

    /// <summary>Ids in the set.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the bits.</summary>
    public long MemoryBytes => (long)_words.Length * sizeof(ulong);

    /// <summary>Adds an id that is not in the set.</summary>
    public void Add(uint id)
    {
        MakeRoomFor(id);
        int at = (int)(id >> WordShift);
        _words[at] |= 1UL << (int)(id & WordMask);
        _lowest = Math.Min(_lowest, at);
        Count++;
    }

    /// <summary>Removes an id; false if it was not in the set.</summary>
    public bool Remove(uint id)
    {
        int at = (int)(id >> WordShift);
        ulong bit = 1UL << (int)(id & WordMask);
        if (at >= _words.Length || (_words[at] & bit) == 0)
        {
            return false;
        }

        _words[at] &= ~bit;
        Count--;
        return true;
    }

    /// <summary>The lowest id, or 0.</summary>
    public uint Lowest()
    {
        if (Count == 0)
        {
            return 0;
        }

        // Until an id is added below, this does not pass over the same words again.
        while (_words[_lowest] == 0)
        {
            _lowest++;
        }

        return ((uint)_lowest << WordShift) + (uint)BitOperations.TrailingZeroCount(_words[_lowest]);
    }

    /// <summary>The lowest id above this one, or 0. Begins with 0.</summary>
    public uint Next(uint id)
    {
        id++;
        int at = (int)(id >> WordShift);
        if (at >= _words.Length)
        {
            return 0;
        }

        ulong word = _words[at] & (ulong.MaxValue << (int)(id & WordMask));
        while (word == 0)
        {
            if (++at == _words.Length)
            {
                return 0;
            }

            word = _words[at];
        }

        return ((uint)at << WordShift) + (uint)BitOperations.TrailingZeroCount(word);
    }

    /// <summary>Moves all ids to another set, which has none of them.</summary>
    public void MoveTo(IdSet other)
    {
        if (Count == 0)
        {
            return;
        }

        other.MakeRoomFor(this);
        for (int i = 0; i < _words.Length; i++)
        {
            other._words[i] |= _words[i];
        }

        other.Count += Count;
        other._lowest = Math.Min(other._lowest, _lowest);
        Array.Clear(_words);
        Count = 0;
    }

    /// <summary>Makes room for the ids of another set, so that moving them here cannot fail.</summary>
    public void MakeRoomFor(IdSet other) => MakeRoom(other._words.Length);

    /// <summary>Makes room for an id, so that adding it cannot fail.</summary>
    public void MakeRoomFor(uint id) => MakeRoom((int)(id >> WordShift) + 1);

    private void MakeRoom(int words)
    {
        if (words > _words.Length)
        {
            Array.Resize(ref _words, Math.Max(words, _words.Length + (_words.Length / 2)));
        }
    }
}
